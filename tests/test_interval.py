import operator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from partgraph import Interval, arrays
from partgraph.testing import strategies

UNARY = {
    "neg": operator.neg,
    "abs": abs,
    "square": lambda x: x**2,
    "cube": lambda x: x**3,
    "fourth": lambda x: x**4,
    "sqrt": lambda x: arrays.sqrt(abs(x)),
    "exp": lambda x: arrays.exp(x / 10),
    "log": lambda x: arrays.log(abs(x) + 1),
    "sum": lambda x: x.sum(-1),
    "reciprocal": lambda x: 1 / (1 + x**2),
    "robust": lambda x: -arrays.minimum((x**2).sum(-1), 5.0),
    "hinge": lambda x: arrays.maximum(0.0, 1 - x),
    "product": lambda x: x[..., 0] * x[..., 1],
}
BINARY = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "div": lambda x, y: x / (1 + abs(y)),
    "min": arrays.minimum,
    "max": arrays.maximum,
}


@pytest.mark.parametrize("name", UNARY)
@given(data=st.data())
def test_every_value_is_inside(name, data):
    function = UNARY[name]
    box = data.draw(strategies.boxes(limit=50))
    inner = data.draw(strategies.sub_boxes(box=box))
    value, wide, narrow = function(inner.lo), function(box), function(inner)
    assert np.all(wide.contains(value))
    assert np.all(narrow.contains(value))
    assert np.all(wide.contains(narrow)), "a smaller box has wider bounds"


@pytest.mark.parametrize("name", BINARY)
@given(data=st.data())
def test_every_value_of_two_is_inside(name, data):
    function = BINARY[name]
    x, y = data.draw(strategies.boxes()), data.draw(strategies.boxes())
    a, b = data.draw(strategies.points_in(box=x)), data.draw(strategies.points_in(box=y))
    value = function(a, b)
    for bounds in (function(x, y), function(x, b), function(a, y)):
        assert np.all(bounds.contains(value))


@pytest.mark.parametrize(
    ("name", "lo", "hi", "expected"),
    [
        ("square", -2, 3, (0, 9)),
        ("square", 1, 3, (1, 9)),
        ("square", -3, -1, (1, 9)),
        ("abs", -2, 3, (0, 3)),
        ("abs", -3, -2, (2, 3)),
        ("neg", -2, 3, (-3, 2)),
        ("hinge", -1, 3, (0, 2)),
    ],
)
def test_ranges_are_exact(name, lo, hi, expected):
    result = UNARY[name](Interval(np.array([float(lo)]), np.array([float(hi)])))
    assert (result.lo[0], result.hi[0]) == expected


def test_hull_is_the_box_of_points():
    box = Interval.hull(np.array([[1.0, 5], [2, 3], [0, 4]]))
    assert (box.lo.tolist(), box.hi.tolist(), box.shape) == ([0, 3], [2, 5], (2,))


def test_a_divisor_with_zero_is_refused():
    with pytest.raises(ZeroDivisionError, match="contains zero"):
        1 / Interval(np.array([-1.0]), np.array([1.0]))


@pytest.mark.parametrize("exponent", [0, -1, 0.5])
def test_other_powers_are_refused(exponent):
    with pytest.raises(ValueError, match="whole number"):
        Interval(np.zeros(1), np.ones(1)) ** exponent


def test_numbers_and_arrays_stand_for_single_points():
    x = Interval(np.array([1.0, 2]), np.array([3.0, 4]))
    for other in (2.0, np.float64(2), np.array([2.0, 2])):
        for result in (x - other, -(other - x), x + -other, (2 * x - 2 * other) / 2):
            assert (result.lo.tolist(), result.hi.tolist()) == ([-1, 0], [1, 2])
