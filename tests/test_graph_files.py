"""Graph files: what is written comes back, from networkx too, and what is malformed is named."""

import json

import networkx as nx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from partgraph import ProblemError, Topology, load_graph, save_graph
from partgraph.covers import COVERS
from partgraph.graph_files import find_graph
from partgraph.testing import strategies

numbers = st.floats(-1e6, 1e6)


@given(strategies.graphs(max_parts=6), st.sampled_from(sorted(COVERS)), st.sampled_from([0, 2, 3]), st.data())
def test_a_graph_comes_back(tmp_path_factory, graph, cover, axes, data):
    pose = [data.draw(st.lists(numbers, min_size=axes, max_size=axes)) for _ in graph.parts] if axes else ()
    graph = Topology(graph.parts, graph.edges, cover=cover, pose=pose)
    path = tmp_path_factory.mktemp("graphs") / "graph.json"
    save_graph(graph, path)
    back = load_graph(path)
    assert (back, back.pose) == (graph, graph.pose)
    by_networkx = nx.node_link_graph(json.loads(path.read_text()), edges="edges")
    assert set(by_networkx.edges) == {(graph.parts[i], graph.parts[j]) for i, j in graph.edges}
    assert Topology.from_networkx(graph.to_networkx()).pose == graph.pose


@pytest.mark.parametrize("edges", ["edges", "links"])
def test_what_networkx_writes_is_read(tmp_path, edges):
    skeleton = nx.Graph([("a", "b"), ("b", "c")])
    (tmp_path / "own.json").write_text(json.dumps(nx.node_link_data(skeleton, edges=edges)))
    assert load_graph(tmp_path / "own.json") == Topology("abc", [(0, 1), (1, 2)])


def test_a_name_is_a_file_or_registered(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    save_graph(Topology("ab", [(0, 1)]), "own.json")
    assert find_graph("own.json") == Topology("ab", [(0, 1)])
    with pytest.raises(ProblemError, match=r"other\.json: cannot be read: No such file or directory"):
        find_graph("other.json")


NODES = '"nodes": [{"id": "a"}, {"id": "b"}]'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is not JSON"),
        ("[]", "is no node-link graph: 'nodes' must be a list of objects that have 'id'"),
        ("{}", "'nodes' must be a list"),
        (f"{{{NODES}}}", "'links' must be a list of objects that have 'source'"),
        (f'{{{NODES}, "edges": [1]}}', "'edges' must be a list of objects"),
        (f'{{{NODES}, "edges": [{{"source": "a", "target": "c"}}]}}', "an edge names 'c', which is none of"),
        (f'{{{NODES}, "edges": [{{"source": "a"}}]}}', "an edge names 'None'"),
        (f'{{{NODES}, "edges": [{{"source": "a", "target": "a"}}]}}', "joins 'a' with itself"),
        (f'{{{NODES}, "edges": [], "graph": {{"cover": "few"}}}}', "cover must be 'greedy'"),
        ('{"nodes": [], "edges": []}', "at least one part"),
        ('{"nodes": [{"id": "a", "position": 3}], "edges": []}', "a position that is no list of numbers"),
        (
            '{"nodes": [{"id": "a", "position": [1]}], "edges": []}',
            "a pose must have a finite position of two",
        ),
        (
            '{"nodes": [{"id": "a", "position": ["x", 1]}], "edges": []}',
            "no list of numbers: could not convert string",
        ),
    ],
)
def test_malformed_files_are_refused_in_one_line(tmp_path, text, message):
    path = tmp_path / "bad.json"
    path.write_text(text)
    with pytest.raises(ProblemError, match=message) as caught:
        load_graph(path)
    assert str(caught.value).startswith(f"{path}: ")


def test_a_cover_without_a_name_is_not_written(tmp_path):
    own = Topology("ab", [(0, 1)], cover=lambda parts, links: [0])
    with pytest.raises(ProblemError, match="a graph file holds covers by name"):
        save_graph(own, tmp_path / "graph.json")
