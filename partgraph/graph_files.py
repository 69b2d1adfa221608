"""Graph files: networkx's node-link JSON, which any language can write.

    {"directed": true, "graph": {"cover": "fewest"},
     "nodes": [{"id": "elbow", "position": [31, 40]}, {"id": "wrist", "position": [35, 62]}],
     "edges": [{"source": "elbow", "target": "wrist"}]}

Nodes and edges are in the order of parts and edges; ``graph`` and ``position`` may be missing. Where edges are
undirected they point from the source to the target all the same.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from partgraph import plugins
from partgraph.covers import DEFAULT
from partgraph.errors import ProblemError
from partgraph.graph import Graph, Topology

SUFFIX = ".json"


def save_graph(graph: Graph, path: str | os.PathLike[str]) -> None:
    """Write parts, edges, pose and the name of the cover to a file.

    Raises
    ------
    ProblemError
        If the graph has a cover of its own, which a file cannot hold.
    """
    cover = getattr(graph, "cover", DEFAULT)
    if not isinstance(cover, str):
        raise ProblemError(
            f"a graph file holds covers by name; found {cover!r}: save the graph with another cover, and put this one "
            "back with graph.with_cover when it is read"
        )
    nodes: list[dict[str, Any]] = [{"id": part} for part in graph.parts]
    for node, position in zip(nodes, graph.pose, strict=False):
        node["position"] = position
    edges = [{"source": graph.parts[i], "target": graph.parts[j]} for i, j in graph.edges]
    values = {
        "directed": True,
        "multigraph": False,
        "graph": {"cover": cover},
        "nodes": nodes,
        "edges": edges,
    }
    Path(path).write_text(json.dumps(values, indent=1) + "\n", encoding="utf-8")


def load_graph(path: str | os.PathLike[str]) -> Topology:
    """Read a graph file, written by `save_graph`, by networkx's ``node_link_data``, or by hand.

    Raises
    ------
    ProblemError
        If the file cannot be read or is no graph; the message is one line that names the file and what is wrong.
    """
    try:
        return _graph(_read(Path(path)))
    except ProblemError as error:
        raise ProblemError(f"{os.fspath(path)}: {error}") from error.__cause__


def find_graph(name: str) -> Graph:
    """Return the graph of a name: a file that ends in ``.json``, or else a registered graph."""
    return load_graph(name) if name.endswith(SUFFIX) else plugins.get("graph", name)


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ProblemError(f"cannot be read: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise ProblemError(f"is not JSON: {error}") from error


def _graph(values: Any) -> Topology:
    # Read by hand, since networkx adds nodes that edges name, and so forgives a misspelt part.
    nodes = _list(values, "nodes", "id")
    edges = _list(values, "edges" if "edges" in values else "links", "source")
    parts = [str(node["id"]) for node in nodes]
    number = {part: index for index, part in enumerate(parts)}
    pairs = []
    for edge in edges:
        ends = str(edge["source"]), str(edge.get("target"))
        unknown = [end for end in ends if end not in number]
        if unknown:
            raise ProblemError(f"an edge names {unknown[0]!r}, which is none of the nodes {', '.join(parts)}")
        pairs.append((number[ends[0]], number[ends[1]]))
    pose = [node["position"] for node in nodes if "position" in node]
    options = values.get("graph")
    cover = options.get("cover", DEFAULT) if isinstance(options, dict) else DEFAULT
    try:
        return Topology(parts, pairs, cover=cover, pose=pose)
    except ProblemError:
        raise
    except (TypeError, ValueError) as error:
        raise ProblemError(f"has a position that is no list of numbers: {error}") from error


def _list(values: Any, name: str, key: str) -> list[dict[str, Any]]:
    rows = values.get(name) if isinstance(values, dict) else None
    if not isinstance(rows, list) or not all(isinstance(row, dict) and key in row for row in rows):
        raise ProblemError(f"is no node-link graph: {name!r} must be a list of objects that have {key!r}")
    return rows
