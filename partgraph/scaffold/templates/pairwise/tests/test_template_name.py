"""The conformance checks of PartGraph, and what is special about this potential."""

import partgraph
from partgraph import Candidates, Problem, Topology
from partgraph.testing import parametrize_with_checks

from partgraph_template_name.template_name import TemplateName, examples

NAME = "template-name:template-name"


@parametrize_with_checks(examples())
def test_conformance(subject, check):
    check(subject)


def test_it_is_found_by_name():
    assert partgraph.plugins.get("pairwise", NAME) is TemplateName


def test_parts_go_as_far_as_the_leash_is_long():
    graph = Topology(["dog", "owner"], [(0, 1)])
    dog = Candidates([[1.0], [3.0], [9.0]], [0.0, 1.0, 2.0])
    owner = Candidates([[0.0]], [0.0])
    solution = partgraph.solve(Problem(graph, [dog, owner], [TemplateName(reach=3.0)]))
    assert solution.labels.tolist() == [[1, 0]]
    assert solution.scores.tolist() == [1.0]
