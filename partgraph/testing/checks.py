"""Which checks apply to what."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from hypothesis.strategies import SearchStrategy

from partgraph.graph import Graph
from partgraph.potentials import Potential
from partgraph.solver import Solver
from partgraph.testing import graph_checks, potential_checks, solver_checks

Check = Callable[[Any], None]


def checks_for(subject: object) -> Iterator[Check]:
    """Yield the checks of an instance: functions that take it and raise AssertionError where it fails.

    Parameters
    ----------
    subject : Potential, Graph or Solver
        What to check. A hypothesis strategy that draws potentials is checked as they are, with drawn parameters.

    Raises
    ------
    TypeError
        If there are no checks for such a thing.
    """
    if isinstance(subject, Potential | SearchStrategy):
        yield from potential_checks.CHECKS
    elif isinstance(subject, Graph):
        yield from graph_checks.CHECKS
    elif isinstance(subject, Solver):
        yield from solver_checks.EVERY
        if subject.exact:
            yield from solver_checks.EXACT
    else:
        raise TypeError(f"there are checks for instances of Potential, Graph and Solver; found {subject!r}")
