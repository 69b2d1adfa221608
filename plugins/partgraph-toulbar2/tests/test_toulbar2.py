"""toulbar2 against exhaustive search and `exact`: answers, proofs, limits, and what the conversion of scores loses."""

from __future__ import annotations

import os
import sys
from concurrent.futures import ThreadPoolExecutor

import attrs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from partgraph_toulbar2 import Toulbar2, network
from partgraph_toulbar2.costs import Costs
from partgraph_toulbar2.pruning import by_stars
from partgraph_toulbar2.tables import Tables

from partgraph import (
    Candidates,
    Exhaustive,
    Interval,
    Pairwise,
    Problem,
    Quadratic,
    Status,
    Topology,
    plugins,
    solve,
    solve_many,
)
from partgraph.errors import MissingPackageError
from partgraph.testing import families, strategies

PATIENT = Toulbar2(easy_pairs=1)  # bounds drop what they can before toulbar2 begins


@attrs.frozen(eq=False)
class Barrier(Pairwise):
    """Parts must not be further apart than `most`."""

    most: float = 3.0

    def evaluate(self, x, y):
        far = abs(y - x).sum(-1)
        return np.where(far > self.most, -np.inf, -far)

    def bounds(self, *boxes):
        far = abs(boxes[1] - boxes[0]).sum(-1)
        low = np.where(far.hi > self.most, -np.inf, -far.hi)
        return type(far)(low, np.where(far.lo > self.most, -np.inf, -far.lo))


def ring(seed: int, size: int, parts: int = 5, weight: float = 1.0) -> Problem:
    rng = np.random.default_rng(seed)
    edges = [(i, (i + 1) % parts) for i in range(parts)]
    own = [Candidates(3 * rng.normal(size=(size, 2)), rng.normal(size=size)) for _ in range(parts)]
    terms = [Quadratic([weight, weight], rng.normal(size=2)) for _ in edges]
    return Problem(Topology(map(str, range(parts)), edges), own, terms)


def assert_same(found, truth) -> None:
    assert found.status is Status.OPTIMAL
    np.testing.assert_array_equal(found.labels, truth.labels)
    np.testing.assert_array_equal(found.scores, truth.scores)
    assert found.upper_bound == truth.scores[0]


@settings(deadline=None)
@given(
    problem=strategies.problems(
        graph=strategies.graphs(max_parts=4), dim=2, pairwise=families.pairwises(dim=2)
    ),
    n_best=st.sampled_from([1, 3, 20]),
)
def test_any_potentials_against_exhaustive_search(problem: Problem, n_best: int) -> None:
    truth = solve(problem, Exhaustive(), n_best=n_best)
    for solver in (Toulbar2(), PATIENT):
        found = solve(problem, solver, n_best=n_best)
        np.testing.assert_array_equal(found.labels, truth.labels)
        assert found.status is Status.OPTIMAL


@pytest.mark.parametrize("n_best", [1, 5])
@pytest.mark.parametrize("alone", [False, True], ids=["with exact", "core alone"])
def test_pruned_loops_against_exhaustive_search(n_best: int, alone: bool, monkeypatch) -> None:
    if alone:
        monkeypatch.setattr("partgraph_toulbar2.solver.pruned", lambda problem, n, *_: by_stars(problem, n))
    else:
        pytest.importorskip("partgraph_solvers")
    for seed in range(4):
        problem = ring(seed, 24, parts=4)
        found = solve(problem, PATIENT, n_best=n_best)
        assert_same(found, solve(problem, Exhaustive(), n_best=n_best))
        assert found.stats["candidates_left"] < sum(problem.sizes) * (1 if alone else 0.5)


def test_thousands_of_candidates_against_exact() -> None:
    pytest.importorskip("partgraph_solvers")
    for seed in range(3):
        problem = ring(seed, 2000, parts=6)
        found, truth = (solve(problem, name, n_best=3) for name in ("toulbar2", "exact"))
        assert_same(found, truth)
        assert found.stats["pairs"] <= 50_000


