"""The framework's own tests, which compare the compiled form with `evaluate`, and the solvers' answers with both."""

import attrs
import numpy as np
import pytest
from partgraph_charbonnier import Charbonnier, examples

from partgraph import Candidates, Pairwise, Problem, Topology, plugins, solve
from partgraph.testing import parametrize_with_checks


@parametrize_with_checks(examples())
def test_conformance(subject, check):
    check(subject)


@attrs.frozen(eq=False)
class Interpreted(Pairwise):
    base: Pairwise

    def evaluate(self, x, y):
        return self.base.evaluate(x, y)


@pytest.mark.parametrize("solver", ["branch-and-bound", "exact"])
def test_the_answers_are_the_same_with_and_without_the_compiled_form(solver):
    pytest.importorskip("partgraph_solvers")
    rng = np.random.default_rng(0)
    edges = [(0, 1), (2, 0)] if solver == "branch-and-bound" else [(0, 1), (1, 2), (2, 0)]
    parts = [Candidates(rng.normal(0, 5, (300, 3)), rng.normal(0, 1, 300)) for _ in "abc"]
    terms = [Charbonnier(rng.normal(0, 3, 3), 0.7) for _ in edges]
    problem = Problem(Topology("abc", edges), parts, terms)
    plain = attrs.evolve(problem, pairwise=tuple(map(Interpreted, terms)))
    found, truth = (solve(each, solver, n_best=4) for each in (problem, plain))
    np.testing.assert_array_equal(found.labels, truth.labels)


def test_it_is_found_by_name():
    assert plugins.get("pairwise", "charbonnier") is Charbonnier
