import attrs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from partgraph import (
    BoxPrior,
    Candidates,
    Cauchy,
    EuclideanLoss,
    FullQuadratic,
    GaussianPrior,
    Huber,
    Interval,
    LimbLength,
    Linear,
    Mixture,
    Pairwise,
    Problem,
    ProblemError,
    Proximal,
    Quadratic,
    Scaled,
    Topology,
    Truncated,
    Visibility,
    arrays,
    save_problem,
)
from partgraph.testing import checks_for, families, installed, parametrize_with_checks, strategies
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


EVERY = [*families.PAIRWISES, *families.UNARIES]
CHECKS = list(checks_for(families.instances(Quadratic)))


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__.removeprefix("check_"))
@pytest.mark.parametrize("cls", EVERY, ids=lambda cls: cls.__name__)
def test_conformance_with_any_parameters(cls, check):
    check(families.instances(cls))


def test_every_potential_is_registered():
    registered = {type(one) for kind in ("unary", "pairwise") for one in installed(kind)}
    assert set(EVERY) <= registered


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
        (GaussianPrior([1.0, 0], [[2.0, 1.0], [1.0, 3.0]]), [2.0, 2.0], -0.5 * (2 + 2 * 2 + 3 * 4)),
        (BoxPrior([0.0, 0], [1.0, 1], [2.0, 3]), [-1.0, 3.0], -(2 * 1 + 3 * 4)),
        (BoxPrior([0.0, 0], [1.0, 1], [2.0, 3], power=1), [-1.0, 3.0], -(2 * 1 + 3 * 2)),
        (BoxPrior([0.0, 0], [1.0, 1], [2.0, 3]), [1.0, 0.5], 0),
        (Visibility([0.0, 0], [9.0, 9], -4.0, 2.0), [9.0, 0], 0),
        (Visibility([0.0, 0], [9.0, 9], -4.0, 2.0), [9.5, -0.5], -2),
        (Visibility([0.0, 0], [9.0, 9], -4.0, 2.0), [50.0, 60], -4),
    ],
)
def test_values_by_hand(term, x, score):
    assert term.evaluate(np.array(x)) == score


PLAIN = Quadratic([1.0, 4.0], [1.0, 0.0])


@pytest.mark.parametrize(
    ("term", "y", "score"),
    [
        (FullQuadratic([[2.0, 1.0], [1.0, 3.0]], [1.0, 0]), [2.0, 2], -0.5 * (2 + 2 * 2 + 3 * 4)),
        (LimbLength(4.0, 2.0), [3.0, 4], -1 / 8),
        (Truncated(PLAIN, 7.0), [1.0, 1], -4),
        (Truncated(PLAIN, 7.0), [1.0, 9], -7),
        (Huber(PLAIN, 3.0), [1.0, 1], -4),
        (Huber(PLAIN, 3.0), [1.0, 5], -(2 * 3 * 10 - 9)),
        (Cauchy(PLAIN, 4.0), [1.0, 1], -4 * np.log(2)),
        (Mixture([PLAIN, Quadratic([1.0, 1], [0.0, 9])], [0.0, -1]), [0.0, 9], -1),
        (Mixture([PLAIN, Quadratic([1.0, 1], [0.0, 9])], [0.0, -1]), [1.0, 0], 0),
    ],
)
def test_values_of_pairs_by_hand(term, y, score):
    assert term.evaluate(np.zeros(2), np.array(y)) == score


def test_a_diagonal_precision_is_twice_the_weights(rng):
    x, y = rng.normal(0, 10, (2, 100, 3))
    weight, offset = np.array([0.5, 2.0, 0.1]), np.array([1.0, -2.0, 3.0])
    full = FullQuadratic(np.diag(2 * weight), offset)
    np.testing.assert_allclose(full.evaluate(x, y), Quadratic(weight, offset).evaluate(x, y), rtol=1e-14)


