"""The topologies over a dog's parts, as they are registered."""

import networkx as nx
import pytest
from partgraph_dogpose.skeleton import FLIP, LIMBS, PARTS, ROOT, mirrored

from partgraph import plugins

EDGES = {
    "dog-unary-only": 0,
    "dog-center-star": 24,
    "dog-stick-figure": 24,
    "dog-extended": 32,
    "dog-two-hop": 53,
    "dog-loopy": 61,
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
    assert len(graph.edges) == len(links(name)) == EDGES[name]


def test_what_is_said_of_a_graph_names_its_edges(name):
    (entry,) = (entry for entry in plugins.installed("graph") if entry.component.name == name)
    assert not EDGES[name] or f"{EDGES[name]} edges" in entry.component.summary


def test_trees_are_trees_and_loops_are_loops():
    assert [name for name in EDGES if plugins.get("graph", name).is_tree] == [
        "dog-center-star",
        "dog-stick-figure",
    ]
    assert [name for name in EDGES if plugins.get("graph", name).is_star] == ["dog-center-star"]
    for name in ("dog-extended", "dog-two-hop", "dog-loopy"):
        assert nx.cycle_basis(plugins.get("graph", name).to_networkx().to_undirected())


def test_every_graph_with_edges_couples_all_parts(name):
    if EDGES[name]:
        assert nx.is_connected(plugins.get("graph", name).to_networkx().to_undirected())


def test_graphs_are_mirror_symmetric(name):
    assert {frozenset(map(mirrored, link)) for link in links(name)} == links(name)


def test_bones_point_away_from_the_loin():
    distance = nx.single_source_shortest_path_length(nx.Graph(list(LIMBS)), PARTS[ROOT])
    assert set(distance) == set(PARTS)
    assert all(distance[second] == distance[first] + 1 for first, second in LIMBS)


def test_two_hop_is_the_square_of_the_tree_and_loopy_holds_the_legs_apart():
    square = {frozenset(edge) for edge in nx.power(nx.Graph(list(LIMBS)), 2).edges}
    assert links("dog-two-hop") == square
    assert links("dog-loopy") == square | links("dog-extended")
    assert frozenset(("left-hind-paw", "right-hind-paw")) in links("dog-loopy") - square


def test_flip_is_its_own_inverse_and_exchanges_sides():
    assert len(PARTS) == len(set(PARTS)) == 25
    assert [FLIP[k] for k in FLIP] == list(range(25))
    assert [PARTS[k] for k in range(25) if FLIP[k] == k] == [
        "nose",
        "skull",
        "neck",
        "neck-base",
        "loin",
        "pelvis",
        "tail-base",
        "tail-middle",
        "tail-tip",
    ]
    for k, part in enumerate(PARTS):
        if FLIP[k] != k:
            assert {part, PARTS[FLIP[k]]} == {
                f"{side}-{part.partition('-')[2]}" for side in ("left", "right")
            }
