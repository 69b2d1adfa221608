import attrs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from partgraph import (
    EuclideanLoss,
    Interval,
    Linear,
    Pairwise,
    ProblemError,
    Proximal,
    Quadratic,
    Scaled,
    arrays,
)
from partgraph.testing import installed, parametrize_with_checks, strategies
from partgraph.testing.examples import scaled


@attrs.frozen(eq=False)
class TruncatedDistance(Pairwise):
    """A potential as users write them: one method."""

    length: float = 10.0
    limit: float = 4.0

    def evaluate(self, x, y):
        distance = arrays.sqrt(((y - x) ** 2).sum(-1))
        return -arrays.minimum((distance - self.length) ** 2, self.limit)


@parametrize_with_checks([*installed("unary"), *installed("pairwise"), *scaled(), TruncatedDistance()])
def test_conformance(subject, check):
    check(subject)


def test_the_offset_points_from_the_first_part_to_the_second():
    term = Quadratic([1.0, 1, 1], [0.0, 0, 10])
    assert term.evaluate(np.zeros(3), np.array([0.0, 0, 10])) == 0
    assert term.evaluate(np.array([0.0, 0, 10]), np.zeros(3)) == -400


@given(st.data())
def test_quadratic_bounds_are_attained(data):
    term = data.draw(strategies.pairwises())
    x, y = data.draw(strategies.boxes()), data.draw(strategies.boxes())
    bounds = term.bounds(x, y)
    # Per axis the best and the worst displacement, by hand.
    lo, hi = y.lo - x.hi, y.hi - x.lo
    best, worst = (
        np.clip(term.offset, lo, hi),
        np.where(abs(lo - term.offset) > abs(hi - term.offset), lo, hi),
    )
    zero = np.zeros(3)
    np.testing.assert_allclose(bounds.hi, term.evaluate(zero, best), rtol=1e-12, atol=1e-9)
    np.testing.assert_allclose(bounds.lo, term.evaluate(zero, worst), rtol=1e-12, atol=1e-9)


@pytest.mark.parametrize(
    ("term", "x", "score"),
    [
        (Linear([1.0, -2, 0]), [3.0, 1, 9], 1.0),
        (Proximal([1.0, 0, 0], 3.0), [3.0, 1, 0], -7.5),
        (EuclideanLoss([0.0, 0, 0], 0.5), [3.0, 4, 0], 2.5),
        (Scaled(-2, Linear([1.0, 0, 0])), [3.0, 0, 0], -6.0),
    ],
)
def test_values_by_hand(term, x, score):
    assert term.evaluate(np.array(x)) == score


def test_scaled_takes_arity_and_tighter_bounds_of_its_base():
    class Tight(Pairwise):
        def evaluate(self, x, y):
            return (x - x + y).sum(-1)

        def bounds(self, *boxes):
            return boxes[1].sum(-1)

    box = Interval(np.zeros(3), np.ones(3))
    bounds = Scaled(-1, Tight()).bounds(box, box)
    assert (Scaled(-1, Tight()).arity, bounds.lo, bounds.hi) == (2, -3, 0)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Quadratic([1.0, 0], [0.0, 0]), r"Quadratic: weight must be positive; found \[1. 0.\]"),
        (
            lambda: Quadratic([1.0], [0.0, 0]),
            r"weight and offset must have the same shape; found \(1,\) and \(2,\)",
        ),
        (
            lambda: Quadratic(1.0, 0.0),
            r"Quadratic: weight must have shape \(D,\), one number per axis; found shape \(\)",
        ),
        (lambda: Proximal([0.0], -1.0), "Proximal: rho must be positive; found -1.0"),
        (lambda: EuclideanLoss([0.0], 0.0), "EuclideanLoss: scale must be positive"),
        (lambda: Linear([[0.0]]), r"Linear: slope must have shape \(D,\)"),
    ],
)
def test_bad_fields_are_refused(make, message):
    with pytest.raises(ProblemError, match=message):
        make()


def test_a_tensor_keeps_its_gradient_through_a_potential():
    torch = pytest.importorskip("torch")
    weight = torch.ones(3, requires_grad=True)
    term = Quadratic(weight, torch.zeros(3))
    term.evaluate(torch.zeros(2, 3), torch.ones(2, 3)).sum().backward()
    assert weight.grad.tolist() == [-2, -2, -2]
