"""Branch and bound against brute force, and its limits, refusals and re-use."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import attrs
import numpy as np
import pytest
from generated import FLAVOURS, all_scores, brute_force, star_problem
from partgraph_solvers import BranchAndBound

from partgraph import (
    Candidates,
    EuclideanLoss,
    Interval,
    Linear,
    Pairwise,
    Problem,
    Proximal,
    Quadratic,
    SolveError,
    Status,
    Topology,
    UnsupportedProblemError,
    solve,
)  # fmt: skip


@attrs.frozen(eq=False)
class TruncatedDistance(Pairwise):
    """A potential that is not quadratic: a distance that stops to matter at a limit."""

    limit: float

    def evaluate(self, x, y):
        return -_least(abs(y - x).sum(-1), self.limit)


def _least(value, limit):
    return value.minimum(limit) if isinstance(value, Interval) else np.minimum(value, limit)


@attrs.frozen(eq=False)
class Hidden(Pairwise):
    base: Pairwise

    def evaluate(self, x, y):
        return self.base.evaluate(x, y)


def hide(problem: Problem) -> Problem:
    return attrs.evolve(problem, pairwise=tuple(map(Hidden, problem.pairwise)))


def check(problem: Problem, n_best: int, solver: BranchAndBound, *, labels: bool) -> None:
    expected, scores = brute_force(problem, n_best)
    found = solve(problem, solver, n_best=n_best)
    scale = 1 + np.abs(scores).max() + sum(np.abs(own.positions).max() for own in problem.candidates)
    np.testing.assert_allclose(found.scores, scores, rtol=0, atol=1e-12 * scale)
    assert len(np.unique(found.labels, axis=0)) == len(scores)
    assert found.status is Status.OPTIMAL
    assert found.upper_bound == found.scores[0]
    if labels:
        np.testing.assert_array_equal(found.labels, expected)


@pytest.mark.parametrize("flavour", FLAVOURS)
@pytest.mark.parametrize("n_best", [1, 2, 20])
def test_generated_stars(flavour: str, n_best: int) -> None:
    for seed in range(40):
        # Labels are compared where scores are exact in any order of summation.
        check(star_problem(seed, flavour=flavour), n_best, BranchAndBound(), labels=flavour == "grid")


@pytest.mark.parametrize("flavour", FLAVOURS)
def test_the_path_over_bounds_gives_the_same_answers(flavour: str) -> None:
    for seed in range(25):
        problem = star_problem(1000 + seed, flavour=flavour, most=100)
        compiled, generic = (solve(p, BranchAndBound(), n_best=7) for p in (problem, hide(problem)))
        np.testing.assert_array_equal(compiled.labels, generic.labels)
        np.testing.assert_array_equal(compiled.scores, generic.scores)
        assert generic.status is Status.OPTIMAL


def test_other_potentials() -> None:
    for seed in range(40):
        problem = star_problem(seed, flavour="anchors", most=100)
        problem = attrs.evolve(problem, pairwise=tuple(TruncatedDistance(5.0) for _ in problem.pairwise))
        found = solve(problem, BranchAndBound(), n_best=3)
        labels = np.stack(np.unravel_index(np.arange(np.prod(problem.sizes)), problem.sizes), axis=-1)
        scores = np.sort(problem.score(labels))[::-1]
        np.testing.assert_allclose(found.scores, scores[np.isfinite(scores)][:3], rtol=0, atol=1e-12)


def test_extra_unary_terms_count() -> None:
    for seed in range(40):
        problem = star_problem(seed)
        dim = problem.dimensions
        for part in range(len(problem.sizes)):
            terms = (
                Linear(np.full(dim, 0.3)),
                Proximal(np.ones(dim), 0.2),
                EuclideanLoss(np.zeros(dim), 0.5),
            )
            problem = problem.with_unary(part, *terms[: 1 + part])
        table = [
            Candidates(own.positions, problem.unary_scores(i)) for i, own in enumerate(problem.candidates)
        ]
        plain = attrs.evolve(problem, candidates=table, unary=())
        np.testing.assert_allclose(
            solve(problem, BranchAndBound(), n_best=4).scores, brute_force(plain, 4)[1], atol=1e-10
        )


def test_thousands_of_candidates() -> None:
    rng = np.random.default_rng(5)
    for edges in ([(0, 1)], [(1, 0), (0, 1)]):
        sizes = 1500, 1200
        candidates = [Candidates(rng.uniform(-1, 1, (k, 3)), rng.normal(size=k)) for k in sizes]
        terms = [Quadratic(rng.uniform(5, 50, 3), rng.normal(size=3) / 3) for _ in edges]
        check(Problem(Topology("ab", edges), candidates, terms), 20, BranchAndBound(), labels=True)


def test_everything_ties() -> None:
    """A thousand equal candidates per part: the lowest labels win, and the search ends."""
    parts = [Candidates(np.zeros((1000, 2)), np.zeros(1000)) for _ in "abcd"]
    problem = Problem(Topology("abcd", [(2, 0), (1, 2), (2, 3)]), parts, [Quadratic([1.0, 1], [0.0, 0])] * 3)
    found = solve(problem, BranchAndBound(), n_best=5)
    np.testing.assert_array_equal(found.labels, [[0, 0, 0, k] for k in range(5)])


def test_ties_where_all_numbers_are_zero() -> None:
    """Every rounding margin is zero there, or was: a bound equal to the best score then seemed to miss it."""
    own = [Candidates(np.zeros((size, 2)), np.zeros(size)) for size in (3, 2, 1)]
    term = Quadratic([1, 1], [0, 0])
    problem = Problem(Topology("abc", [(1, 0), (1, 2)]), own, [term, term])
    found = solve(problem, BranchAndBound(), n_best=3)
    assert found.labels.tolist() == [[0, 0, 0], [0, 1, 0], [1, 0, 0]]
    marginals = BranchAndBound().marginals(problem, 0.0)
    assert [part.labels.tolist() for part in marginals] == [[0, 1, 2], [0, 1], [0]]


def test_a_far_outlier_among_candidates() -> None:
    rng = np.random.default_rng(0)
    positions = rng.normal(size=(500, 2))
    positions[17] = 1e9
    parts = [
        Candidates(positions, rng.normal(size=500)),
        Candidates(rng.normal(size=(300, 2)), rng.normal(size=300)),
    ]
    check(
        Problem(Topology("ab", [(0, 1)]), parts, [Quadratic([1.0, 2], [0.1, 0])]),
        5,
        BranchAndBound(),
        labels=True,
    )


@pytest.mark.parametrize("wrap", [lambda problem: problem, hide], ids=["compiled", "generic"])
def test_limit_gives_the_best_found_and_a_valid_bound(wrap) -> None:
    for seed in range(30):
        problem = wrap(star_problem(seed, leaves=1, flavour="metres", most=400))
        optimum = solve(problem, BranchAndBound()).scores[0]
        for limit in range(4):
            found = solve(problem, BranchAndBound(max_blocks=limit), n_best=2)
            assert found.scores[0] <= optimum <= found.upper_bound + 1e-12
            assert found.status is (Status.OPTIMAL if found.gap == 0 else Status.WORK_LIMIT)
            assert found.stats["blocks_opened"] <= limit


def test_the_limit_must_make_sense() -> None:
    with pytest.raises(ValueError, match="max_blocks must be at least 0, or None for no limit; found -1"):
        BranchAndBound(max_blocks=-1)


@pytest.mark.parametrize(
    ("edges", "reason"),
    [
        ([(0, 1), (1, 2), (2, 0)], "has a cycle"),
        ([(0, 1), (1, 2), (2, 3)], "no part is coupled with all the others"),
        ([(0, 1)], "falls into several pieces"),
    ],
)
def test_refusals(edges: list[tuple[int, int]], reason: str) -> None:
    parts = "abcd"[: max(map(max, edges)) + (2 if len(edges) == 1 else 1)]
    own = Candidates(np.zeros((2, 3)), np.zeros(2))
    problem = Problem(
        Topology(parts, edges), [own] * len(parts), [Quadratic([1.0] * 3, [0.0] * 3)] * len(edges)
    )
    answer = BranchAndBound().supports(problem)
    assert answer is not None
    assert reason in answer
    assert "Use admm" in answer


def test_state_is_reused_by_other_scores() -> None:
    rng = np.random.default_rng(1)
    for seed in range(10):
        problem = star_problem(seed, flavour="anchors")
        state = BranchAndBound().init(problem)
        for _ in range(4):
            changed = [
                Candidates(own.positions, own.scores + rng.normal(size=len(own)))
                for own in problem.candidates
            ]
            other = attrs.evolve(problem, candidates=changed)
            reused, fresh = (solve(other, BranchAndBound(), n_best=3, state=own) for own in (state, None))
            np.testing.assert_array_equal(reused.labels, fresh.labels)


def test_scores_written_in_place_are_seen() -> None:
    problem = star_problem(3, leaves=1)
    state = BranchAndBound().init(problem)
    solve(problem, BranchAndBound(), state=state)
    problem.candidates[0].scores[-1] = 1e6
    assert solve(problem, BranchAndBound(), state=state).labels[0, 0] == problem.sizes[0] - 1


def test_threads_share_a_state() -> None:
    problem = star_problem(8, leaves=2, most=150)
    state, solver = BranchAndBound().init(problem), BranchAndBound()
    variants = [problem.with_unary(0, Linear(np.full(problem.dimensions, k / 5))) for k in range(24)]
    expected = [solve(own, solver, n_best=3).labels for own in variants]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda own: solve(own, solver, n_best=3, state=state).labels, variants))
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_array_equal(a, b)


# -- everything above a threshold --------------------------------------------------------------------------------------


def thresholds(scores: np.ndarray) -> list[float]:
    """Return thresholds between the distinct scores, where rounding decides nothing."""
    distinct = np.unique(np.round(np.sort(scores[np.isfinite(scores)])[::-1], 6))[::-1]
    middle = (distinct[:-1] + distinct[1:]) / 2
    return [float(distinct[0] + 1.0), *middle[[k for k in (0, 5, 60) if k < len(middle)]], -np.inf]


@pytest.mark.parametrize("flavour", ["plain", "grid", "anchors", "forbidden", "millimetres"])
def test_marginals_are_the_best_scores_with_each_candidate(flavour: str) -> None:
    for seed in range(15):
        problem = star_problem(seed, flavour=flavour, most=60)
        total = all_scores(problem)
        for threshold in thresholds(total):
            found = BranchAndBound().marginals(hide(problem) if seed % 3 == 0 else problem, threshold)
            assert len(found) == len(problem.sizes)
            for part, own in enumerate(found):
                best = total.max(axis=tuple(axis for axis in range(total.ndim) if axis != part))
                expected = np.flatnonzero((best >= threshold) & (best > -np.inf))
                np.testing.assert_array_equal(own.labels, expected)
                np.testing.assert_allclose(own.scores, best[expected], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("flavour", ["plain", "grid", "anchors", "forbidden", "millimetres"])
def test_all_configurations_above_a_threshold(flavour: str) -> None:
    for seed in range(15):
        problem = star_problem(seed, flavour=flavour, most=60)
        plain, solver = problem, BranchAndBound()
        problem = hide(plain) if seed % 3 == 0 else plain
        state = solver.init(problem)
        for threshold in thresholds(all_scores(plain)):
            expected, scores = brute_force(plain, 500)
            above = scores >= threshold
            found = solver.above(problem, threshold, limit=300, state=state)
            complete = above.sum() <= 300
            assert found.status is (Status.OPTIMAL if complete else Status.WORK_LIMIT)
            np.testing.assert_allclose(found.scores, scores[above][:300], rtol=1e-9, atol=1e-9)
            assert found.upper_bound >= threshold or found.upper_bound == found.scores[0]
            np.testing.assert_array_equal(found.scores, problem.score(found.labels))
            assert len(np.unique(found.labels, axis=0)) == len(found.labels)
            if flavour == "grid":  # exact in any order of summation
                np.testing.assert_array_equal(found.labels, expected[above][:300])


def test_nothing_above_a_threshold_is_an_answer() -> None:
    problem = star_problem(4)
    best = solve(problem, BranchAndBound()).scores[0]
    found = BranchAndBound().above(problem, best + 1.0)
    assert found.labels.shape == (0, len(problem.sizes))
    assert (found.upper_bound, found.status) == (best + 1.0, Status.OPTIMAL)
    exactly = BranchAndBound().above(problem, best)
    assert exactly.scores[0] == best


def test_thresholds_that_cannot_be_used_are_refused() -> None:
    problem = star_problem(1, leaves=2)
    solver = BranchAndBound()
    with pytest.raises(ValueError, match="threshold must be a number, or -inf for no threshold; found nan"):
        solver.marginals(problem, float("nan"))
    with pytest.raises(ValueError, match="limit must be at least 1; found 0"):
        solver.above(problem, 0.0, limit=0)
    loop = Problem(
        Topology("abc", [(0, 1), (1, 2), (2, 0)]),
        [Candidates([[0.0]], [0.0])] * 3,
        [Quadratic([1.0], [0.0])] * 3,
    )
    with pytest.raises(UnsupportedProblemError, match="the graph has a cycle"):
        solver.marginals(loop, 0.0)
    first, *others = problem.candidates
    broken = attrs.evolve(
        problem, candidates=(Candidates(first.positions, np.full(len(first), np.nan)), *others)
    )
    with pytest.raises(SolveError, match="found NaN"):
        solver.marginals(broken, 0.0)
