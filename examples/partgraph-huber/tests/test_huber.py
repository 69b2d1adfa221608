"""All that the plugin needs as tests: the framework's own, and what is special about it."""

import numpy as np
from partgraph_huber import Huber, examples

import partgraph
from partgraph import Candidates, Problem, Quadratic, Topology
from partgraph.testing import parametrize_with_checks


@parametrize_with_checks(examples())
def test_conformance(subject, check):
    check(subject)


def test_it_is_found_by_name():
    assert partgraph.plugins.get("pairwise", "huber") is Huber


def test_it_is_quadratic_near_and_linear_far():
    huber, quadratic = Huber([0.0, 0.0], 2.0), Quadratic([0.5, 0.5], [0.0, 0.0])
    x = np.zeros(2)
    assert huber.evaluate(x, np.array([1.0, -2.0])) == quadratic.evaluate(x, np.array([1.0, -2.0]))
    assert huber.evaluate(x, np.array([12.0, 0.0])) - huber.evaluate(x, np.array([10.0, 0.0])) == -2 * 2.0


def test_an_outlier_does_not_win():
    # The right part is too far away. Least squares pulls the middle half way towards it; Huber stays at the evidence.
    graph = Topology(["left", "middle", "right"], [(0, 1), (1, 2)])
    parts = [Candidates([[0.0]], [0.0]), Candidates([[1.0], [5.0]], [1.0, 0.0]), Candidates([[10.0]], [0.0])]
    least_squares = Problem(graph, parts, [Quadratic([0.5], [1.0])] * 2)
    robust = Problem(graph, parts, [Huber([1.0])] * 2)
    assert partgraph.solve(least_squares).labels[0].tolist() == [0, 1, 0]
    assert partgraph.solve(robust, "exhaustive").labels[0].tolist() == [0, 0, 0]
