"""Compiled forms of terms: the numbers of `evaluate`, bounds that hold them, and the same answers in the solvers."""

from __future__ import annotations

from pathlib import Path

import attrs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from partgraph_solvers import BranchAndBound, Exact
from partgraph_solvers.terms import compiled_term

import partgraph
from partgraph import (
    Candidates,
    Huber,
    Interval,
    LimbLength,
    Mixture,
    Pairwise,
    Problem,
    Quadratic,
    Status,
    Topology,
    solve,
)
from partgraph.testing import families, strategies

each_class = pytest.mark.parametrize("cls", families.PAIRWISES, ids=lambda cls: cls.__name__)


@attrs.frozen(eq=False)
class Interpreted(Pairwise):
    """A term that hides its compiled form."""

    base: Pairwise

    def evaluate(self, x, y):
        return self.base.evaluate(x, y)

    def bounds(self, *boxes):
        return self.base.bounds(*boxes)


def interpreted(problem: Problem) -> Problem:
    return attrs.evolve(problem, pairwise=tuple(map(Interpreted, problem.pairwise)))


@each_class
@settings(deadline=None)
@given(data=st.data(), dim=st.sampled_from([1, 2, 3, 4]))
def test_values_and_bounds(cls, data, dim) -> None:
    term = data.draw(families.instances(cls, dim=dim))
    first, second = ([data.draw(strategies.extreme_boxes(dim=dim)) for _ in range(count)] for count in (2, 3))
    x_box, y_box = (
        Interval(np.stack([box.lo for box in own]), np.stack([box.hi for box in own]))
        for own in (first, second)
    )
    x, y = (np.stack([data.draw(strategies.points_in(box=box)) for box in own]) for own in (first, second))
    compiled = compiled_term(term, dim)
    with np.errstate(all="ignore"):
        expected = term.evaluate(x[:, None], y[None])
        bounds = term.bounds(Interval(x_box.lo[:, None], x_box.hi[:, None]), y_box)
    for swapped in (False, True):
        if swapped:  # the list of rows is at the second part of the edge
            found = compiled.values(y, np.ascontiguousarray(x.T), True).T
            ends = compiled.bounds(
                y_box.lo, y_box.hi, np.ascontiguousarray(x_box.lo.T), np.ascontiguousarray(x_box.hi.T), True
            )
            lo, hi = (end.T for end in ends)
        else:
            found = compiled.values(x, np.ascontiguousarray(y.T), False)
            lo, hi = compiled.bounds(
                x_box.lo, x_box.hi, np.ascontiguousarray(y_box.lo.T), np.ascontiguousarray(y_box.hi.T), False
            )
        np.testing.assert_allclose(found, expected, rtol=1e-15, atol=0)
        usual = np.isfinite(found)
        assert ((lo <= found) & (found <= hi))[usual].all()
        tight = usual & np.isfinite(bounds.lo)
        np.testing.assert_allclose(lo[tight], bounds.lo[tight], rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(hi[tight], bounds.hi[tight], rtol=1e-9, atol=1e-9)


@each_class
@settings(deadline=None)
@given(data=st.data())
def test_the_answers_are_those_without_compiled_forms(cls, data) -> None:
    terms = families.instances(cls, dim=2)
    star = data.draw(strategies.problems(graph=strategies.stars(max_parts=4), dim=2, pairwise=terms))
    loops = data.draw(strategies.problems(graph=strategies.graphs(max_parts=4), dim=2, pairwise=terms))
    for problem, solver in ((star, BranchAndBound()), (loops, Exact(easy_pairs=1))):
        found, truth = (solve(each, solver, n_best=3) for each in (problem, interpreted(problem)))
        np.testing.assert_array_equal(found.labels, truth.labels)
        np.testing.assert_array_equal(found.scores, truth.scores)
        assert found.status is truth.status is Status.OPTIMAL


@each_class
def test_more_candidates_than_a_block_holds(cls) -> None:
    rng = np.random.default_rng(7)
    term = _typical(cls)
    for anchored in (False, True):
        own = [Candidates(rng.normal(0, 5, (size, 3)), rng.normal(0, 1, size)) for size in (300, 130, 65)]
        anchors = [rng.normal(0, 5, (300, 3)) if anchored else None, None, None]
        problem = Problem(Topology("abc", [(0, 1), (2, 0), (1, 0)]), own, [term] * 3, anchors=anchors)
        found, truth = (solve(each, BranchAndBound(), n_best=5) for each in (problem, interpreted(problem)))
        np.testing.assert_array_equal(found.labels, truth.labels)
        if cls is not Quadratic:  # which has a search of its own
            assert found.stats == truth.stats


def _typical(cls) -> Pairwise:
    near = Quadratic([0.3, 0.2, 0.1], [1.0, 0, 2.0])
    made = {
        "Quadratic": lambda: near,
        "FullQuadratic": lambda: cls(np.diag([0.6, 0.4, 0.2]) + 0.1, [1.0, 0, 2.0]),
        "LimbLength": lambda: cls(4.0, 0.7),
        "Mixture": lambda: cls([near, LimbLength(4.0, 0.7)], [0.0, -1.0]),
    }
    return made.get(cls.__name__, lambda: cls(near, 2.0))()


def test_what_has_no_compiled_form_is_left_to_numpy() -> None:
    near = Quadratic([1.0], [0.0])
    hidden = Interpreted(near)
    for term in (hidden, Huber(hidden, 1.0), Mixture([near, hidden], [0, 0])):
        assert compiled_term(term, 1) is None
    assert compiled_term(Quadratic(np.ones(9), np.ones(9)), 9) is None
    with pytest.raises(ValueError, match="for 1 axes"):
        compiled_term(near, 1).values(np.ones((2, 2)), np.ones((2, 2)), False)


def test_the_header_is_that_of_the_core() -> None:
    here = Path(__file__).parents[1] / "src/partgraph_solvers/kernel/partgraph_potential.h"
    assert here.read_bytes() == (Path(partgraph.get_include()) / here.name).read_bytes()
