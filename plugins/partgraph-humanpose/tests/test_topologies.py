"""The topologies of section 3.4 of the paper, as they are registered."""

import networkx as nx
import pytest
from partgraph_humanpose import topologies
from partgraph_humanpose.skeleton import FLIP, LIMBS, PARTS, ROOT, mirrored

from partgraph import plugins

EDGES = {
    "unary-only": 0,
    "center-star": 15,
    "stick-figure": 15,
    "extended-stick-figure": 21,
    "two-hop": 33,
    "two-hop-knees": 34,
}


@pytest.fixture(params=EDGES)
def name(request):
    return request.param


def links(name):
    graph = plugins.get("graph", name)
    return {frozenset((graph.parts[i], graph.parts[j])) for i, j in graph.edges}


def test_parts_and_number_of_edges(name):
    graph = plugins.get("graph", name)
    assert graph.parts == PARTS
    assert len(graph.edges) == EDGES[name]
    assert len(links(name)) == EDGES[name]


def test_trees_are_trees():
    assert [name for name in EDGES if plugins.get("graph", name).is_tree] == ["center-star", "stick-figure"]
    assert [name for name in EDGES if plugins.get("graph", name).is_star] == ["center-star"]


def test_every_graph_with_edges_couples_all_joints(name):
    if EDGES[name]:
        assert nx.is_connected(plugins.get("graph", name).to_networkx().to_undirected())


def test_center_star_is_around_the_pelvis():
    graph = plugins.get("graph", "center-star")
    assert all(graph.parts[i] == "pelvis" for i, _ in graph.edges)


def test_two_hop_is_the_square_of_the_tree():
    bones = nx.Graph(list(LIMBS))
    square = {frozenset(edge) for edge in nx.power(bones, 2).edges}
    assert links("two-hop") == square
    for pair in (("right-wrist", "right-shoulder"), ("left-ankle", "left-hip")):  # the paper's own examples
        assert frozenset(pair) in square


def test_two_hop_knees_adds_the_knees():
    added = links("two-hop-knees") - links("two-hop")
    assert added == {frozenset(("left-knee", "right-knee"))}
    assert links("two-hop") < links("two-hop-knees")


def test_extended_stick_figure_adds_what_the_paper_lists():
    added = links("extended-stick-figure") - links("stick-figure")
    assert added == {
        frozenset(("left-elbow", "right-elbow")),
        frozenset(("left-knee", "right-knee")),
        frozenset(("head-top", "left-shoulder")),
        frozenset(("head-top", "right-shoulder")),
        frozenset(("thorax", "left-knee")),
        frozenset(("thorax", "right-knee")),
    }
    assert links("stick-figure") < links("extended-stick-figure")


def test_bones_point_away_from_the_pelvis():
    tree = topologies.stick_figure()
    distance = nx.single_source_shortest_path_length(tree.to_undirected(), "pelvis")
    assert all(distance[second] == distance[first] + 1 for first, second in tree.edges)
    assert set(distance) == set(PARTS)


def test_graphs_are_mirror_symmetric(name):
    assert {frozenset(map(mirrored, link)) for link in links(name)} == links(name)


def test_parts_are_those_of_mpii():
    """The order of MPII's annotations: right leg upwards, left leg downwards, spine, right arm, left arm."""
    assert len(PARTS) == len(set(PARTS)) == 16
    assert [
        PARTS.index(part) for part in ("right-ankle", "left-ankle", "pelvis", "head-top", "left-wrist")
    ] == [
        0,
        5,
        6,
        9,
        15,
    ]
    assert PARTS[ROOT] == "pelvis"


def test_flip_is_its_own_inverse_and_exchanges_sides():
    assert [FLIP[k] for k in FLIP] == list(range(16))
    assert sum(FLIP[k] == k for k in range(16)) == 4
    for k, part in enumerate(PARTS):
        assert PARTS[FLIP[k]].replace("left", "x").replace("right", "x") == part.replace("left", "x").replace(
            "right", "x"
        )
    assert {frozenset(map(mirrored, limb)) for limb in LIMBS} == {frozenset(limb) for limb in LIMBS}