@pytest.mark.parametrize("n_best", [1, 4, 30])
def test_pairs_that_exclude_each_other(n_best: int) -> None:
    for seed in range(5):
        problem = attrs.evolve(ring(seed, 6, parts=4), pairwise=(Barrier(),) * 4)
        truth = solve(problem, Exhaustive(), n_best=n_best, throw=False)
        found = solve(problem, Toulbar2(), n_best=n_best, throw=False)
        assert found.status is truth.status
        np.testing.assert_array_equal(found.labels, truth.labels)


def test_nothing_is_allowed_together() -> None:
    far = [Candidates([[100.0 * part, 0]], [0]) for part in range(3)]
    problem = Problem(Topology("abc", [(0, 1), (1, 2), (0, 2)]), far, [Barrier()] * 3)
    assert solve(problem, Toulbar2(), throw=False).status is Status.NOT_FINITE


# -- numbers -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e9])
def test_one_huge_score_takes_no_digits_from_the_others(scale: float) -> None:
    for seed in range(4):
        problem = ring(seed, 5, parts=4)
        own = list(problem.candidates)
        scores = own[0].scores * scale
        scores[2] = -1e30
        own[0] = Candidates(own[0].positions, scores)
        problem = attrs.evolve(problem, candidates=tuple(own))
        assert_same(solve(problem, Toulbar2(), n_best=2), solve(problem, Exhaustive(), n_best=2))


def test_what_differs_by_the_last_bit_is_told_apart() -> None:
    """toulbar2's whole numbers are equal there, so that ties are listed and decided in float64."""
    problem = ring(0, 4, parts=3)
    first = problem.candidates[0]
    positions = np.repeat(first.positions[:1], 4, axis=0)
    scores = np.array([1.0, 1.0, np.nextafter(1.0, 2.0), 1.0])
    problem = attrs.evolve(problem, candidates=(Candidates(positions, scores), *problem.candidates[1:]))
    assert_same(solve(problem, Toulbar2()), solve(problem, Exhaustive()))


@settings(deadline=None)
@given(strategies.problems(graph=strategies.graphs(max_parts=4)))
def test_costs_are_scores_within_their_resolution(problem: Problem) -> None:
    labels = [np.arange(size) for size in problem.sizes]
    tables = Tables.of(problem, labels)
    least = float(solve(problem, Exhaustive()).scores[0])
    for reach in (least, -np.inf):
        costs = Costs.of(tables, reach)
        every = np.stack(np.meshgrid(*labels, indexing="ij"), -1).reshape(-1, len(labels))
        columns = [(part,) for part in range(len(labels))] + list(tables.links)
        total = sum(
            costs.table(index)[tuple(every[:, part] for part in scope)] for index, scope in enumerate(columns)
        )
        scores = problem.score(every)
        assert (total[scores >= max(reach, -1e300)] <= costs.most).all()
        assert costs.most * 2 < 2**53
        near = total <= costs.most
        margin = costs.resolution + tables.rounding(least if reach == -np.inf else reach)
        margin += 0 if reach > -np.inf else tables.rounding(scores[np.isfinite(scores)].min())
        expected = tables.tops.sum() - total[near] / costs.scale
        assert (abs(expected - scores[near]) <= margin).all()


@pytest.mark.parametrize("scale", [0.25, 1.0, 16.0])
def test_bounds_allow_for_the_rounding_of_coarse_costs(scale: float) -> None:
    problem = ring(3, 4)
    tables = Tables.of(problem, [np.arange(4)] * 5)
    costs = attrs.evolve(Costs.of(tables, -np.inf), scale=scale, most=10**9)
    every = np.stack(np.meshgrid(*tables.labels, indexing="ij"), -1).reshape(-1, 5)
    scopes = [(part,) for part in range(5)] + list(tables.links)
    total = sum(costs.table(k)[tuple(every[:, part] for part in scope)] for k, scope in enumerate(scopes))
    assert all(
        costs.upper_bound(cost) >= score for cost, score in zip(total, problem.score(every), strict=True)
    )


# -- limits --------------------------------------------------------------------------------------------------------


@attrs.frozen(eq=False)
class Noise(Pairwise):
    """Scores between -1 and 0 without any order, which no bound tells apart."""

    def evaluate(self, x, y):
        return -abs(np.sin(1e4 * (x * y).sum(-1)))

    def bounds(self, *boxes):
        shape = np.broadcast_shapes(*(box.shape[:-1] for box in boxes))
        return Interval(-np.ones(shape), np.zeros(shape))


