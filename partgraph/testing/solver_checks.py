"""What every solver must do, and what one that calls itself exact must do besides."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator

import attrs
import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from partgraph import arrays
from partgraph.candidates import Candidates
from partgraph.errors import SolveError, UnsupportedProblemError
from partgraph.graph import Topology
from partgraph.potentials import EuclideanLoss, Quadratic
from partgraph.problem import Problem
from partgraph.reference import Exhaustive
from partgraph.solver import Solution, Solver, Status, solve, why_unsolvable
from partgraph.testing import strategies, words


def _supported(solver: Solver) -> st.SearchStrategy[Topology]:
    """Return the widest family of graphs that the solver takes a simple member of."""
    families = (
        (strategies.graphs(), Topology("abc", [(0, 1), (1, 2), (2, 0)])),
        (strategies.trees(), Topology("abcd", [(0, 1), (1, 2), (2, 3)])),
        (strategies.stars(), Topology("abc", [(0, 1), (0, 2)])),
    )
    for family, probe in families:
        if solver.supports(_simple(probe)) is None:
            return family
    raise AssertionError("the solver supports neither a triangle, nor a chain, nor a star of three parts")


def _simple(graph: Topology) -> Problem:
    own = Candidates(np.zeros((1, 3)), np.zeros(1))
    return Problem(graph, [own] * len(graph.parts), [Quadratic([1.0, 1, 1], [0.0, 0, 0])] * len(graph.edges))


def _on_problems(
    *, exact: bool = False, extreme: bool = False
) -> Callable[[Callable[..., None]], Callable[[Solver], None]]:
    """Turn ``check(solver, problem, data)`` into a function of the solver, run on many problems it supports."""

    def decorate(check: Callable[[Solver, Problem, st.DataObject], None]) -> Callable[[Solver], None]:
        @functools.wraps(check)
        def run(solver: Solver) -> None:
            graphs = _supported(solver)
            drawn = (
                strategies.extreme_problems(graph=graphs)
                if extreme
                else strategies.problems(graph=graphs, exact=exact)
            )

            @settings(
                deadline=None, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow]
            )
            @given(drawn, st.data())
            def on(problem: Problem, data: st.DataObject) -> None:
                assume(solver.supports(problem) is None)
                with words.explained(words.problem(problem)):
                    check(solver, problem, data)

            on()

        return run

    return decorate


def _raw(solver: Solver, problem: Problem, n_best: int) -> Solution:
    """Return the solver's own answer, before `solve` puts it in order."""
    return solver.compute(problem, solver.init(problem), n_best)


# -- every solver ------------------------------------------------------------------------------------------------


@_on_problems()
def check_scores_are_those_of_the_labels(solver: Solver, problem: Problem, data: st.DataObject) -> None:
    """Reported scores are ``problem.score`` of the reported labels."""
    solution = _raw(solver, problem, data.draw(st.integers(1, 4), label="n_best"))
    np.testing.assert_allclose(solution.scores, problem.score(solution.labels), rtol=1e-9, atol=1e-6)


@_on_problems()
def check_answers_are_well_formed(solver: Solver, problem: Problem, data: st.DataObject) -> None:
    """Labels are distinct allowed configurations, at least one and at most n_best, best first."""
    n_best = data.draw(st.integers(1, 4), label="n_best")
    solution = _raw(solver, problem, n_best)
    shape = (len(solution.scores), len(problem.graph.parts))
    assert solution.labels.shape == shape, f"labels have shape {solution.labels.shape}, expected {shape}"
    assert solution.labels.dtype == np.intp, f"labels are {solution.labels.dtype}, expected intp"
    assert 1 <= shape[0] <= n_best, f"asked for {n_best} configurations, got {shape[0]}"
    assert len(np.unique(solution.labels, axis=0)) == shape[0], "a configuration is returned twice"
    assert np.isfinite(solution.scores).all(), "a forbidden configuration is returned"
    assert (np.diff(solution.scores) <= 1e-9).all(), "configurations are not sorted, best first"


@_on_problems()
def check_the_upper_bound_holds(solver: Solver, problem: Problem, data: st.DataObject) -> None:
    """No configuration scores higher than the upper bound."""
    best = solve(problem, Exhaustive()).scores[0]
    bound = _raw(solver, problem, 1).upper_bound
    assert bound >= best - 1e-9 * (1 + abs(best)), f"the upper bound is {bound!r}, the optimum {best!r}"


@_on_problems()
def check_repeated_answers_are_equal(solver: Solver, problem: Problem, data: st.DataObject) -> None:
    """The same question has the same answer."""
    first, second = (solve(problem, solver, n_best=3) for _ in range(2))
    np.testing.assert_array_equal(first.labels, second.labels)
    np.testing.assert_array_equal(first.scores, second.scores)


