"""The conformance kit: what every potential, graph and solver must do, as tests that anybody can run.

The whole test file of a plugin::

    from partgraph.testing import parametrize_with_checks

    @parametrize_with_checks([Huber(offset=[0.0, 0.0, 1.0], delta=0.5)])
    def test_conformance(subject, check):
        check(subject)

It needs ``partgraph[testing]``: pytest and hypothesis. Nothing in the framework imports it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pytest

from partgraph.testing import families, strategies
from partgraph.testing.checks import checks_for
from partgraph.testing.registered import installed, subjects

__all__ = ["checks_for", "families", "installed", "parametrize_with_checks", "strategies", "subjects"]


def parametrize_with_checks(
    items: Iterable[object], expected_failures: Mapping[str, str] | None = None
) -> pytest.MarkDecorator:
    """Make one test of each instance and check, as arguments ``subject`` and ``check``.

    Parameters
    ----------
    items : iterable
        Instances of Potential, Graph or Solver, or strategies that draw potentials; see `installed` for all that
        is registered.
    expected_failures : mapping, optional
        From the name of a check to the reason why it fails. A failure that no longer happens is an error.
    """
    expected = dict(expected_failures or {})
    cases: list[Any] = []
    for number, subject in enumerate(items):
        for check in checks_for(subject):
            reason = expected.get(check.__name__)
            marks = () if reason is None else (pytest.mark.xfail(reason=reason, strict=True),)
            name = f"{number}-{type(subject).__name__}-{check.__name__.removeprefix('check_')}"
            cases.append(pytest.param(subject, check, id=name, marks=marks))
    return pytest.mark.parametrize(("subject", "check"), cases)