def hard() -> Problem:
    """Too many loops to be solved in a second."""
    rng = np.random.default_rng(3)
    edges = [(i, j) for i in range(14) for j in range(i)]
    own = [Candidates(rng.normal(size=(40, 3)), np.zeros(40)) for _ in range(14)]
    return Problem(Topology(map(str, range(14)), edges), own, [Noise()] * len(edges))


def test_a_limit_of_time_leaves_a_configuration_and_toulbar2s_bound() -> None:
    problem = hard()
    found = solve(problem, Toulbar2(max_seconds=1))
    assert (found.status, found.stats["limit"]) == (Status.WORK_LIMIT, "max_seconds")
    assert found.scores[0] < found.upper_bound < 0  # 0: every term at its best
    assert solve(ring(0, 5), Toulbar2()).status is Status.OPTIMAL  # the timer does not outlive its run


def test_too_many_pairs_are_not_searched() -> None:
    problem = ring(1, 20, parts=4, weight=1e-6)
    found = solve(problem, Toulbar2(easy_pairs=1, max_pairs=1))
    truth = solve(problem, Exhaustive())
    assert found.scores[0] <= truth.scores[0] <= found.upper_bound
    assert found.stats["limit"] in (None, "max_pairs")
    found = solve(hard(), Toulbar2(max_pairs=1))
    assert (found.status, found.stats["limit"]) == (Status.WORK_LIMIT, "max_pairs")


def test_more_ties_than_are_listed_are_no_proof() -> None:
    own = Candidates(np.zeros((5, 2)), np.zeros(5))
    problem = Problem(
        Topology("abc", [(0, 1), (1, 2), (2, 0)]), [own] * 3, [Quadratic([1.0, 1], [0.0, 0])] * 3
    )
    found = solve(problem, Toulbar2(max_solutions=20))
    assert (found.status, found.stats["limit"]) == (Status.WORK_LIMIT, "max_solutions")
    assert_same(solve(problem, Toulbar2(max_solutions=126)), solve(problem, Exhaustive()))


def test_the_heuristic_says_that_it_is_one() -> None:
    lost = 0
    for seed in range(8):
        problem, options = ring(seed, 30, parts=4), Toulbar2(easy_pairs=10**6, keep=4)
        found, truth = solve(problem, options), solve(problem, Exhaustive())
        assert found.status is Status.CONVERGED
        assert found.stats["candidates_dropped"] == 4 * 26
        assert found.scores[0] <= truth.scores[0] <= found.upper_bound
        lost += found.scores[0] < truth.scores[0]
    assert lost  # it does lose the best configuration here
    assert_same(solve(problem, attrs.evolve(options, keep=30)), truth)


@pytest.mark.parametrize(
    "options", [{"max_pairs": 0}, {"max_seconds": 0.0}, {"keep": 0}, {"max_solutions": 0}]
)
def test_options_are_checked(options: dict) -> None:
    with pytest.raises(ValueError, match=next(iter(options))):
        Toulbar2(**options)


# -- processes, threads, packages ------------------------------------------------------------------------------------


def test_threads_take_turns() -> None:
    problems = [ring(seed, 8, parts=3) for seed in range(6)]
    with ThreadPoolExecutor(3) as pool:
        together = solve_many(problems, "toulbar2", executor=pool)
    for problem, found in zip(problems, together, strict=True):
        assert_same(found, solve(problem, Exhaustive()))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes do not fork here")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_process_solves_too() -> None:
    solve(ring(0, 4), Toulbar2())
    child = os.fork()
    if child == 0:
        os._exit(0 if solve(ring(0, 4), Toulbar2()).status is Status.OPTIMAL else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_a_missing_package_is_named_in_one_line(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "pytoulbar2", None)
    with pytest.raises(MissingPackageError, match=r"pip install pytoulbar2$") as error:
        network._imported()
    assert "\n" not in str(error.value)


def test_it_is_found_by_name() -> None:
    assert plugins.get("solver", "toulbar2") is Toulbar2
