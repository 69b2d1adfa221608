"""The kit catches what it is for: a twin of something right, broken in one way, fails the check for that."""

from typing import ClassVar

import attrs
import numpy as np
import pytest
from hypothesis import given

from partgraph import (
    BoxPrior,
    Cauchy,
    CompiledTerm,
    EuclideanLoss,
    Exhaustive,
    FullQuadratic,
    GaussianPrior,
    Graph,
    Huber,
    Interval,
    LimbLength,
    Mixture,
    Pairwise,
    Potential,
    Proximal,
    Quadratic,
    Solution,
    Solver,
    Star,
    Topology,
    Truncated,
    Visibility,
    arrays,
)
from partgraph.testing import checks_for, families, installed, parametrize_with_checks, strategies

# -- potentials --------------------------------------------------------------------------------------------------


@attrs.frozen(eq=False)
class Distance(Pairwise):
    """Right, and the base of the broken ones."""

    length: float = 5.0

    def evaluate(self, x, y):
        return -abs(arrays.sqrt(((y - x) ** 2).sum(-1)) - self.length)


class OneUlpTooTight(Distance):
    def bounds(self, *boxes):
        exact = self.evaluate(*boxes)
        return Interval(exact.lo, np.nextafter(exact.hi, -np.inf))


class NeverShrinks(Distance):
    def bounds(self, *boxes):
        return self.evaluate(*boxes) + Interval(-1.0, 1.0)


class WiderInside(Distance):
    def bounds(self, *boxes):
        width = sum((box.hi - box.lo).sum() for box in boxes)
        return self.evaluate(*boxes) + Interval(-100 / (1 + width), 0.0)


class WrongSum(Distance):
    def evaluate(self, x, y):
        return -abs(arrays.sqrt(((y - x) ** 2).sum()) - self.length)


class Writes(Distance):
    def evaluate(self, x, y):
        if isinstance(x, np.ndarray):
            x += 0.0
        return super().evaluate(x, y)


class UnsafeRoot(Distance):
    def evaluate(self, x, y):
        square = ((y - x) ** 2).sum(-1)
        return -abs((square.sqrt() if arrays.is_tensor(square) else arrays.sqrt(square)) - self.length)


class AnotherSign(Distance):
    def evaluate(self, x, y):
        value = super().evaluate(x, y)
        return -value if arrays.is_tensor(value) else value


class NoGradient(Distance):
    def evaluate(self, x, y):
        return super().evaluate(x.detach(), y) if arrays.is_tensor(x) else super().evaluate(x, y)


@CompiledTerm.VALUES
def values(fields, dim, count, x, x_stride, y, y_stride, out):
    for k in range(count):
        total = 0.0
        for d in range(dim):
            total += (y[d * y_stride + k] - x[d * x_stride + k]) ** 2
        out[k] = -total * fields[0]


@CompiledTerm.BOUNDS
def bounds(fields, dim, count, x_lo, x_hi, x_stride, y_lo, y_hi, y_stride, lo, hi):
    for k in range(count):
        low = high = 0.0
        for d in range(dim):
            x, y = d * x_stride + k, d * y_stride + k
            least, most = y_lo[y] - x_hi[x], y_hi[y] - x_lo[x]
            low += max(least**2, most**2)
            high += 0.0 if least <= 0 <= most else min(least**2, most**2)
        lo[k], hi[k] = -low * fields[0], -high * fields[1]


@attrs.frozen(eq=False)
class Squared(Pairwise):
    """A term with a compiled form; its second field makes bounds tighter or looser than they are."""

    tighter: ClassVar[float] = 1.0

    def evaluate(self, x, y):
        return -((y - x) ** 2).sum(-1)

    def compiled(self):
        return CompiledTerm(values, bounds, [1.0, self.tighter])


class CompiledTooTight(Squared):
    tighter = 1 + 2**-20


class CompiledOtherwise(Squared):
    def compiled(self):
        return CompiledTerm(values, bounds, [1 + 2**-40, 1.0])


@parametrize_with_checks([Squared()])
def test_the_compiled_one_passes(subject, check):
    check(subject)


TWINS = {
    OneUlpTooTight: "bounds_hold_every_value",
    NeverShrinks: "bounds_shrink_with_the_boxes",
    WiderInside: "smaller_boxes_have_tighter_bounds",
    WrongSum: "leading_axes_broadcast",
    Writes: "inputs_are_untouched",
    UnsafeRoot: "gradients_are_never_nan",
    AnotherSign: "numpy_and_torch_agree",
    NoGradient: "gradients",
    CompiledTooTight: "the_compiled_form_agrees",
    CompiledOtherwise: "the_compiled_form_agrees",
}
NEED_TORCH = (UnsafeRoot, AnotherSign, NoGradient)


@parametrize_with_checks([Distance()])
def test_the_right_one_passes(subject, check):
    check(subject)


