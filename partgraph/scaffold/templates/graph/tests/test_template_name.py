"""The conformance checks of PartGraph, and what is special about this graph."""

import numpy as np
import partgraph
from partgraph import Candidates, Problem, Quadratic
from partgraph.testing import parametrize_with_checks

from partgraph_template_name.template_name import PARTS

NAME = "template-name:template-name"

GRAPH = partgraph.plugins.get("graph", NAME)


@parametrize_with_checks([GRAPH])
def test_conformance(subject, check):
    check(subject)


def test_parts_keep_their_order():
    assert GRAPH.parts == PARTS


def test_it_has_loops_and_can_be_solved():
    assert not GRAPH.is_forest
    random = np.random.default_rng(0)
    truth = random.normal(0, 10, (len(PARTS), 2))
    terms = [Quadratic([1.0, 1.0], truth[j] - truth[i]) for i, j in GRAPH.edges]
    moves = np.array([[0.0, 0.0], [3.0, 1.0], [-2.0, 4.0]])
    candidates = [Candidates(at + moves, np.zeros(3)) for at in truth]
    solution = partgraph.solve(Problem(GRAPH, candidates, terms), "exhaustive")
    assert solution.labels[0].tolist() in ([0] * 5, [1] * 5, [2] * 5)  # the whole wheel, moved as one
