"""The conformance checks of PartGraph, and what is special about this potential."""

import numpy as np
import partgraph
from partgraph import Candidates, Problem, Topology
from partgraph.testing import parametrize_with_checks

from partgraph_template_name.template_name import TemplateName, examples

NAME = "template-name:template-name"


@parametrize_with_checks(examples())
def test_conformance(subject, check):
    check(subject)


def test_it_is_found_by_name():
    assert partgraph.plugins.get("unary", NAME) is TemplateName


def test_the_nearest_candidate_to_the_plane_wins():
    floor = TemplateName([0.0, 1.0], level=2.0)
    places = np.array([[0.0, 0.0], [5.0, 2.5], [9.0, 9.0]])
    problem = Problem(Topology(["foot"]), [Candidates(places, np.zeros(3))], unary=[[floor]])
    solution = partgraph.solve(problem)
    assert solution.labels.tolist() == [[1]]
    assert solution.scores.tolist() == [-0.5]