@pytest.mark.usefixtures("any_example")
@pytest.mark.parametrize("twin", TWINS, ids=lambda twin: twin.__name__)
def test_a_broken_potential_fails_its_check(twin):
    if twin in NEED_TORCH:
        pytest.importorskip("torch")
    check = next(check for check in checks_for(twin()) if check.__name__ == f"check_{TWINS[twin]}")
    with pytest.raises((AssertionError, ValueError, RuntimeError)):
        check(twin())


@attrs.frozen(eq=False)
class Harmed(Potential):
    """A built-in potential whose bounds are spoilt by `harm`."""

    base: Potential
    harm: object

    @property
    def arity(self):
        return self.base.arity

    @property
    def dimensions(self):
        return self.base.dimensions

    def evaluate(self, *x):
        return self.base.evaluate(*x)

    def bounds(self, *boxes):
        return self.harm(self.base.bounds(*boxes))


def one_ulp_tighter(bounds):
    return Interval(bounds.lo, np.nextafter(bounds.hi, -np.inf))


def one_ulp_higher(bounds):
    return Interval(np.nextafter(bounds.lo, np.inf), bounds.hi)


def wrong_sign(bounds):
    return -bounds


EXACT = (BoxPrior, EuclideanLoss, Huber, LimbLength, Mixture, Proximal, Quadratic, Truncated, Visibility)
"""Their bounds are values, bit for bit; those of the others leave room for rounding."""


def fails(potential, name="bounds_hold_every_value"):
    check = next(check for check in checks_for(potential) if check.__name__ == f"check_{name}")
    with pytest.raises(AssertionError, match="bounds"):
        check(potential)


@pytest.mark.usefixtures("any_example")
@pytest.mark.parametrize("harm", [one_ulp_tighter, one_ulp_higher, wrong_sign])
@pytest.mark.parametrize("cls", EXACT, ids=lambda cls: cls.__name__)
def test_spoilt_bounds_of_built_in_potentials_are_found(cls, harm):
    fails(Harmed(one_of(cls), harm))


@pytest.mark.usefixtures("any_example")
@pytest.mark.parametrize("cls", [FullQuadratic, GaussianPrior, Cauchy], ids=lambda cls: cls.__name__)
def test_bounds_without_room_for_rounding_are_found(cls):
    fails(Harmed(one_of(cls), wrong_sign))
    if cls is Cauchy:  # a library's logarithm: the room is 4 epsilon of its value
        epsilon = np.finfo(float).eps
        fails(Harmed(one_of(cls), lambda b: Interval(b.lo, b.hi - 16 * epsilon * abs(b.hi))))
    else:
        # Of a point, the room is all that lies between the bounds; they are moved past its value by half of it.
        fails(
            Harmed(one_of(cls), lambda b: Interval(b.lo, b.lo + (b.hi - b.lo) / 4)),
            "bounds_of_a_point_are_its_value",
        )


def one_of(cls):
    return next(one for kind in ("unary", "pairwise") for one in installed(kind) if type(one) is cls)


def test_a_strategy_of_potentials_is_checked_with_the_parameters_it_draws():
    harmed = families.instances(Huber).map(lambda base: Harmed(base, one_ulp_tighter))
    fails(harmed)


# -- graphs ------------------------------------------------------------------------------------------------------


class Hand(Graph):
    parts = ("palm", "thumb", "index")
    edges = ((0, 1), (0, 2))

    def __init__(self, *stars):
        self._stars = stars

    def stars(self):
        return self._stars


GOOD = Star(0, (1, 2), (0, 1))


@pytest.mark.usefixtures("any_example")
@pytest.mark.parametrize(
    ("stars", "failed"),
    [
        ([GOOD], set()),
        ([GOOD, GOOD], {"stars_partition_the_edges", "slave_scores_add_up"}),
        ([Star(0, (1,), (0,)), Star(2)], {"stars_partition_the_edges", "slave_scores_add_up"}),
        ([Star(0, (2, 1), (0, 1))], set()),
        ([Star(0, (1,), (0,)), Star(1, (0,), (1,))], {"edges_touch_their_center", "stars_cover_every_part"}),
    ],
)
def test_a_broken_graph_fails_its_check(stars, failed):
    subject, found = Hand(*stars), set()
    for check in checks_for(subject):
        try:
            check(subject)
        except Exception:
            found.add(check.__name__.removeprefix("check_"))
    assert failed <= found
    assert bool(failed) == bool(found)


# -- solvers -----------------------------------------------------------------------------------------------------


@attrs.frozen
class Broken(Solver):
    """Exhaustive search whose answer is spoilt by `harm`."""

    exact: ClassVar[bool] = True

    harm: object
    base: Exhaustive = attrs.field(factory=Exhaustive)

    def supports(self, problem):
        return self.base.supports(problem)

    def init(self, problem):
        return problem

    def compute(self, problem, state, n_best):
        return self.harm(self.base, problem, state, n_best)


def loses_ties(base, problem, state, n_best):
    solution = base.compute(problem, None, 50)
    keep = np.arange(len(solution.scores))
    keep = keep[np.lexsort((-keep, -solution.scores))][:n_best]
    return attrs.evolve(solution, labels=solution.labels[keep], scores=solution.scores[keep])


