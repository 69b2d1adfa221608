"""The exact solver against oracles that share no code with it, on generated problems of many flavours."""

from __future__ import annotations

from collections.abc import Sequence

import attrs
import numpy as np
import pytest
from generated import all_scores
from hypothesis import given, settings
from hypothesis import strategies as st
from loopy import FLAVOURS, Attraction, Barrier, Distance, loopy_problem
from partgraph_solvers import Exact
from partgraph_solvers.admm import tabulated
from partgraph_solvers.exact import Search

from partgraph import (
    Candidates,
    DynamicProgramming,
    Exhaustive,
    Problem,
    Quadratic,
    Solution,
    Status,
    Topology,
    solve,
)  # fmt: skip

PATIENT = Exact(easy_pairs=1)  # no search in tables before stars have dropped what they can
RING = [(0, 1), (1, 2), (2, 3), (3, 0), (0, 2)]


def watched(
    problem: Problem, optimum: np.ndarray, scores: np.ndarray, solver: Exact, n_best: int
) -> Solution:
    """Solve, and assert at every stage that no known answer was dropped and that the bound is no lower."""

    def watch(stage: str, bound: float, labels: Sequence[np.ndarray]) -> None:
        assert bound >= scores[0], stage
        for row in optimum:
            # Of equal candidates others may stand for those of the known answer, but never lower ones.
            assert all(label in own for label, own in zip(row, labels, strict=True)), stage

    return Search(solver, tabulated(problem), solver.init(problem), n_best, watch).run()


@pytest.mark.parametrize("flavour", FLAVOURS)
@settings(deadline=None)
@given(seed=st.integers(0, 10**6), n_best=st.sampled_from([1, 1, 2, 7, 40]))
def test_generated_problems_against_exhaustive_search(flavour: str, seed: int, n_best: int) -> None:
    problem = loopy_problem(seed, flavour, most=4)
    truth = solve(problem, Exhaustive(), n_best=n_best, throw=False)
    for solver in (PATIENT, Exact()):
        found = solve(problem, solver, n_best=n_best, throw=False)
        assert found.status is truth.status
        np.testing.assert_array_equal(found.labels, truth.labels)
        np.testing.assert_array_equal(found.scores, truth.scores)


@pytest.mark.parametrize("flavour", FLAVOURS)
def test_no_stage_drops_the_answer(flavour: str) -> None:
    """More candidates than a block holds on three parts, every stage looked at."""
    stages = 0
    for seed in range(6):
        problem = loopy_problem(seed, flavour, most=90, parts=3)
        n_best = (1, 4)[seed % 2]
        truth = solve(problem, Exhaustive(), n_best=n_best, throw=False)
        if not len(truth.scores):
            continue
        found = watched(problem, truth.labels, truth.scores, PATIENT, n_best)
        assert found.status is Status.OPTIMAL
        np.testing.assert_array_equal(found.labels, truth.labels)
        stages += found.stats["sweeps"]
    assert stages


@pytest.mark.parametrize(
    "kind", [Distance(0.5), Attraction(), Barrier(6.0)], ids=lambda term: type(term).__name__
)
def test_any_potential_on_a_tree_against_dynamic_programming(kind: object) -> None:
    rng = np.random.default_rng(1)
    edges = [(0, 1), (2, 1), (1, 3), (3, 4)]
    for _ in range(3):
        parts = [Candidates(2 * rng.normal(size=(80, 2)), rng.normal(size=80)) for _ in range(5)]
        problem = Problem(Topology("abcde", edges), parts, [kind] * 4)
        truth, found = solve(problem, DynamicProgramming(), n_best=3), solve(problem, PATIENT, n_best=3)
        np.testing.assert_array_equal(found.labels, truth.labels)
        assert found.status is Status.OPTIMAL


