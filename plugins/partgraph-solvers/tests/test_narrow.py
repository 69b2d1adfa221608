"""What `Exact.narrow` leaves for others to search holds the n best."""

from __future__ import annotations

import attrs
import numpy as np
import pytest
from loopy import FLAVOURS, loopy_problem
from partgraph_solvers import Exact

from partgraph import Candidates, Exhaustive, Problem, SolveError, Topology, solve


@pytest.mark.parametrize("flavour", FLAVOURS)
def test_the_n_best_are_left(flavour: str) -> None:
    for seed in range(8):
        problem = loopy_problem(seed, flavour, most=30, parts=3)
        n_best = (1, 4)[seed % 2]
        truth = solve(problem, Exhaustive(), n_best=n_best, throw=False)
        if not len(truth.scores):
            continue
        left = Exact(easy_pairs=1).narrow(problem, n_best=n_best)
        for row in truth.labels:
            assert all(label in own for label, own in zip(row, left.labels, strict=True))
        assert left.best.scores[0] <= truth.scores[0] <= left.best.upper_bound


def test_candidates_are_dropped() -> None:
    problem = loopy_problem(8, "plain", most=400, parts=5)
    left = Exact().narrow(problem)
    assert sum(map(len, left.labels)) < sum(problem.sizes) / 4


def test_what_cannot_be_solved_is_said() -> None:
    nowhere = Problem(Topology("a"), [Candidates([[0.0, 0]], [-np.inf])])
    with pytest.raises(SolveError, match="every candidate is forbidden"):
        Exact().narrow(nowhere)
    assert (
        Exact(max_seconds=1e-9)
        .narrow(attrs.evolve(nowhere, candidates=[Candidates([[0.0, 0]], [0.0])]))
        .labels
    )
