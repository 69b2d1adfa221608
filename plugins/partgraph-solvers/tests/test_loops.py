"""The compiled relaxation by itself: against the one in NumPy, against the problem's own arithmetic, and in threads."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import attrs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from loopy import loopy_problem
from partgraph_solvers import BranchAndBound, Exact, _dense, _star, preparation
from partgraph_solvers.clock import Clock
from partgraph_solvers.exact import Search, State
from partgraph_solvers.preparation import Compiled, General, prepare

from partgraph import Candidates, Problem, Quadratic, Status, Topology, solve, solve_many

QUADRATIC = (
    "plain",
    "anchors",
    "far",
    "millimetres",
    "ties",
    "near-ties",
    "duplicates",
    "forbidden",
    "strong",
    "flat",
    "huge",
)
PATIENT = Exact(easy_pairs=1)


def both(problem: Problem) -> tuple[Compiled, General]:
    """Return the preparation in compiled code, and the one for terms of any kind."""
    compiled = prepare(problem)
    assert isinstance(compiled, Compiled)
    slopes = [np.zeros((len(star.parts), problem.dimensions)) for star in compiled.copies.stars]
    return compiled, General.of(problem, compiled.copies, slopes)


@pytest.mark.parametrize("flavour", QUADRATIC)
@settings(deadline=None)
@given(seed=st.integers(0, 10**6), n_best=st.sampled_from([1, 1, 5]))
def test_the_same_answers_as_in_numpy(flavour: str, seed: int, n_best: int) -> None:
    problem = loopy_problem(seed, flavour, most=40, parts=4)
    found = [Search(PATIENT, problem, State(own), n_best).run() for own in both(problem)]
    for own in found:
        assert own.status is Status.OPTIMAL
    np.testing.assert_array_equal(found[0].labels, found[1].labels)
    np.testing.assert_array_equal(found[0].scores, found[1].scores)


@pytest.mark.parametrize("flavour", QUADRATIC)
def test_scores_and_tables_are_the_problem_s_to_the_last_bit(flavour: str) -> None:
    """Near ties depend on it."""
    for seed in range(20):
        problem = loopy_problem(seed, flavour, most=60)
        rng = np.random.default_rng(seed)
        labels = np.stack([rng.integers(0, size, 50) for size in problem.sizes], axis=1)
        _, polisher = prepare(problem).begin(problem, Clock())
        np.testing.assert_array_equal(polisher.score(labels), problem.score(labels))
        for e, term in enumerate(problem.pairwise):
            x, y = problem.anchor(e), problem.candidates[problem.graph.edges[e][1]].positions
            table = np.zeros((len(x), len(y)))
            _dense.add_quadratic(table, x, y, term.weight, term.offset)
            np.testing.assert_array_equal(table, term.evaluate(x[:, None], y[None]))


@pytest.mark.parametrize("axes", [1, 4, _dense.MAX_AXES, _dense.MAX_AXES + 2])
def test_any_number_of_axes(axes: int) -> None:
    rng = np.random.default_rng(axes)
    for _ in range(5):
        parts = [Candidates(rng.normal(size=(30, axes)), rng.normal(size=30)) for _ in "abc"]
        terms = [Quadratic(rng.uniform(0.1, 1, axes), rng.normal(size=axes)) for _ in range(3)]
        problem = Problem(Topology("abc", [(0, 1), (1, 2), (2, 0)]), parts, terms)
        found, truth = solve(problem, PATIENT, n_best=3), solve(problem, "exhaustive", n_best=3)
        np.testing.assert_array_equal(found.labels, truth.labels)
        np.testing.assert_array_equal(found.scores, truth.scores)


def test_graphs_of_quadratics_are_compiled_and_others_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(prepare(loopy_problem(3, "plain")), Compiled)
    monkeypatch.setattr(preparation, "all_compile", lambda problem: False)
    assert isinstance(prepare(loopy_problem(3, "plain")), General)


def test_polish_is_that_of_coordinate_ascent() -> None:
    """Part by part, lowest first, until no move helps."""
    for seed in range(30):
        problem = loopy_problem(seed, ("plain", "anchors", "ties")[seed % 3], most=90)
        rng = np.random.default_rng(seed)
        ways = [own.begin(problem, Clock())[1] for own in both(problem)]
        for _ in range(4):
            labels = np.array(
                [rng.choice(np.flatnonzero(own.scores > -np.inf)) for own in problem.candidates]
            )
            first, second = (own.polish(labels) for own in ways)
            np.testing.assert_array_equal(first, second)
            part = int(rng.integers(len(labels)))
            assert ways[0].best_labels(part, labels, 5) == ways[1].best_labels(part, labels, 5)
            labels[rng.random(len(labels)) < 0.6] = -1
            first, second = (own.complete(labels) for own in ways)
            np.testing.assert_array_equal(first, second)
            np.testing.assert_array_equal(first[labels >= 0], labels[labels >= 0])
            assert (first >= 0).all()


# -- orders ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(8, 8, 8), (13, 13, 13), (20, 20, 20), (32, 32), (45, 45), (100, 100)])
def test_rasters_come_in_small_blocks_without_a_sort(shape: tuple[int, ...]) -> None:
    axes = [np.arange(float(side)) for side in shape]
    raster = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, len(shape))
    raster += np.random.default_rng(0).uniform(-0.3, 0.3, raster.shape)
    order = _star.spatial_order(raster)
    np.testing.assert_array_equal(np.sort(order), np.arange(len(raster)))
    whole = len(raster) // 64 * 64
    width = np.ptp(raster[order][:whole].reshape(-1, 64, len(shape)), axis=1).sum(axis=1).mean()
    assert width < 1.5 * len(shape) * 64 ** (1 / len(shape))


def test_a_cube_s_number_of_points_anywhere_is_sorted() -> None:
    points = np.random.default_rng(1).normal(size=(20**3, 3))
    order = _star.spatial_order(points)
    np.testing.assert_array_equal(np.sort(order), np.arange(20**3))
    width, before = (np.ptp(own.reshape(-1, 64, 3), axis=1).mean() for own in (points[order], points))
    assert width < 0.4 * before


def test_blocks_of_several_parts_share_an_order_where_it_fits() -> None:
    axis = np.arange(12.0)
    raster = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1).reshape(-1, 3)
    other = np.random.default_rng(2).normal(size=raster.shape)
    first, second, third, last = _star.blocks_of([raster, raster + 1.0, other, raster[:100]])
    assert np.shares_memory(first.order, second.order)
    for own, points in ((first, raster), (third, other), (last, raster[:100])):
        np.testing.assert_array_equal(np.sort(own.order), np.arange(len(points)))
    with pytest.raises(ValueError, match="3 scores for 1728 candidates"):
        _star.scores_of([np.zeros(3)], [first])


# -- time and threads --------------------------------------------------------------------------------------------------


def long_star() -> Problem:
    """A star that takes seconds: in eight dimensions no block is small."""
    rng = np.random.default_rng(7)
    parts = [Candidates(rng.normal(size=(20_000, 8)), np.zeros(20_000)) for _ in range(6)]
    terms = [Quadratic(np.ones(8), rng.normal(size=8)) for _ in range(5)]
    return Problem(Topology("abcdef", [(0, k) for k in range(1, 6)]), parts, terms)


@pytest.mark.parametrize(
    "solver", [BranchAndBound(max_seconds=0.05), Exact(max_seconds=0.05)], ids=["star", "exact"]
)
def test_time_is_up_inside_one_compiled_star(solver: BranchAndBound | Exact) -> None:
    problem = long_star()
    found = solve(problem, solver)
    assert found.status is Status.WORK_LIMIT
    assert found.scores[0] <= found.upper_bound
    assert found.upper_bound < np.inf
    np.testing.assert_array_equal(found.scores, problem.score(found.labels))


@pytest.mark.parametrize("seconds", [1e-5, 1e-4, 1e-3])
def test_bounds_of_interrupted_stars_are_valid(seconds: float) -> None:
    for seed in range(5):
        rng = np.random.default_rng(seed)
        parts = [Candidates(rng.normal(size=(600, 3)), rng.normal(size=600)) for _ in range(4)]
        terms = [Quadratic([0.5] * 3, rng.normal(size=3)) for _ in range(3)]
        problem = Problem(Topology("abcd", [(0, 1), (2, 0), (0, 3)]), parts, terms)
        optimum = solve(problem, BranchAndBound())
        found = solve(problem, BranchAndBound(max_seconds=seconds))
        assert found.scores[0] <= optimum.scores[0] <= found.upper_bound
        if found.status is Status.OPTIMAL:
            np.testing.assert_array_equal(found.labels, optimum.labels)


def test_limits_of_time_must_make_sense() -> None:
    with pytest.raises(ValueError, match="max_seconds must be positive, or None for no limit; found 0"):
        BranchAndBound(max_seconds=0)


@pytest.mark.parametrize("solver", [Exact(), PATIENT, None], ids=["exact", "patient", "default"])
def test_threads_give_the_same_answers(solver: Exact | None) -> None:
    """Several times over, so that threads meet in the same problems and in memory that others left."""
    problems = [
        loopy_problem(seed, QUADRATIC[seed % len(QUADRATIC)], most=60, parts=4) for seed in range(40)
    ] * 3
    alone = solve_many(problems, solver, n_best=3)
    with ThreadPoolExecutor(4) as pool:
        together = solve_many(problems, solver, n_best=3, executor=pool)
    for own, other in zip(alone, together, strict=True):
        np.testing.assert_array_equal(own.labels, other.labels)
        np.testing.assert_array_equal(own.scores, other.scores)
        assert (own.status, own.upper_bound) == (other.status, other.upper_bound)


def test_one_state_serves_many_threads() -> None:
    problem = loopy_problem(11, "plain", most=90, parts=4)
    state, rng = PATIENT.init(problem), np.random.default_rng(0)
    problems = [
        attrs.evolve(
            problem,
            candidates=[Candidates(own.positions, rng.normal(size=len(own))) for own in problem.candidates],
        )
        for _ in range(20)
    ]
    alone = [PATIENT.compute(own, PATIENT.init(own), 2) for own in problems]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda own: PATIENT.compute(own, state, 2), problems))
    for own, other in zip(alone, together, strict=True):
        np.testing.assert_array_equal(own.labels, other.labels)