@_on_problems()
def check_state_serves_other_unaries(solver: Solver, problem: Problem, data: st.DataObject) -> None:
    """The state of ``init`` gives the right answer after scores and unary terms have changed."""
    state = solver.init(problem)
    part = data.draw(st.integers(0, len(problem.sizes) - 1), label="part")
    own = problem.candidates[part]
    changed = list(problem.candidates)
    changed[part] = attrs.evolve(own, scores=own.scores + np.arange(len(own)))
    other = attrs.evolve(problem, candidates=tuple(changed)).with_unary(
        part, EuclideanLoss(np.ones(problem.dimensions))
    )
    reused, fresh = solve(other, solver, n_best=2, state=state), solve(other, solver, n_best=2)
    np.testing.assert_array_equal(reused.labels, fresh.labels)
    np.testing.assert_allclose(reused.scores, fresh.scores, rtol=1e-9, atol=1e-9)


@_on_problems()
def check_the_problem_is_untouched(solver: Solver, problem: Problem, data: st.DataObject) -> None:
    """Solving writes to no array of the problem."""
    before = [(own.positions.copy(), own.scores.copy()) for own in problem.candidates]
    solve(problem, solver)
    for (positions, scores), own in zip(before, problem.candidates, strict=True):
        np.testing.assert_array_equal(positions, own.positions)
        np.testing.assert_array_equal(scores, own.scores)


def check_refusals_are_explained(solver: Solver) -> None:
    """``supports`` returns None or a reason, and ``solve`` refuses with that reason."""
    for problem in _shapes():
        reason = solver.supports(problem)
        if reason is None:
            assert len(solve(problem, solver).scores) == 1
            continue
        assert len(reason) > 20, (
            f"supports() gives {reason!r} as its reason; say what is wrong and what to do"
        )
        with pytest.raises(UnsupportedProblemError, match=re.escape(reason)):
            solve(problem, solver)


def check_not_a_number_is_not_a_label(solver: Solver) -> None:
    """A problem with NaN raises, or has a status without labels; it is never answered."""
    for problem in filter(lambda problem: solver.supports(problem) is None, _shapes()):
        first, *others = problem.candidates
        broken = attrs.evolve(
            problem, candidates=(Candidates(first.positions, np.full(len(first), np.nan)), *others)
        )
        solution = solve(broken, solver, throw=False)
        assert (solution.status, len(solution.labels)) == (Status.NOT_FINITE, 0)
        with pytest.raises(SolveError, match=repr(problem.graph.parts[0])):
            solve(broken, solver)


@_on_problems()
def check_what_is_not_finite_is_noticed(solver: Solver, problem: Problem, data: st.DataObject) -> None:
    """Wherever a number is NaN or infinite, ``why_unsolvable`` says what the core would."""
    numbers = (problem.candidates, problem.anchors)
    chosen = data.draw(st.sampled_from(arrays.leaves(numbers)), label="array")
    place = data.draw(st.integers(0, chosen.size - 1), label="place")
    value = data.draw(st.sampled_from([np.nan, np.inf, -np.inf]), label="value")
    spoilt = chosen.copy()
    spoilt.flat[place] = value
    candidates, anchors = arrays.map_arrays(lambda own: spoilt if own is chosen else own, numbers)
    broken = attrs.evolve(problem, candidates=candidates, anchors=anchors)
    said, core = solver.why_unsolvable(broken), why_unsolvable(broken)
    assert said == core, f"why_unsolvable() returns {said!r}, where the core's returns {core!r}"


def _shapes() -> Iterator[Problem]:
    """Yield one small problem of each shape: a lone part, a chain, a loop, two pieces, one candidate each."""
    for parts, edges in (
        ("a", []),
        ("ab", []),
        ("ab", [(0, 1), (1, 0)]),
        ("abc", [(1, 0), (1, 2)]),
        ("abcd", [(0, 1), (1, 2), (2, 3)]),
        ("abc", [(0, 1), (1, 2), (2, 0)]),
        ("abcd", [(0, 1), (2, 3)]),
    ):
        yield _simple(Topology(parts, edges))


# -- exact solvers -----------------------------------------------------------------------------------------------


@_on_problems(exact=True)
def check_exact_answers(solver: Solver, problem: Problem, data: st.DataObject) -> None:
    """The n best are those of exhaustive search, label by label: ties go to the lowest labels."""
    n_best = data.draw(st.sampled_from([1, 2, 5, 20]), label="n_best")
    truth, found = solve(problem, Exhaustive(), n_best=n_best), solve(problem, solver, n_best=n_best)
    np.testing.assert_array_equal(found.scores, truth.scores)
    np.testing.assert_array_equal(found.labels, truth.labels)
    assert found.status is Status.OPTIMAL, f"an exact answer without limits has status {found.status.name}"


