"""The exact solver against exhaustive search, dynamic programming, and its own parts against brute force."""

from __future__ import annotations

import attrs
import numpy as np
import pytest
from generated import brute_force
from partgraph_solvers import ADMM, Exact, _dense
from test_admm import DIAMOND, PATH, PIECES, TRIANGLE, loopy_problem

from partgraph import (
    Candidates,
    DynamicProgramming,
    EuclideanLoss,
    Exhaustive,
    Problem,
    Quadratic,
    Status,
    Topology,
    solve,
)  # fmt: skip

CLIQUE = [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3), (3, 0)]
GRAPHS = {"triangle": TRIANGLE, "diamond": DIAMOND, "path": PATH, "pieces": PIECES, "clique": CLIQUE}


@pytest.mark.parametrize("anchors", [False, True])
@pytest.mark.parametrize("edges", GRAPHS.values(), ids=GRAPHS.keys())
def test_small_graphs(edges: list[tuple[int, int]], anchors: bool) -> None:
    for seed in range(25):
        problem = loopy_problem(seed, edges, anchors=anchors)
        for n_best in (1, 6, 30):
            truth, found = (solve(problem, solver, n_best=n_best) for solver in (Exhaustive(), Exact()))
            assert found.status is Status.OPTIMAL
            assert found.gap == 0
            np.testing.assert_array_equal(found.labels, truth.labels)


def test_hundreds_of_candidates_on_a_loop() -> None:
    """More than a block per part, so that bounds and blocks matter."""
    for seed in range(6):
        problem = loopy_problem(seed, TRIANGLE, anchors=bool(seed % 2), most=150)
        labels, scores = brute_force(problem, 10)
        found = solve(problem, Exact(), n_best=10)
        np.testing.assert_allclose(found.scores, scores, atol=1e-10)
        np.testing.assert_array_equal(found.labels, labels)


def test_trees_against_dynamic_programming() -> None:
    edges = [(0, 1), (2, 1), (1, 3), (3, 4), (5, 3), (5, 6), (6, 7)]
    for seed in range(8):
        problem = loopy_problem(seed, edges, most=120, anchors=bool(seed % 2))
        truth, found = (solve(problem, solver, n_best=5) for solver in (DynamicProgramming(), Exact()))
        np.testing.assert_array_equal(found.labels, truth.labels)
        assert found.status is Status.OPTIMAL


def test_rounds_drop_candidates_and_never_the_answer() -> None:
    """With every search put off as long as possible, answers stay the same."""
    patient = Exact(easy_pairs=1, max_sweeps=6)
    for seed in range(15):
        problem = loopy_problem(seed, CLIQUE, most=12)
        truth, found = (solve(problem, solver, n_best=3) for solver in (Exhaustive(), patient))
        np.testing.assert_array_equal(found.labels, truth.labels)
        assert (np.diff(found.stats["candidates_left"]) <= 0).all()


def test_extra_unary_terms_and_state() -> None:
    for seed in range(10):
        problem = loopy_problem(seed, DIAMOND)
        state = Exact().init(problem)
        for part in range(len(problem.sizes)):
            problem = problem.with_unary(part, EuclideanLoss(np.zeros(3), 0.25))
        truth, found = solve(problem, Exhaustive(), n_best=4), solve(problem, Exact(), n_best=4, state=state)
        np.testing.assert_array_equal(found.labels, truth.labels)


@pytest.mark.parametrize(("scale", "shift"), [(1.0, 1e6), (1000.0, 0.0), (1000.0, 5e6), (1e-3, 1.0)])
def test_other_units_and_far_origins(scale: float, shift: float) -> None:
    """Rounding widens margins and never costs the answer."""
    for seed in range(12):
        problem = loopy_problem(seed, DIAMOND)
        parts = [attrs.evolve(own, positions=own.positions * scale + shift) for own in problem.candidates]
        terms = [Quadratic(term.weight / scale**2, term.offset * scale) for term in problem.pairwise]
        moved = Problem(problem.graph, parts, terms)
        truth, found = (solve(moved, solver, n_best=4) for solver in (Exhaustive(), Exact()))
        np.testing.assert_array_equal(found.labels, truth.labels)
        assert found.status is Status.OPTIMAL
        admm = solve(moved, ADMM(max_iterations=20))
        assert admm.scores[0] <= truth.scores[0] <= admm.upper_bound


