"""The compiled kernel by itself: spatial order, bounds, instruction sets, NaN and infinity."""

from __future__ import annotations

from collections.abc import Iterable

import attrs
import numpy as np
import pytest
from generated import FLAVOURS, all_scores, cloud_star, star_marginals, star_problem
from hypothesis import given, settings
from hypothesis import strategies as st
from partgraph_solvers import _star
from partgraph_solvers.compiled import BlockSet, CompiledStar
from partgraph_solvers.stars import star_of

from partgraph import Candidates


@pytest.mark.parametrize("count", [1, 63, 64, 65, 128, 1000, 8000])
@pytest.mark.parametrize("dim", [1, 2, 3])
def test_spatial_order_is_a_permutation(count: int, dim: int) -> None:
    points = np.random.default_rng(count).normal(size=(count, dim))
    np.testing.assert_array_equal(np.sort(_star.spatial_order(points)), np.arange(count))


def test_spatial_order_finds_the_blocks_of_a_grid() -> None:
    """On a grid of 20 x 20 x 20 with moved points, blocks are about 4 x 4 x 4 cells."""
    rng = np.random.default_rng(0)
    grid = np.stack(np.meshgrid(*[np.arange(20.0)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    points = grid + rng.uniform(-0.4, 0.4, grid.shape)
    blocks = points[_star.spatial_order(points)].reshape(-1, 64, 3)
    assert np.ptp(blocks, axis=1).max() < 4.8


@pytest.mark.parametrize("points", [np.zeros((300, 3)), np.array([[0.0, 0.0]] * 200 + [[1e300, -1e300]])])
def test_spatial_order_of_degenerate_points(points: np.ndarray) -> None:
    np.testing.assert_array_equal(np.sort(_star.spatial_order(points)), np.arange(len(points)))


def test_spatial_order_of_many_axes() -> None:
    """Sorted along the three longest axes, blocks are small in space."""
    points = np.random.default_rng(0).normal(size=(4000, 5)) * [1, 1e-3, 1, 1, 1e-3]
    order = _star.spatial_order(points)
    np.testing.assert_array_equal(np.sort(order), np.arange(4000))
    blocks = points[order][:3968].reshape(-1, 64, 5)
    assert np.ptp(blocks, axis=1)[:, [0, 2, 3]].mean() < 0.5 * np.ptp(points[:64], axis=0)[[0, 2, 3]].mean()


def test_points_that_come_in_blocks_keep_their_order() -> None:
    """Nothing is sorted where runs of 64 are close together already, or where a known order does as well."""
    rng = np.random.default_rng(0)
    grid = np.stack(np.meshgrid(*[np.arange(16.0)] * 3, indexing="ij"), axis=-1)
    cubes = grid.reshape(4, 4, 4, 4, 4, 4, 3).transpose(0, 2, 4, 1, 3, 5, 6).reshape(-1, 3)
    np.testing.assert_array_equal(_star.spatial_order(np.ascontiguousarray(cubes)), np.arange(4096))
    rows = grid.reshape(-1, 3)
    order = _star.spatial_order(rows)
    moved = rows + rng.uniform(-0.4, 0.4, rows.shape)
    np.testing.assert_array_equal(_star.spatial_order(moved, order), order)
    other = _star.spatial_order(rng.permutation(rows), order)
    assert (other != order).any()
    assert len(_star.spatial_order(rows[:-1], order)) == len(rows) - 1
    for side in (16, 20, 24, 32):  # whatever the rows' length
        rows = np.stack(np.meshgrid(*[np.arange(float(side))] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
        known = _star.spatial_order(rows)
        assert np.shares_memory(_star.spatial_order(rows + rng.uniform(-0.4, 0.4, rows.shape), known), known)


def solve_with(problem, n_best: int, instruction_set: str | None = None, pulls=None, max_blocks: int = -1):
    state = CompiledStar.of(problem, star_of(problem.graph), BlockSet())
    scores = state.blocked_scores(problem)
    slots = {part: k for k, part in enumerate(state.parts)}
    own = [None] * len(slots) if pulls is None else [pulls[part] for part in sorted(slots, key=slots.get)]
    return state.star.solve(scores, own, n_best, max_blocks, instruction_set)


@pytest.mark.parametrize("flavour", FLAVOURS)
def test_instruction_sets_agree_to_the_last_bit(flavour: str) -> None:
    assert _star.instruction_sets()[-1] == "baseline"
    for seed in range(25):
        problem = star_problem(seed, flavour=flavour)
        first, *others = (solve_with(problem, 5, name) for name in _star.instruction_sets())
        for other in others:
            np.testing.assert_array_equal(first[0], other[0])
            np.testing.assert_array_equal(first[1], other[1])
            assert first[2:] == other[2:]


@pytest.mark.parametrize("flavour", FLAVOURS)
def test_bounds_are_never_below_the_maximum(flavour: str) -> None:
    """Stopped after any number of blocks, the search has a bound that holds."""
    for seed in range(40):
        problem = star_problem(seed, flavour=flavour)
        optimum = all_scores(problem).max()
        rounding = 1e-12 * (1 + abs(optimum)) + 1e-14 * sum(
            np.abs(own.positions).max() for own in problem.candidates
        )
        for limit in range(5):
            _, values, bound, proven, *_ = solve_with(problem, 1, max_blocks=limit)
            assert bound >= optimum - rounding if proven else bound >= optimum
            assert values[0] <= optimum + rounding


@pytest.mark.parametrize("flavour", ["plain", "anchors", "metres", "forbidden"])
def test_absorbed_multipliers_and_penalties(flavour: str) -> None:
    """Completing the square gives the maximum of the scores with both terms added."""
    rng = np.random.default_rng(7)
    for seed in range(40):
        problem = star_problem(seed, flavour=flavour)
        pulls, total = [], all_scores(problem)
        for part, own in enumerate(problem.candidates):
            if rng.random() < 0.3:
                pulls.append(None)
                continue
            slope, center = rng.normal(size=(2, problem.dimensions))
            h = float(rng.choice([0.0, 0.1, 5.0]))
            pulls.append((slope, h, center))
            extra = own.positions @ slope - h * ((own.positions - center) ** 2).sum(1)
            total = total + extra.reshape([-1 if axis == part else 1 for axis in range(total.ndim)])
        labels, values, _, proven, *_ = solve_with(problem, 3, pulls=pulls)
        flat = np.sort(total.ravel())[::-1]
        flat = flat[np.isfinite(flat)][:3]
        np.testing.assert_allclose(values[: len(flat)], flat, rtol=1e-11, atol=1e-9)
        np.testing.assert_allclose(total[tuple(labels.T)], values, rtol=1e-11, atol=1e-9)
        assert proven


def test_infinity_and_nan_keep_their_meaning() -> None:
    """Forbidden candidates never win, and NaN is not smaller or larger than anything: no fast mathematics."""
    positions = np.random.default_rng(0).normal(size=(200, 3))
    blocks = _star.Blocks(positions, _star.spatial_order(positions))
    star = _star.Star(0, blocks)
    for scores, best in ((np.full(200, -np.inf), None), (np.where(np.arange(200) == 77, 1.0, -np.inf), 77)):
        labels, _, bound, *_ = star.solve([_star.Scores(scores, blocks)], [None], 1, -1)
        assert (len(labels), bound) == (0, -np.inf) if best is None else (labels[0, 0], bound) == (best, 1.0)
    scores = np.zeros(200)
    scores[33], scores[44] = np.nan, 2.0
    labels, values, *_ = star.solve([_star.Scores(scores, blocks)], [None], 1, -1)
    assert labels[0, 0] == 44
    assert values[0] == 2.0


def test_best_centers_are_the_conditional_maxima() -> None:
    for seed in range(40):
        problem = star_problem(seed, flavour="grid" if seed % 2 else "anchors")
        star = star_of(problem.graph)
        state = CompiledStar.of(problem, star, BlockSet())
        rng = np.random.default_rng(seed)
        labels = np.array([rng.choice(np.flatnonzero(np.isfinite(own.scores))) for own in problem.candidates])
        found = state.star.best_centers(state.blocked_scores(problem)[0], labels.astype(np.int32), 6)
        index = [slice(None) if part == star.center else labels[part] for part in range(len(labels))]
        total = all_scores(problem)[tuple(index)]
        own = sum(problem.candidates[part].scores[labels[part]] for part in star.leaves)
        expected = np.argsort(-total, kind="stable")[:6]
        expected = expected[np.isfinite(total[expected])]
        assert [label for label, _ in found] == expected.tolist()
        np.testing.assert_allclose([value for _, value in found], total[expected] - own, atol=1e-9)


def test_wrong_lengths_are_refused() -> None:
    points = np.zeros((5, 2))
    with pytest.raises(ValueError, match="5 points, but an order of 4"):
        _star.Blocks(points, np.arange(4, dtype=np.int32))
    blocks = _star.Blocks(points, np.arange(5, dtype=np.int32))
    with pytest.raises(ValueError, match="3 scores for 5 candidates"):
        _star.Scores(np.zeros(3), blocks)
    with pytest.raises(ValueError, match="one entry"):
        _star.Star(0, blocks).solve([], [], 1, -1)


@pytest.mark.parametrize("flavour", FLAVOURS)
def test_marginals_above_a_threshold(flavour: str) -> None:
    """No label of a configuration above the threshold is left out, and every value is the maximum with that label."""
    for seed in range(40):
        problem = star_problem(seed, flavour=flavour)
        total = all_scores(problem)
        state = CompiledStar.of(problem, star_of(problem.graph), BlockSet())
        scores = state.blocked_scores(problem)
        finite = np.sort(total[np.isfinite(total)])
        for threshold in (finite[-1], finite[len(finite) // 2], finite[0], finite[-1] + 1.0):
            found = state.star.marginals(scores, [None] * len(scores), threshold)
            for part, (labels, values) in zip(state.parts, found, strict=True):
                most = total.max(axis=tuple(axis for axis in range(total.ndim) if axis != part))
                rounding = 1e-9 * (
                    1 + np.abs(finite).max() + np.abs(problem.candidates[part].positions).max()
                )
                assert set(np.flatnonzero(most >= threshold + rounding)) <= set(labels)
                assert set(labels) <= set(np.flatnonzero(most >= threshold - rounding))
                np.testing.assert_allclose(values, most[labels], rtol=0, atol=rounding)


class Shuffled(BlockSet):
    """Orders that have nothing to do with positions: they cost time, and must not change an answer."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self._rng = np.random.default_rng(seed)

    def add(self, parts: Iterable[np.ndarray]) -> None:
        """Leave them to `_order`."""

    def _order(self, positions: np.ndarray) -> np.ndarray:
        known = self._orders.setdefault(
            id(positions), (positions, self._rng.permutation(len(positions)).astype(np.int32))
        )
        return known[1]


@settings(deadline=None)
@given(seed=st.integers(0, 10_000), flavour=st.sampled_from(FLAVOURS), shuffled=st.booleans())
def test_no_prune_removes_an_optimum(seed: int, flavour: str, shuffled: bool) -> None:
    """Whatever the blocks, every label of every best configuration survives a threshold at the best score."""
    problem = star_problem(seed, flavour=flavour)
    total = all_scores(problem)
    best = total.max()
    rounding = 1e-12 * (1 + abs(best) + sum(np.abs(own.positions).max() for own in problem.candidates))
    blocks = Shuffled(seed) if shuffled else BlockSet()
    state = CompiledStar.of(problem, star_of(problem.graph), blocks)
    scores = state.blocked_scores(problem)
    labels, values, bound, proven, *_ = state.star.solve(scores, [None] * len(scores), 1, -1)
    assert proven
    np.testing.assert_allclose([values[0], bound], best, rtol=0, atol=rounding)
    assert total[tuple(labels[0])] >= best - rounding
    found = state.star.marginals(scores, [None] * len(scores), best)
    optimal = np.argwhere(total == best)
    for part, (kept, own) in zip(state.parts, found, strict=True):
        assert set(optimal[:, part]) <= set(kept.tolist())
        np.testing.assert_allclose(own, best, rtol=0, atol=100 * rounding)


@pytest.mark.parametrize("scale", [1.0, 1000.0])
@pytest.mark.parametrize("away", [0.0, 1e4, 1e7])
@pytest.mark.parametrize("ties", [False, True])
def test_marginals_and_maximum_over_many_blocks(scale: float, away: float, ties: bool) -> None:
    """Twenty blocks a part, in metres and millimetres, far from the origin, with duplicates and near ties."""
    for seed in range(4):
        problem = cloud_star(seed, scale=scale, away=away, ties=ties)
        expected = star_marginals(problem)
        best = expected[0].max()
        # A coordinate near x is a multiple of about u x; a difference d of weight w errs by 2 w d u x.
        rounding = 1e-9 + 1e-13 * 40 * (1 + away)
        state = CompiledStar.of(problem, star_of(problem.graph), BlockSet())
        scores = state.blocked_scores(problem)
        _, values, bound, proven, *_ = state.star.solve(scores, [None] * len(scores), 20, -1)
        assert proven
        np.testing.assert_allclose([values[0], bound], best, rtol=0, atol=rounding)
        for name in _star.instruction_sets():
            _, same, *_ = state.star.solve(scores, [None] * len(scores), 20, -1, name)
            np.testing.assert_array_equal(same, values)
        for gap in (0.0, 0.5, 5.0):
            found = state.star.marginals(scores, [None] * len(scores), best - gap)
            for part, (labels, own) in zip(state.parts, found, strict=True):
                assert set(np.flatnonzero(expected[part] >= best - gap + rounding)) <= set(labels.tolist())
                assert (expected[part][labels] >= best - gap - rounding).all()
                np.testing.assert_allclose(own, expected[part][labels], rtol=0, atol=rounding)
                assert (np.diff(labels) > 0).all()


def test_memory_is_used_again_without_traces() -> None:
    """What earlier problems of the same sizes left behind is never read."""
    problem = cloud_star(0, scale=1.0, away=0.0, ties=False)
    first = solve_with(problem, 5)
    for rubbish in (np.inf, np.nan, 1e300):
        spoilt = attrs.evolve(
            problem,
            candidates=[
                Candidates(np.full_like(own.positions, rubbish), np.full_like(own.scores, rubbish))
                for own in problem.candidates
            ],
        )
        state = CompiledStar.of(spoilt, star_of(problem.graph), BlockSet())
        state.blocked_scores(spoilt)
        del state
        again = solve_with(problem, 5)
        np.testing.assert_array_equal(first[0], again[0])
        np.testing.assert_array_equal(first[1], again[1])
