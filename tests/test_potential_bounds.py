"""Bounds of the built-in potentials: they hold every value in boxes of any size, and are the exact range."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from partgraph import FullQuadratic, Interval, Mixture, Visibility, arrays
from partgraph.potentials import quadratic_form
from partgraph.testing import families, strategies

EVERY = [*families.PAIRWISES, *families.UNARIES]
every = pytest.mark.parametrize("cls", EVERY, ids=lambda cls: cls.__name__)


@every
@pytest.mark.parametrize("dim", [1, 2, 3])
@given(data=st.data())
def test_bounds_hold_every_value_in_boxes_of_any_size(cls, dim, data):
    term = data.draw(families.instances(cls, dim=dim))
    boxes = [data.draw(strategies.extreme_boxes(dim=dim)) for _ in range(term.arity)]
    points = [data.draw(strategies.points_in(box=box)) for box in boxes]
    assert term.bounds(*boxes).contains(term.evaluate(*points))


@every
@given(data=st.data())
def test_bounds_of_tensors_hold_the_values_of_tensors(cls, data):
    torch = pytest.importorskip("torch")
    term = arrays.map_arrays(torch.tensor, data.draw(families.instances(cls)))
    boxes = [data.draw(strategies.boxes()) for _ in range(term.arity)]
    points = [torch.tensor(data.draw(strategies.points_in(box=box))) for box in boxes]
    bounds = term.bounds(*(Interval(torch.tensor(box.lo), torch.tensor(box.hi)) for box in boxes))
    assert bool(bounds.contains(term.evaluate(*points)))


def best(function, box):
    """The highest value that nested grids find in a box (2,), each around the best point so far.

    They shrink slowly, so that they can move along a narrow ridge that runs across the axes, and a narrow peak that a
    fine grid has met is not lost by a coarser one.
    """
    lo, hi = box.lo, box.hi
    highest, at = -np.inf, lo
    for level in range(60):
        axes = [np.linspace(lo[d], hi[d], 33 if level else 257) for d in range(2)]
        points = np.stack(np.meshgrid(*axes, indexing="ij"), -1).reshape(-1, 2)
        values = function(points)
        if values.max() > highest:
            highest, at = values.max(), points[values.argmax()]
        width = (hi - lo) / 3
        lo, hi = np.maximum(at - width, box.lo), np.minimum(at + width, box.hi)
    return highest


def of_displacement(term):
    """A pairwise term as a function of y - x, which all of the built-in ones are."""
    return lambda e: term.evaluate(np.zeros(2), e)


@given(data=st.data())
def test_bounds_of_visibility_are_attained(data):
    """By the nearest and the farthest point of the box: the field of view may be narrower than any grid."""
    term, box = data.draw(families.instances(Visibility, dim=2)), data.draw(strategies.boxes(dim=2, limit=5))
    near = np.clip(np.clip(box.lo, term.lo, term.hi), box.lo, box.hi)
    ends = np.stack([box.lo, box.hi])
    outside = np.maximum(np.maximum(term.lo - ends, ends - term.hi), 0)
    far = np.where(outside[0] > outside[1], box.lo, box.hi)
    bounds, attained = term.bounds(box), np.sort(term.evaluate(np.stack([near, far])))
    np.testing.assert_allclose([bounds.lo, bounds.hi], attained, atol=1e-9)


GRIDDED = [cls for cls in EVERY if cls not in (Mixture, Visibility)]


@pytest.mark.parametrize("cls", GRIDDED, ids=lambda cls: cls.__name__)
@given(data=st.data())
def test_bounds_are_attained(cls, data):
    term = data.draw(families.instances(cls, dim=2))
    box = data.draw(strategies.boxes(dim=2, limit=5))
    if term.arity == 1:
        bounds, score = term.bounds(box), term.evaluate
    else:
        other = data.draw(strategies.boxes(dim=2, limit=5))
        bounds, score = term.bounds(other, box), of_displacement(term)
        box = box - other
    slack = 1e-5 * (1 + abs(bounds.lo) + abs(bounds.hi))
    assert bounds.hi - best(score, box) <= slack
    assert best(lambda e: -score(e), box) + bounds.lo >= -slack


@given(data=st.data())
def test_the_upper_bound_of_a_mixture_is_attained_by_a_mode(data):
    term = data.draw(families.instances(Mixture, dim=2))
    x, y = (data.draw(strategies.boxes(dim=2, limit=5)) for _ in range(2))
    found = [best(of_displacement(mode), y - x) for mode in term.modes]
    assert term.bounds(x, y).hi == pytest.approx(max(found + term.bias), rel=1e-6, abs=1e-4)


def descend(matrix, box, sweeps=3000):
    """The minimum of a quadratic form over a box, by minimising along one axis after the other."""
    e = (box.lo + box.hi) / 2
    for _, d in itertools.product(range(sweeps), range(len(e))):
        along = -(matrix[d] @ e - matrix[d, d] * e[d]) / matrix[d, d]
        e[d] = np.clip(along, box.lo[d], box.hi[d])
    return quadratic_form.value(matrix, e)


@pytest.mark.parametrize("dim", [1, 2, 3, 4])
def test_the_range_of_a_quadratic_form_is_exact(dim, rng):
    for _ in range(10):
        factor = rng.normal(0, 1, (dim, dim))
        matrix = factor @ factor.T + 0.05 * np.eye(dim)
        box = Interval.hull(rng.normal(rng.normal(0, 3, dim), 3, (2, dim)))
        corners = np.array(list(itertools.product(*zip(box.lo, box.hi, strict=True))))
        bounds = quadratic_form.bounds(matrix, box)
        np.testing.assert_allclose(bounds.lo, descend(matrix, box), rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(bounds.hi, quadratic_form.value(matrix, corners).max(), rtol=1e-12)


def test_the_bounds_of_a_correlated_term_beat_interval_arithmetic():
    # The best displacement is (3, 3), far outside; the correlation makes the corner (1, 1) almost as good.
    term = FullQuadratic([[1.0, -0.99], [-0.99, 1.0]], [3.0, 3.0])
    point, box = Interval.of(np.zeros(2)), Interval(-np.ones(2), np.ones(2))
    own, naive = term.bounds(point, box), term.evaluate(point, box)
    assert own.hi == pytest.approx(-0.04)
    assert naive.lo < own.lo
    assert naive.hi > 5
