"""The conformance kit: what every component must do, as tests that anybody can run.

The whole test file of a plugin::

    from partgraph.testing import parametrize_with_checks

    @parametrize_with_checks([Huber(offset=[0.0, 0.0, 1.0], delta=0.5)])
    def test_conformance(subject, check):
        check(subject)

It needs ``partgraph[testing]``: pytest and hypothesis. Nothing in the framework imports it.
"""

from __future__ import annotations

import unittest
from collections.abc import Iterable, Mapping
from typing import Any

import pytest

from partgraph.plugins import Entry
from partgraph.testing import families, strategies
from partgraph.testing.checks import checks_for
from partgraph.testing.registered import installed, subjects

__all__ = ["checks_for", "families", "installed", "parametrize_with_checks", "strategies", "subjects"]


def __getattr__(name: str) -> Any:
    if name == "LossCase":  # which needs torch
        from partgraph.testing.learning.loss_checks import LossCase

        return LossCase
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def parametrize_with_checks(
    items: Iterable[object], expected_failures: Mapping[str, str] | None = None
) -> pytest.MarkDecorator:
    """Make one test of each instance and check, as arguments ``subject`` and ``check``.

    Parameters
    ----------
    items : iterable
        Instances of what `checks_for` takes, or entries of the registry: those of ``plugins.installed()`` check
        everything that is installed, and skip what lacks packages or files, with the reason.
    expected_failures : mapping, optional
        From the name of a check to the reason why it fails. A failure that no longer happens is an error.
    """
    expected = dict(expected_failures or {})
    cases: list[Any] = []
    for number, item in enumerate(items):
        name = item.name if isinstance(item, Entry) else f"{number}-{type(item).__name__}"
        try:
            found = subjects(item) if isinstance(item, Entry) else [item]
        except unittest.SkipTest as reason:
            cases.append(pytest.param(None, None, id=name, marks=pytest.mark.skip(reason=str(reason))))
            continue
        for subject in found:
            for check in checks_for(subject):
                why = expected.get(check.__name__)
                marks = () if why is None else (pytest.mark.xfail(reason=why, strict=True),)
                title = f"{name}-{check.__name__.removeprefix('check_')}"
                cases.append(pytest.param(subject, check, id=title, marks=marks))
    return pytest.mark.parametrize(("subject", "check"), cases)
