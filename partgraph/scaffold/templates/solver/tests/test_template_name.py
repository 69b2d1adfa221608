"""The conformance checks of PartGraph, and what is special about this solver."""

import numpy as np
import partgraph
from partgraph import Candidates, Problem, Quadratic, Topology
from partgraph.testing import parametrize_with_checks

from partgraph_template_name.template_name import TemplateName

NAME = "template-name:template-name"


@parametrize_with_checks([TemplateName(), TemplateName(starts=1)])
def test_conformance(subject, check):
    check(subject)


def test_it_is_found_by_name():
    assert partgraph.plugins.get("solver", NAME) is TemplateName


def ring(seed: int) -> Problem:
    random = np.random.default_rng(seed)
    graph = Topology("abcdef", [(i, (i + 1) % 6) for i in range(6)])
    candidates = [Candidates(random.normal(0, 3, (5, 2)), random.normal(0, 1, 5)) for _ in graph.parts]
    terms = [Quadratic([1.0, 1.0], random.normal(0, 2, 2)) for _ in graph.edges]
    return Problem(graph, candidates, terms)


def solver_score(problem: Problem, starts: int) -> float:
    return partgraph.solve(problem, TemplateName(starts)).scores[0]


def test_more_starts_are_no_worse_and_sometimes_better():
    one, many = (np.array([solver_score(ring(seed), starts) for seed in range(10)]) for starts in (1, 20))
    assert (many >= one).all()
    assert (many > one).any()
