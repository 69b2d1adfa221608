import networkx as nx
import pytest
from hypothesis import given

from partgraph import ProblemError, Star, Topology
from partgraph.testing import installed, parametrize_with_checks, strategies
from partgraph.testing.graph_checks import CHECKS

TRIANGLE = Topology("abc", [(0, 1), (1, 2), (2, 0)])


@parametrize_with_checks(
    [
        TRIANGLE,
        Topology(["alone"]),
        Topology("abcde", [(1, 0), (0, 1), (3, 4)]),
        Topology.from_networkx(nx.complete_graph(5)),
        *installed("graph"),
    ]
)
def test_conformance(subject, check):
    check(subject)


@pytest.mark.parametrize("check", CHECKS[:-1], ids=lambda check: check.__name__)
@given(graph=strategies.graphs(max_parts=7))
def test_conformance_of_any_graph(check, graph):
    check(graph)


@given(strategies.stars(max_parts=6))
def test_a_star_is_covered_by_one_star(graph):
    assert graph.is_star
    assert graph.is_tree
    assert len(graph.stars()) == 1


@given(strategies.trees(max_parts=6))
def test_a_tree_has_no_cycle(graph):
    assert graph.is_tree
    assert graph.cycle() == ()


@given(strategies.loops(max_parts=6))
def test_a_cycle_is_one(graph):
    cycle = graph.cycle()
    assert not graph.is_tree
    assert len(set(cycle)) == len(cycle) >= 3
    for pair in zip(cycle, (*cycle[1:], cycle[0]), strict=True):
        assert tuple(sorted(pair)) in graph.links()


def test_an_edge_and_its_reverse_make_no_cycle():
    both = Topology("ab", [(0, 1), (1, 0)])
    assert both.is_star
    assert both.stars() == (Star(0, (1,), (0, 1)),)


def test_pieces_and_lone_parts():
    graph = Topology("abcd", [(0, 1)])
    assert (graph.is_star, graph.is_tree, graph.is_forest) == (False, False, True)
    assert graph.stars() == (Star(0, (1,), (0,)), Star(2), Star(3))
    assert graph.shared() == ()
    assert Topology("a").is_star


def test_the_cover_starts_with_the_part_of_most_edges():
    hub = Topology("abcde", [(4, 0), (1, 4), (4, 2), (4, 3), (0, 1)])
    first, second = hub.stars()
    assert first == Star(4, (0, 1, 2, 3), (0, 1, 2, 3))
    assert second == Star(0, (1,), (4,))
    assert hub.multiplicity().tolist() == [2, 2, 1, 1, 1]
    assert hub.shared() == (0, 1)


def test_networkx_keeps_order_and_direction():
    directed = nx.DiGraph()
    directed.add_nodes_from(["wrist", "elbow", "hand"])
    directed.add_edges_from([("hand", "wrist"), ("elbow", "wrist"), ("wrist", "elbow")])
    graph = Topology.from_networkx(directed)
    assert graph.parts == ("wrist", "elbow", "hand")
    assert set(graph.edges) == {(2, 0), (1, 0), (0, 1)}
    plain = Topology.from_networkx(nx.path_graph(["a", "b", "c"]))
    assert plain.edges == ((0, 1), (1, 2))


@pytest.mark.parametrize(
    ("parts", "edges", "message"),
    [
        ([], [], "at least one part; found none"),
        (["a", "b", "a"], [], "part names must be distinct; found 'a' more than once"),
        (["a", "b"], [(0, 2)], r"edge 0 is \(0, 2\); it must be a pair of part indices between 0 and 1"),
        (["a", "b"], [(0, -1)], r"edge 0 is \(0, -1\)"),
        (["a", "b"], [(0, 1, 1)], r"edge 0 is \(0, 1, 1\)"),
        (
            ["a", "b"],
            [("a", "b")],
            "edges are pairs of the parts' indices.*by the parts' names use Topology.from_networkx",
        ),
        (["a", "b"], [0, 1], "edges are pairs of the parts' indices"),
        (["a", "b"], [(1, 1)], "edge 0 joins 'b' with itself; use a unary potential"),
        (["a", "b"], [(0, 1), (0, 1)], "edge a -> b is listed twice"),
    ],
)
def test_bad_graphs_are_refused(parts, edges, message):
    with pytest.raises(ProblemError, match=message):
        Topology(parts, edges)


def test_self_loops_and_multigraphs_from_networkx_are_refused():
    with pytest.raises(ProblemError, match="joins 'a' with itself"):
        Topology.from_networkx(nx.Graph([("a", "a")]))
    with pytest.raises(ProblemError, match="listed twice"):
        Topology.from_networkx(nx.MultiDiGraph([("a", "b"), ("a", "b")]))
