from types import SimpleNamespace
from typing import ClassVar, final

import attrs
import numpy as np
import pytest
from hypothesis import given

import partgraph.plugins
from partgraph import (
    Candidates,
    EuclideanLoss,
    Exhaustive,
    Problem,
    Quadratic,
    Solution,
    SolveError,
    Solver,
    Status,
    Topology,
    Unary,
    UnknownComponentError,
    UnsupportedProblemError,
    hookimpl,
    solve,
)
from partgraph.plugins import Plugins
from partgraph.testing import strategies


@final
@attrs.frozen
class Answers(Solver):
    """Give a fixed answer, right or wrong."""

    exact: ClassVar[bool] = False

    labels: list = attrs.field(factory=lambda: [[0, 0, 0]])
    scores: list | None = None
    upper_bound: float = np.inf

    def supports(self, problem):
        return None

    def compute(self, problem, state, n_best):
        labels = np.array(self.labels, dtype=np.intp).reshape(-1, len(problem.sizes))
        scores = problem.score(labels) if self.scores is None else np.array(self.scores)
        return Solution(labels, scores, self.upper_bound, Status.CONVERGED, {"state": state})


@pytest.fixture
def only_builtin(monkeypatch):
    known = Plugins(discover=False)
    monkeypatch.setattr(partgraph.plugins, "shared", lambda: known)
    return known


def test_a_solver_by_object_class_and_name(arm, only_builtin):
    truth = solve(arm, Exhaustive()).labels.tolist()
    for solver in (None, "exhaustive", "builtin:exhaustive", "dynamic-programming", Exhaustive):
        assert solve(arm, solver).labels.tolist() == truth


def test_an_unknown_name_lists_what_there_is(arm, only_builtin):
    with pytest.raises(
        UnknownComponentError,
        match=r"no solver named 'bnb'\. Installed: builtin:dynamic-programming, builtin:exhaustive.",
    ):
        solve(arm, "bnb")


def test_something_else_is_no_solver(arm):
    with pytest.raises(TypeError, match="solver must be a Solver, the name of one, or None; found 3"):
        solve(arm, 3)


def test_without_plugins_trees_are_solved_by_dynamic_programming(arm, only_builtin):
    loop = Topology("abc", [(0, 1), (1, 2), (2, 0)])
    own = [Candidates([[0.0]], [0.0])] * 3
    assert only_builtin.default_solver(arm) == "builtin:dynamic-programming"
    assert (
        only_builtin.default_solver(Problem(loop, own, [Quadratic([1.0], [0.0])] * 3)) == "builtin:exhaustive"
    )


def test_a_plugin_may_choose_the_solver_or_pass(arm, only_builtin):
    asked = []

    @hookimpl
    def partgraph_default_solver(problem, installed):
        asked.append(installed)
        return "exhaustive" if len(problem.sizes) == 3 else None

    only_builtin.register(SimpleNamespace(partgraph_default_solver=partgraph_default_solver), "lab")
    assert only_builtin.default_solver(arm) == "exhaustive"
    assert asked == [("builtin:dynamic-programming", "builtin:exhaustive")]
    lone = Problem(Topology("a"), [Candidates([[0.0]], [0.0])])
    assert only_builtin.default_solver(lone) == "builtin:dynamic-programming"


def test_tensors_are_detached(arm):
    torch = pytest.importorskip("torch")
    first = arm.candidates[0]
    moved = Candidates(torch.tensor(first.positions), torch.tensor(first.scores, requires_grad=True))
    problem = attrs.evolve(arm, candidates=(moved, *arm.candidates[1:]))
    solution = solve(problem, Exhaustive())
    np.testing.assert_array_equal(solution.labels, solve(arm, Exhaustive()).labels)
    problem.score(solution.labels).sum().backward()
    assert moved.scores.grad.sum() == 1


def test_fewer_configurations_than_asked_for(arm):
    solution = solve(arm, Exhaustive(), n_best=100)
    assert len(solution.scores) == 2 * 2 * 2, "the forbidden candidate is in none"
    assert solution.scores[0] == solution.upper_bound


def test_a_given_state_is_used(arm):
    assert solve(arm, Answers(), state="kept").stats["state"] == "kept"


