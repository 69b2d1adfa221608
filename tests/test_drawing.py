"""Pictures of graphs: every part, edge and star is in them, and the layout keeps apart what is apart."""

import itertools
import re
from xml.etree import ElementTree

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from partgraph import ProblemError, Topology
from partgraph.covers import COVERS
from partgraph.drawing import draw_graph, layout
from partgraph.drawing.colours import colours
from partgraph.testing import strategies

SVG = "{http://www.w3.org/2000/svg}"


def elements(svg, tag, cls):
    return [one for one in ElementTree.fromstring(svg).iter(SVG + tag) if one.get("class") == cls]


@given(strategies.graphs(max_parts=7), st.sampled_from(sorted(COVERS)), st.booleans(), st.data())
def test_everything_is_in_the_picture(graph, cover, posed, data):
    pose = data.draw(strategies.arrays(shape=(len(graph.parts), 3))) if posed else None
    graph = graph.with_cover(cover)
    svg = draw_graph(graph, pose)
    root = ElementTree.fromstring(svg)
    stars = [star for star in graph.stars() if star.leaves]
    assert len(elements(svg, "path", "edge")) == len(graph.edges)
    assert len(elements(svg, "circle", "center")) == 2 * len(stars)  # in the drawing and in the legend
    assert len(elements(svg, "circle", "part")) == len(graph.parts) - len(stars)
    names = [text.text.strip() for text in root.iter(SVG + "text")]
    assert sorted(names) == sorted([*graph.parts, *(graph.parts[star.center] for star in stars)])
    titles = [title.text for title in root.iter(SVG + "title")]
    for star in stars:
        for edge in star.edges:
            assert f"{graph.edge_name(edge)}, star of {graph.parts[star.center]}" in titles
    left, top, width, height = map(float, root.get("viewBox").split())
    for circle in elements(svg, "circle", "part"):
        assert left <= float(circle.get("cx")) <= left + width
        assert top <= float(circle.get("cy")) <= top + height


def test_edges_of_a_star_share_its_colour():
    graph = Topology("abcd", [(0, 1), (2, 0), (2, 3)])
    svg = draw_graph(graph)
    edges = re.findall(r'color:(#\w+)"><title>(\w) -&gt; (\w), star of (\w)', svg)
    assert len({colour for colour, *_, center in edges if center == "a"}) == 1
    assert len({colour for colour, *_ in edges}) == len(graph.stars()) == 2


def test_names_are_escaped_and_axes_beyond_two_ignored():
    graph = Topology(["<a>", "b&c"], [(0, 1)], pose=[(0, 0, 5), (3, 4, 9)])
    svg = draw_graph(graph)
    assert "&lt;a&gt;" in svg
    assert svg == draw_graph(graph, [(0, 0), (3, 4)])


def test_an_edge_bends_around_parts_in_its_way_and_beside_its_reverse():
    def straight(graph):
        found = []
        for path in elements(draw_graph(graph), "path", "edge"):
            a, b, c, d, e, f = map(float, re.findall(r"-?[\d.]+", path.get("d")))
            found.append(abs((c - a) * (f - b) - (d - b) * (e - a)) < 10)
        return found

    line = [(0, 0), (1, 0), (2, 0)]
    assert straight(Topology("abc", [(0, 1), (0, 2)], pose=line)) == [True, False]
    assert straight(Topology("abc", [(0, 1), (1, 0)], pose=line)) == [False, False]


@pytest.mark.parametrize(
    "graph", [nx.path_graph(6), nx.cycle_graph(5), nx.star_graph(6), nx.grid_2d_graph(3, 3)]
)
def test_a_layout_is_about_as_far_apart_as_the_graph(graph):
    topology = Topology.from_networkx(nx.convert_node_labels_to_integers(graph))
    places = layout(topology)
    hops = nx.floyd_warshall_numpy(nx.Graph(topology.links()), nodelist=range(len(topology.parts)))
    pairs = np.triu_indices(len(hops), 1)
    apart = np.linalg.norm(places[:, None] - places, axis=2)[pairs]
    assert np.mean((apart / hops[pairs] - 1) ** 2) < 0.07
    np.testing.assert_array_equal(places, layout(topology))


@given(strategies.graphs(max_parts=8))
def test_no_two_parts_share_a_place(graph):
    places = layout(graph)
    assert np.isfinite(places).all()
    assert all(np.linalg.norm(x - y) > 0.1 for x, y in itertools.combinations(places, 2))


@pytest.mark.parametrize("count", [0, 1, 2, 3, 5, 11, 16, 40])
def test_colours_are_distinct(count):
    found = colours(count)
    assert len(set(found)) == len(found) == count
    assert all(re.fullmatch("#[0-9a-f]{6}", colour) for colour in found)


@pytest.mark.parametrize("pose", [[(0, 0)], [(0,), (1,)], [(0, 0), (0, np.nan)], [0, 1]])
def test_a_pose_that_does_not_fit(pose):
    with pytest.raises(ProblemError, match=r"a pose to draw must be finite, of shape \(2, 2 or more\)"):
        draw_graph(Topology("ab", [(0, 1)]), pose)
