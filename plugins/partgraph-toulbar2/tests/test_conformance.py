"""The conformance kit of the core."""

from __future__ import annotations

from partgraph_toulbar2 import Toulbar2

from partgraph import Solver
from partgraph.testing import parametrize_with_checks


@parametrize_with_checks([Toulbar2()])
def test_conformance(subject: Solver, check) -> None:
    check(subject)