@given(strategies.problems())
def test_loss_augmented_inference_is_a_unary_term(problem):
    targets = [np.ones(problem.dimensions)] * len(problem.sizes)
    augmented = problem
    for part, target in enumerate(targets):
        augmented = augmented.with_unary(part, EuclideanLoss(target, 1 / len(targets)))
    solution = solve(augmented, Exhaustive())
    error = np.linalg.norm(problem.positions(solution.labels[0]) - targets, axis=-1).mean()
    np.testing.assert_allclose(
        solution.scores[0], problem.score(solution.labels[0]) + error, rtol=1e-9, atol=1e-6
    )


# -- answers are looked at ---------------------------------------------------------------------------------------


def test_rows_are_put_in_order(arm):
    solution = solve(arm, Answers([[1, 0, 1], [0, 0, 0], [0, 1, 0]]))
    assert np.all(np.diff(solution.scores) <= 0)
    np.testing.assert_array_equal(solution.scores, arm.score(solution.labels))


def test_a_wrong_score_is_found(arm):
    with pytest.raises(
        SolveError, match=r"Answers reported a score of 9 for labels \[0, 0, 0\], which score"
    ):
        solve(arm, Answers(scores=[9.0]))


@pytest.mark.parametrize("bound", [-1e9, np.nan])
def test_a_wrong_bound_is_found(arm, bound):
    with pytest.raises(SolveError, match=r"Answers reported an upper bound of .*, but found a score of"):
        solve(arm, Answers(upper_bound=bound))


def test_the_bound_is_never_below_the_score(arm):
    score = arm.score([0, 0, 0])
    solution = solve(arm, Answers(upper_bound=np.nextafter(score, -np.inf)))
    assert solution.upper_bound == score
    assert solution.gap == 0


def test_no_answer_is_an_error(arm):
    with pytest.raises(SolveError, match="Answers found no allowed configuration"):
        solve(arm, Answers(labels=[]))


# -- problems are looked at --------------------------------------------------------------------------------------


def broken(arm, part=0, **changes):
    candidates = list(arm.candidates)
    candidates[part] = attrs.evolve(candidates[part], **changes)
    return attrs.evolve(arm, candidates=tuple(candidates))


@attrs.frozen(eq=False)
class NotANumber(Unary):
    def evaluate(self, x):
        return x.sum(-1) * np.nan


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda arm: broken(arm, scores=[np.nan, 0]),
            "part 'shoulder': scores must be finite, or -inf to forbid; found",
        ),
        (
            lambda arm: broken(arm, scores=[np.inf, 0]),
            "part 'shoulder': scores must be finite, or -inf to forbid; found",
        ),
        (
            lambda arm: broken(arm, scores=[-np.inf, -np.inf]),
            r"part 'shoulder': every candidate is forbidden \(score -inf\); allow at least one",
        ),
        (
            lambda arm: broken(arm, 2, positions=np.full((2, 3), np.nan)),
            "part 'wrist': positions must be finite; found NaN or infinity",
        ),
        (lambda arm: arm.with_unary(1, NotANumber()), "part 'elbow': scores must be finite"),
        (
            lambda arm: attrs.evolve(arm, anchors=(np.full((2, 3), np.inf), None)),
            "edge shoulder -> elbow: anchors and Quadratic must be finite; found NaN or infinity",
        ),
        (
            lambda arm: attrs.evolve(arm, pairwise=(arm.pairwise[0], Quadratic([np.nan, 1, 1], [0.0, 0, 0]))),
            "edge wrist -> elbow: anchors and Quadratic must be finite; found NaN or infinity",
        ),
    ],
)
def test_a_problem_without_finite_score(arm, change, message):
    problem = change(arm)
    with pytest.raises(SolveError, match=message):
        solve(problem, Exhaustive())
    solution = solve(problem, Exhaustive(), throw=False)
    assert (solution.status, solution.labels.shape, len(solution.scores)) == (Status.NOT_FINITE, (0, 3), 0)
    assert np.isnan(solution.gap)
    assert solution.stats["reason"]


def test_n_best_is_at_least_one(arm):
    with pytest.raises(ValueError, match="n_best must be at least 1; found 0"):
        solve(arm, Exhaustive(), n_best=0)


def test_refusals_carry_the_solvers_reason(arm):
    with pytest.raises(
        UnsupportedProblemError, match="Exhaustive cannot solve this problem: it has 12 configurations"
    ):
        solve(arm, Exhaustive(max_configurations=5))


def test_every_status_says_what_to_do():
    for status in Status:
        assert len(status.value) > 30