def test_everything_ties() -> None:
    own = Candidates(np.zeros((30, 2)), np.zeros(30))
    problem = Problem(Topology("abc", TRIANGLE), [own] * 3, [Quadratic([1.0, 1], [0.0, 0])] * 3)
    found = solve(problem, Exact(), n_best=4)
    np.testing.assert_array_equal(found.labels, [[0, 0, k] for k in range(4)])


@pytest.mark.parametrize("limits", [{"max_pairs": 1, "easy_pairs": 1, "max_sweeps": 1}, {"max_nodes": 1}])
def test_limits_leave_a_valid_bound(limits: dict[str, int]) -> None:
    stopped = 0
    for seed in range(20):
        problem = loopy_problem(seed, CLIQUE, most=10)
        optimum = solve(problem, Exhaustive()).scores[0]
        found = solve(problem, Exact(**limits), n_best=2)
        assert found.scores[0] <= optimum <= found.upper_bound + 1e-12
        stopped += found.status is Status.WORK_LIMIT
        if found.status is Status.OPTIMAL:
            assert found.scores[0] == optimum
    assert stopped


def test_admm_never_beats_it() -> None:
    for seed in range(10):
        problem = loopy_problem(seed, [(0, 1), (1, 2), (2, 3), (3, 4), (4, 0), (1, 3), (2, 0)], most=60)
        exact, admm = solve(problem, Exact()), solve(problem, ADMM())
        assert exact.status is Status.OPTIMAL
        assert admm.scores[0] <= exact.scores[0] <= admm.upper_bound + 1e-10


def test_limits_must_make_sense() -> None:
    with pytest.raises(ValueError, match="max_sweeps must be at least 1; found 0"):
        Exact(max_sweeps=0)


# -- the search in tables ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("whole", [False, True], ids=["any numbers", "whole numbers"])
def test_dense_search_against_brute_force(whole: bool) -> None:
    rng = np.random.default_rng(4)
    for _ in range(150):
        n = int(rng.integers(1, 6))
        sizes = rng.integers(1, 6, n)
        unary = [rng.normal(size=k) * 3 for k in sizes]
        edges = [(i, j) for i in range(n) for j in range(i + 1, n) if rng.random() < 0.7]
        tables = [rng.normal(size=(sizes[i], sizes[j])) * 3 for i, j in edges]
        if whole:
            unary, tables = ([np.round(own) for own in arrays] for arrays in (unary, tables))
        total = np.zeros(sizes)
        for i, own in enumerate(unary):
            total = total + own.reshape([-1 if axis == i else 1 for axis in range(n)])
        for (i, j), own in zip(edges, tables, strict=True):
            total = total + own.reshape([sizes[axis] if axis in (i, j) else 1 for axis in range(n)])
        n_best = int(rng.choice([1, 3, 10]))
        flat = np.argsort(-total.ravel(), kind="stable")[:n_best]
        threshold = float(rng.choice([-np.inf, total.ravel()[flat[-1]]]))
        labels, bound, proven, _ = _dense.search(unary, edges, tables, n_best, threshold, 20, -1, np.inf)
        expected = np.stack(np.unravel_index(flat, total.shape), axis=-1)
        assert proven
        assert bound >= total.max() - 1e-12
        if whole:
            np.testing.assert_array_equal(labels[: len(flat)], expected)
        np.testing.assert_allclose(total[tuple(labels.T)][: len(flat)], total.ravel()[flat], atol=1e-12)
        limited = _dense.search(unary, edges, tables, n_best, threshold, 1, 2, np.inf)
        assert limited[1] >= total.max() - 1e-12
