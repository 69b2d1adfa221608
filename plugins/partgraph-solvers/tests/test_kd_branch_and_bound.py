"""The KD-tree variant against brute force and against the block search; bounds of unary terms; limits and refusals."""

from __future__ import annotations

import attrs
import numpy as np
import pytest
from generated import FLAVOURS, brute_force, star_problem
from partgraph_solvers import ADMM, BranchAndBound, KDBranchAndBound, _kd
from test_admm import DIAMOND, loopy_problem

from partgraph import EuclideanLoss, Linear, Pairwise, Problem, Proximal, Status, Topology, solve


@pytest.mark.parametrize("flavour", FLAVOURS)
def test_generated_stars(flavour: str) -> None:
    for seed in range(25):
        problem = star_problem(seed, flavour=flavour)
        for n_best in (1, 20):
            _, scores = brute_force(problem, n_best)
            found, same = (
                solve(problem, solver, n_best=n_best) for solver in (KDBranchAndBound(), BranchAndBound())
            )
            scale = 1 + np.abs(scores).max() + sum(np.abs(own.positions).max() for own in problem.candidates)
            np.testing.assert_allclose(found.scores, scores, rtol=0, atol=1e-12 * scale)
            np.testing.assert_array_equal(found.labels, same.labels)
            assert found.status is Status.OPTIMAL
            assert found.upper_bound == found.scores[0]


def with_terms(problem: Problem, seed: int) -> Problem:
    rng = np.random.default_rng(seed)
    for part in range(len(problem.sizes)):
        slope, center = rng.normal(size=(2, problem.dimensions))
        terms = (Linear(slope), Proximal(center, 0.7), EuclideanLoss(center, 0.3), Linear(-2 * slope))
        problem = problem.with_unary(part, *(term for term in terms if rng.random() < 0.6))
    return problem


@pytest.mark.parametrize("flavour", ["plain", "anchors", "far", "forbidden", "near-ties"])
def test_linear_and_proximal_terms_are_bounded(flavour: str) -> None:
    for seed in range(25):
        problem = star_problem(seed, flavour=flavour, most=100)
        state = KDBranchAndBound().init(problem)
        for change in range(2):  # one state, other terms
            changed = with_terms(problem, 100 * seed + change)
            found = solve(changed, KDBranchAndBound(), n_best=5, state=state)
            truth = solve(changed, BranchAndBound(), n_best=5)
            np.testing.assert_array_equal(found.scores, truth.scores)
            np.testing.assert_array_equal(found.labels, truth.labels)


@pytest.mark.parametrize("flavour", FLAVOURS)
def test_a_limit_leaves_a_valid_bound(flavour: str) -> None:
    stopped = 0
    for seed in range(10):
        problem = star_problem(seed, flavour=flavour)
        optimum = solve(problem, BranchAndBound()).scores[0]
        for limit in (0, 1, 3, 10):
            found = solve(problem, KDBranchAndBound(max_boxes=limit))
            stopped += found.status is Status.WORK_LIMIT
            assert found.scores[0] <= optimum <= found.upper_bound
            assert found.stats["boxes_opened"] <= limit
            if found.status is Status.OPTIMAL:
                assert found.scores[0] == optimum
    assert stopped


def test_few_boxes_are_opened_in_a_large_star() -> None:
    rng = np.random.default_rng(0)
    problem = star_problem(3, flavour="plain", leaves=2)
    own = [
        attrs.evolve(
            part, positions=10 * rng.normal(size=(5000, problem.dimensions)), scores=rng.normal(size=5000)
        )
        for part in problem.candidates
    ]
    large = attrs.evolve(problem, candidates=tuple(own), anchors=())
    found = solve(large, KDBranchAndBound())
    assert found.stats["boxes_opened"] < 1000
    np.testing.assert_array_equal(found.labels, solve(large, BranchAndBound()).labels)


def test_it_serves_admm_as_a_slave() -> None:
    for seed in range(6):
        problem = loopy_problem(seed, DIAMOND, most=20)
        ours, theirs = (
            solve(problem, ADMM(slave=slave, max_iterations=12))
            for slave in (BranchAndBound(), KDBranchAndBound())
        )
        np.testing.assert_array_equal(ours.labels, theirs.labels)
        np.testing.assert_allclose(ours.stats["upper_bound"], theirs.stats["upper_bound"], atol=1e-9)


@attrs.frozen(eq=False)
class Distance(Pairwise):
    def evaluate(self, x, y):
        return -abs(y - x).sum(-1)


def test_what_it_does_not_take_is_refused() -> None:
    problem = loopy_problem(0, [(0, 1), (0, 2)])
    other = attrs.evolve(problem, pairwise=(Distance(), *problem.pairwise[1:]))
    assert KDBranchAndBound().supports(other) == (
        "the term of edge part-0 -> part-1 is Distance, and kd-branch-and-bound needs Quadratic. "
        "Use branch-and-bound, which takes any"
    )
    loop = Topology("abc", [(0, 1), (1, 2), (2, 0)])
    reason = KDBranchAndBound().supports(loopy_problem(0, list(loop.edges)))
    assert reason is not None
    assert reason.startswith("the graph has a cycle")
    with pytest.raises(ValueError, match="max_boxes must be at least 0, or None for no limit; found -1"):
        KDBranchAndBound(max_boxes=-1)


def test_wrong_lengths_are_refused() -> None:
    tree = _kd.Tree(np.zeros((5, 2)))
    with pytest.raises(ValueError, match="4 points for a tree of 5"):
        _kd.View(np.zeros((4, 2)), tree)
    with pytest.raises(ValueError, match="3 scores for a tree of 5"):
        _kd.Scores(np.zeros(3), tree)
    star = _kd.Star()
    star.add(0, tree, _kd.View(np.zeros((5, 2)), tree))
    with pytest.raises(ValueError, match="one entry"):
        star.solve([], [], 1, -1)