@_on_problems()
def check_exact_scores(solver: Solver, problem: Problem, data: st.DataObject) -> None:
    """On numbers that are rounded the n best scores are those of exhaustive search, up to rounding."""
    n_best = data.draw(st.sampled_from([1, 3, 20]), label="n_best")
    truth, found = solve(problem, Exhaustive(), n_best=n_best), solve(problem, solver, n_best=n_best)
    np.testing.assert_allclose(found.scores, truth.scores, rtol=1e-9, atol=1e-9 * (1 + _size(problem)))


@_on_problems(extreme=True)
def check_units_do_not_matter(solver: Solver, problem: Problem, data: st.DataObject) -> None:
    """Where numbers are millionths or millions, the n best scores are those of exhaustive search, up to rounding."""
    truth, found = solve(problem, Exhaustive(), n_best=3), solve(problem, solver, n_best=3)
    np.testing.assert_allclose(found.scores, truth.scores, rtol=1e-9, atol=1e-9 * _size(problem))


@_on_problems()
def check_a_constant_shifts_the_score(solver: Solver, problem: Problem, data: st.DataObject) -> None:
    """A constant added to a part's scores is added to the best score."""
    first = problem.candidates[0]
    moved = attrs.evolve(first, scores=first.scores + 3.0)
    shifted = attrs.evolve(problem, candidates=(moved, *problem.candidates[1:]))
    gain = solve(shifted, solver).scores[0] - solve(problem, solver).scores[0]
    assert abs(gain - 3.0) <= 1e-9 * (1 + _size(problem)), (
        f"a constant of 3 changed the best score by {gain!r}"
    )


@_on_problems(exact=True)
def check_the_order_of_candidates_does_not_matter(
    solver: Solver, problem: Problem, data: st.DataObject
) -> None:
    """With the candidates of a part in another order, the n best scores are the same."""
    part = data.draw(st.integers(0, len(problem.sizes) - 1), label="part")
    order = np.array(data.draw(st.permutations(range(problem.sizes[part])), label="order"))
    own = list(problem.candidates)
    own[part] = Candidates(own[part].positions[order], own[part].scores[order])
    anchors = tuple(
        anchors[order] if anchors is not None and edge[0] == part else anchors
        for edge, anchors in zip(problem.graph.edges, problem.anchors, strict=True)
    )
    shuffled = attrs.evolve(problem, candidates=tuple(own), anchors=anchors)
    first, second = (solve(each, solver, n_best=3).scores for each in (problem, shuffled))
    np.testing.assert_array_equal(first, second)


@_on_problems()
def check_one_more_candidate_never_hurts(solver: Solver, problem: Problem, data: st.DataObject) -> None:
    """Without its last candidate a part's best score is no higher."""
    part = max(range(len(problem.sizes)), key=problem.sizes.__getitem__)
    own = problem.candidates[part]
    assume(len(own) > 1 and np.isfinite(own.scores[:-1]).any())
    fewer = list(problem.candidates)
    fewer[part] = Candidates(own.positions[:-1], own.scores[:-1])
    anchors = tuple(
        anchors[:-1] if anchors is not None and edge[0] == part else anchors
        for edge, anchors in zip(problem.graph.edges, problem.anchors, strict=True)
    )
    small = attrs.evolve(problem, candidates=tuple(fewer), anchors=anchors)
    less, more = solve(small, solver).scores[0], solve(problem, solver).scores[0]
    assert less <= more + 1e-9 * (1 + _size(problem)), f"{less!r} without a candidate, {more!r} with it"


def _size(problem: Problem) -> float:
    """Return a magnitude for tolerances: terms of this size are added and may cancel."""
    first = np.zeros(len(problem.sizes), dtype=np.intp)
    allowed = [np.where(np.isfinite(own.scores), own.scores, 0) for own in problem.candidates]
    plain = [Candidates(own.positions, s) for own, s in zip(problem.candidates, allowed, strict=True)]
    return abs(float(attrs.evolve(problem, candidates=tuple(plain)).score(first)))


EVERY: tuple[Callable[[Solver], None], ...] = (
    check_scores_are_those_of_the_labels,
    check_answers_are_well_formed,
    check_the_upper_bound_holds,
    check_repeated_answers_are_equal,
    check_state_serves_other_unaries,
    check_the_problem_is_untouched,
    check_refusals_are_explained,
    check_not_a_number_is_not_a_label,
    check_what_is_not_finite_is_noticed,
)
"""Checks of any solver."""

EXACT: tuple[Callable[[Solver], None], ...] = (
    check_exact_answers,
    check_exact_scores,
    check_units_do_not_matter,
    check_a_constant_shifts_the_score,
    check_the_order_of_candidates_does_not_matter,
    check_one_more_candidate_never_hurts,
)
"""Checks of a solver that calls itself exact."""
