"""The compiled kernel by itself: spatial order, bounds, instruction sets, NaN and infinity."""

from __future__ import annotations

import numpy as np
import pytest
from generated import FLAVOURS, all_scores, star_problem
from partgraph_solvers import _star
from partgraph_solvers.compiled import BlockSet, CompiledStar
from partgraph_solvers.stars import star_of


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