def unsorted(base, problem, state, n_best):
    solution = base.compute(problem, None, n_best)
    return attrs.evolve(solution, labels=solution.labels[::-1].copy(), scores=solution.scores[::-1].copy())


def low_bound(base, problem, state, n_best):
    solution = base.compute(problem, None, n_best)
    return attrs.evolve(solution, upper_bound=solution.upper_bound - 1.0)


def second_best(base, problem, state, n_best):
    solution = base.compute(problem, None, n_best + 1)
    keep = slice(1, None) if len(solution.scores) > n_best else slice(None)
    return attrs.evolve(solution, labels=solution.labels[keep], scores=solution.scores[keep])


def twice(base, problem, state, n_best):
    solution = base.compute(problem, None, 1)
    return attrs.evolve(
        solution, labels=np.repeat(solution.labels, n_best, 0), scores=np.repeat(solution.scores, n_best)
    )


def stale(base, problem, state, n_best):
    found = base.compute(state, None, n_best)
    return Solution(found.labels, problem.score(found.labels), np.inf, found.status)


def adds_to_scores(base, problem, state, n_best):
    solution = base.compute(problem, None, n_best)
    return attrs.evolve(solution, scores=solution.scores + 1.0, upper_bound=solution.upper_bound + 1.0)


def by_position_in_the_list(base, problem, state, n_best):
    solution = base.compute(problem, None, 50)
    keep = np.argsort(solution.labels.sum(axis=1), kind="stable")[:n_best]
    keep = keep[np.argsort(-solution.scores[keep], kind="stable")]
    return attrs.evolve(solution, labels=solution.labels[keep], scores=solution.scores[keep])


def in_millimetres(base, problem, state, n_best):
    """Takes what is nearer than a thousandth for equal, whatever the units are."""
    solution = base.compute(problem, None, 50)
    order = np.argsort(-np.round(solution.scores, 3), kind="stable")[::-1]
    order = order[np.argsort(-np.round(solution.scores[order], 3), kind="stable")][:n_best]
    return attrs.evolve(solution, labels=solution.labels[order], scores=solution.scores[order])


HARMS = {
    in_millimetres: "units_do_not_matter",
    loses_ties: "exact_answers",
    unsorted: "answers_are_well_formed",
    by_position_in_the_list: "the_order_of_candidates_does_not_matter",
    low_bound: "the_upper_bound_holds",
    second_best: "exact_scores",
    twice: "answers_are_well_formed",
    stale: "state_serves_other_unaries",
    adds_to_scores: "scores_are_those_of_the_labels",
}


@pytest.mark.usefixtures("any_example")
@pytest.mark.parametrize("harm", HARMS, ids=lambda harm: harm.__name__)
def test_a_broken_solver_fails_its_check(harm):
    solver = Broken(harm)
    check = next(check for check in checks_for(solver) if check.__name__ == f"check_{HARMS[harm]}")
    with pytest.raises(Exception, match=r"."):
        check(solver)


def test_nothing_else_has_checks():
    with pytest.raises(
        TypeError,
        match="there are checks for instances of Potential, Graph, Solver, Model, Dataset and Loss; found 3",
    ):
        list(checks_for(3))


def test_expected_failures_are_marked():
    mark = parametrize_with_checks([Topology("a")], {"check_networkx_round_trip": "no reason"}).mark
    marked = [case.id for case in mark.args[1] if case.marks]
    assert marked == ["0-Topology-networkx_round_trip"]


def test_everything_built_in_is_installed():
    names = {
        type(subject).__name__ for kind in ("unary", "pairwise", "solver") for subject in installed(kind)
    }
    assert {"Linear", "Proximal", "EuclideanLoss", "Quadratic", "Exhaustive", "DynamicProgramming"} <= names


# -- strategies --------------------------------------------------------------------------------------------------


@given(strategies.problems())
def test_problems_have_an_allowed_configuration(problem):
    for part, own in enumerate(problem.candidates):
        assert np.isfinite(own.scores).any()
        assert not np.isnan(problem.unary_scores(part)).any()


def test_hard_cases_are_drawn():
    seen = dict.fromkeys(
        ("tie", "forbidden", "duplicate", "loop", "lone", "both ways", "anchored", "extra"), 0
    )

    @given(strategies.problems(exact=True))
    def look(problem):
        graph = problem.graph
        own = problem.candidates
        scores = [c.scores for c in own if len(c) > 1]
        seen["tie"] += any(len(np.unique(s)) < len(s) for s in scores)
        seen["forbidden"] += any(np.isinf(s).any() for s in scores)
        seen["duplicate"] += any(len(np.unique(c.positions, axis=0)) < len(c) for c in own)
        seen["loop"] += not graph.is_forest
        seen["lone"] += any(not star.leaves for star in graph.stars())
        seen["both ways"] += len(graph.links()) < len(graph.edges)
        seen["anchored"] += any(a is not None for a in problem.anchors)
        seen["extra"] += any(problem.unary)

    look()
    assert all(seen.values()), seen