def test_stars_of_different_kinds_in_one_graph() -> None:
    """Some stars are compiled, others are not."""
    rng = np.random.default_rng(2)
    for _ in range(4):
        parts = [Candidates(2 * rng.normal(size=(70, 3)), rng.normal(size=70)) for _ in range(3)]
        terms = [
            Quadratic(rng.uniform(0.2, 2, 3), rng.normal(size=3)),
            Distance(0.7),
            Quadratic([1.0] * 3, [0.0] * 3),
        ]
        problem = Problem(Topology("abc", [(0, 1), (1, 2), (0, 2)]), parts, terms)
        total = all_scores_of_triangle(problem)
        found = solve(problem, PATIENT)
        np.testing.assert_allclose(found.scores[0], total.max(), atol=1e-12)
        np.testing.assert_array_equal(found.labels[0], np.unravel_index(total.argmax(), total.shape))


def all_scores_of_triangle(problem: Problem) -> np.ndarray:
    a, b, c = problem.candidates
    x, y, z = a.positions, b.positions, c.positions
    first, second, third = problem.pairwise
    total = a.scores[:, None, None] + b.scores[None, :, None] + c.scores[None, None, :]
    total = total + first.evaluate(x[:, None], y[None])[:, :, None]
    total = total + second.evaluate(y[:, None], z[None])[None]
    return total + third.evaluate(x[:, None], z[None])[:, None]


# -- ties --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("solver", [Exact(), PATIENT], ids=["tables at once", "stars first"])
def test_everything_ties(solver: Exact) -> None:
    """All configurations of a loop score the same: 10^10 of them."""
    own = Candidates(np.zeros((100, 2)), np.zeros(100))
    edges = [(0, 1), (1, 2), (2, 3), (3, 4), (4, 0)]
    problem = Problem(Topology("abcde", edges), [own] * 5, [Quadratic([1.0, 1], [0.0, 0])] * 5)
    found = solve(problem, solver, n_best=3)
    assert found.status is Status.OPTIMAL
    np.testing.assert_array_equal(found.labels, [[0, 0, 0, 0, k] for k in range(3)])


