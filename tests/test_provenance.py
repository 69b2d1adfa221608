"""Who answered is known for a piece of work, whoever asked for it by whatever name."""

import pytest

import partgraph
from partgraph import Component, solve
from partgraph.provenance import answered, recording

EXHAUSTIVE = "partgraph.reference:Exhaustive"


@pytest.fixture(autouse=True)
def shared(plugins, temporary_plugin, monkeypatch):
    temporary_plugin("lab", "lab-solvers 2.3", solvers=[Component("fast", EXHAUSTIVE, "quick")])
    monkeypatch.setattr(partgraph.plugins, "shared", lambda: plugins)


def names():
    return [own["name"] for own in answered()]


def test_a_recording_holds_what_was_asked_for_by_any_name(arm):
    with recording():
        solve(arm, "fast")
        solve(arm, "lab:fast")
        assert answered() == [{"kind": "solver", "name": "lab:fast", "distribution": "lab-solvers 2.3"}]


def test_a_policys_choice_is_recorded(arm):
    with recording():
        solve(arm)
        assert names() == ["builtin:dynamic-programming"]


def test_recordings_are_nested_and_begin_anew(arm):
    @recording()
    def inner():
        solve(arm, "fast")
        return names()

    with recording():
        solve(arm, "exhaustive")
        assert inner() == inner() == ["lab:fast"]
        assert names() == ["builtin:exhaustive", "lab:fast"]
    with recording():
        assert names() == []


def test_looking_is_not_answering(plugins):
    with recording():
        plugins.list()
        plugins.find("solver", "fast")
        assert names() == []


def test_nothing_is_recorded_outside(arm):
    solve(arm, "fast")
    with pytest.raises(LookupError, match=r"within partgraph\.provenance\.recording"):
        answered()