def test_robust_terms_are_their_base_near_and_cheaper_far(rng):
    x, near, far = np.zeros(2), PLAIN.offset + 1e-3 * rng.normal(0, 1, (50, 2)), rng.normal(0, 99, (50, 2))
    for term in (Truncated(PLAIN, 1.0), Huber(PLAIN, 1.0), Cauchy(PLAIN, 1.0)):
        np.testing.assert_allclose(term.evaluate(x, near), PLAIN.evaluate(x, near), rtol=1e-4)
        assert (term.evaluate(x, far) >= PLAIN.evaluate(x, far)).all()


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
            r"weight and offset must have the same number of axes; found shapes \(1,\) and \(2,\)",
        ),
        (
            lambda: Quadratic(1.0, 0.0),
            r"Quadratic: weight must have shape \(D,\), one number per axis; found shape \(\)",
        ),
        (lambda: Proximal([0.0], -1.0), "Proximal: rho must be positive; found -1.0"),
        (lambda: EuclideanLoss([0.0], 0.0), "EuclideanLoss: scale must be positive"),
        (lambda: Linear([[0.0]]), r"Linear: slope must have shape \(D,\)"),
        (
            lambda: FullQuadratic([1.0], [0.0]),
            r"FullQuadratic: precision must have shape \(D, D\); found shape \(1,\)",
        ),
        (
            lambda: FullQuadratic([[1.0, 0], [1, 1]], [0.0, 0]),
            r"precision must be symmetric; found .*Pass its symmetric part",
        ),
        (
            lambda: FullQuadratic([[1.0, 2], [2, 1]], [0.0, 0]),
            "precision must be positive definite; found an eigenvalue of -1. Add a small multiple",
        ),
        (
            lambda: GaussianPrior([0.0], np.eye(2)),
            r"mean and precision must have the same number of axes; found shapes \(1,\) and \(2, 2\)",
        ),
        (lambda: LimbLength(-1.0, 1.0), "LimbLength: length must be positive; found -1.0"),
        (lambda: LimbLength([1.0, 2], 1.0), r"length must be one number; found shape \(2,\)"),
        (lambda: Truncated(PLAIN, 0.0), "Truncated: limit must be positive; found 0.0"),
        (lambda: Huber(Linear([1.0]), 1.0), "Huber: base must be a Pairwise; found Linear"),
        (lambda: Mixture([PLAIN], [0.0, 1]), r"one number for each .*; found 1 modes and shape \(2,\)"),
        (lambda: Mixture([], []), "at least one mode"),
        (lambda: Mixture([Linear([1.0])], [0.0]), "Mixture: modes must be a Pairwise; found Linear"),
        (
            lambda: Mixture([PLAIN, Quadratic([1.0], [0.0])], [0.0, 0]),
            r"positions of the same dimension; found \[1, 2\]",
        ),
        (lambda: BoxPrior([1.0], [0.0], [1.0]), r"lo must not be above hi on any axis; found lo \[1.\]"),
        (lambda: BoxPrior([0.0], [1.0], [1.0], 3), "power must be 1 .linear. or 2 .quadratic.; found 3"),
        (lambda: Visibility([0.0], [1.0, 2], 1.0), "lo and hi must have the same number of axes"),
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


def test_a_tensor_keeps_its_gradient_through_a_robust_mixture():
    torch = pytest.importorskip("torch")
    precision, limit = torch.eye(3, requires_grad=True), torch.tensor(50.0, requires_grad=True)
    straight = FullQuadratic(precision, torch.zeros(3))
    rigid = LimbLength(torch.tensor(1.0), torch.tensor(1.0))
    term = Truncated(Mixture([straight, rigid], torch.tensor([0.0, -9.0])), limit)
    term.evaluate(torch.zeros(2, 3), torch.tensor([[1.0, 0, 0], [99, 0, 0]])).sum().backward()
    assert precision.grad.tolist() == [[-0.5, 0, 0], [0, 0, 0], [0, 0, 0]]
    assert limit.grad == -1


@pytest.mark.parametrize("term", installed("pairwise"), ids=lambda term: type(term).__name__)
def test_problem_files_refuse_what_they_cannot_hold(term, tmp_path):
    if isinstance(term, Quadratic):
        pytest.skip("is what problem files hold")
    point = Candidates(np.zeros((1, term.dimensions or 2)), [0.0])
    problem = Problem(Topology("ab", [(0, 1)]), [point, point], [term])
    message = f"edge a -> b has a {type(term).__name__}; a problem file holds Quadratic terms only"
    with pytest.raises(ProblemError, match=message):
        save_problem(problem, tmp_path / "problem.npz")