def test_symmetric_loops_have_their_lowest_labels_proven() -> None:
    """Shifts of a whole configuration along a grid score the same, and no two candidates are equal."""
    grid = np.stack(np.meshgrid(*[np.arange(6.0)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    own = Candidates(grid, np.zeros(len(grid)))
    offsets = [[1.0, 0, 0], [0, 1.0, 0], [-1.0, 0, 0], [0, -1.0, 0], [1.0, 1.0, 0]]
    problem = Problem(Topology("abcd", RING), [own] * 4, [Quadratic([1.0] * 3, offset) for offset in offsets])
    found = solve(problem, Exact(), n_best=2)
    assert found.status is Status.OPTIMAL
    first = [tuple(map(int, row)) for row in problem.positions(found.labels[0])]
    assert first == [(0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 1, 0)]
    assert found.scores.tolist() == [0.0, 0.0]
    assert found.labels[0].tolist() < found.labels[1].tolist()


def test_pieces_that_tie_each_in_itself() -> None:
    """Every piece has many best configurations, all of them together too many to list."""
    rng = np.random.default_rng(3)
    parts = [Candidates(np.round(2 * rng.normal(size=(60, 2))), np.zeros(60)) for _ in range(6)]
    edges = [(0, 1), (1, 2), (2, 0), (3, 4), (4, 5), (5, 3)]
    problem = Problem(Topology("abcdef", edges), parts, [Quadratic([1.0, 1.0], [0.0, 0.0])] * 6)
    found = solve(problem, Exact())
    assert found.status is Status.OPTIMAL
    for half in (slice(0, 3), slice(3, 6)):
        own = Problem(Topology("abc", edges[:3]), parts[half], problem.pairwise[:3])
        total = all_scores(own)
        np.testing.assert_array_equal(found.labels[0][half], np.unravel_index(total.argmax(), total.shape))


# -- limits ------------------------------------------------------------------------------------------------------------


def hard_problem(term: object) -> Problem:
    rng = np.random.default_rng(5)
    edges = [(i, j) for i in range(7) for j in range(i + 1, 7)]
    parts = [Candidates(rng.normal(size=(1500, 3)), 0.1 * rng.normal(size=1500)) for _ in range(7)]
    terms = [Quadratic([3.0] * 3, rng.normal(size=3)) if term is None else term for _ in edges]
    return Problem(Topology("abcdefg", edges), parts, terms)


@pytest.mark.parametrize("term", [None, Distance(1.0)], ids=["compiled", "boxes"])
def test_a_limit_of_time_is_kept(term: object) -> None:
    problem = hard_problem(term)
    found = solve(problem, Exact(max_seconds=1e-6))
    assert found.status is Status.WORK_LIMIT
    assert found.stats["limit"] == "max_seconds"
    assert found.upper_bound >= found.scores[0] == problem.score(found.labels[0])


@pytest.mark.parametrize("seconds", [0.003, 0.02, 0.1])
def test_a_limit_of_time_anywhere_leaves_a_valid_answer(seconds: float) -> None:
    """Where the limit falls depends on the machine; what is said about the answer must be true wherever it does."""
    problem = hard_problem(None)
    optimum = solve(problem, Exact())
    assert optimum.status is Status.OPTIMAL
    found = solve(problem, Exact(max_seconds=seconds))
    assert found.scores[0] <= optimum.scores[0] <= found.upper_bound
    if found.status is Status.OPTIMAL:
        np.testing.assert_array_equal(found.labels, optimum.labels)
    else:
        assert found.stats["limit"] == "max_seconds"


def test_bounds_at_limits_are_valid() -> None:
    limited = 0
    for seed in range(40):
        for flavour in ("plain", "anchors", "mixed"):
            problem = loopy_problem(seed, flavour, most=5)
            optimum = solve(problem, Exhaustive()).scores[0]
            for options in ({"max_nodes": 1}, {"max_pairs": 1, "max_sweeps": 1}, {"max_seconds": 1e-9}):
                found = solve(problem, attrs.evolve(PATIENT, **options))
                assert found.scores[0] <= optimum <= found.upper_bound + 1e-12
                if found.status is Status.WORK_LIMIT:
                    limited += 1
                    assert found.stats["limit"] in options
                else:
                    assert found.scores[0] == optimum
    assert limited


# -- an independent solver ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("flavour", ["plain", "anchors", "strong", "generic", "mixed"])
def test_weighted_constraint_satisfaction(flavour: str) -> None:
    """toulbar2, an exact solver of cost function networks, finds the same best score."""
    pytoulbar2 = pytest.importorskip("pytoulbar2", reason="pip install pytoulbar2 for this comparison")
    for seed in range(12):
        problem = loopy_problem(seed, flavour, most=8, parts=7)
        allowed = [np.flatnonzero(np.isfinite(own.scores)) for own in problem.candidates]
        network = pytoulbar2.CFN(1e6, resolution=9, verbose=-1)
        for part, own in enumerate(allowed):
            network.AddVariable(f"part{part}", [f"v{k}" for k in own])
            network.AddFunction([f"part{part}"], (-problem.candidates[part].scores[own]).tolist())
        for e, (i, j) in enumerate(problem.graph.edges):
            x, y = problem.anchor(e)[allowed[i]], problem.candidates[j].positions[allowed[j]]
            cost = -problem.pairwise[e].evaluate(x[:, None], y[None])
            network.AddFunction([f"part{i}", f"part{j}"], cost.ravel().tolist())
        labels, cost, _ = network.Solve()
        found = solve(problem, PATIENT)
        assert found.status is Status.OPTIMAL
        assert abs(found.scores[0] + cost) < 1e-5
        named = [own[label] for own, label in zip(allowed, labels, strict=True)]
        assert abs(problem.score(named) - found.scores[0]) < 1e-5
