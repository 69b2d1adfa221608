"""Which parts of a dog are coupled: the paper's topologies (section 3.4) for another object.

Edges point outwards from the loin wherever the skeleton gives a direction, because the expected displacement of an
edge is read at its first part's image cell.
"""

from __future__ import annotations

from collections.abc import Iterable

import networkx as nx

from partgraph_dogpose.skeleton import LIMBS, PARTS, ROOT


def _graph(edges: Iterable[tuple[str, str]]) -> nx.DiGraph:
    graph = nx.DiGraph()
    graph.add_nodes_from(PARTS)
    graph.add_edges_from(edges)
    return graph


def unary_only() -> nx.DiGraph:
    """No edges: every part at its own best-scored candidate."""
    return _graph([])


def center_star() -> nx.DiGraph:
    """All parts connected to one in the middle of the body (24 edges)."""
    center = PARTS[ROOT]
    return _graph((center, part) for part in PARTS if part != center)


def stick_figure() -> nx.DiGraph:
    """The dog's skeleton, a tree (24 edges)."""
    return _graph(LIMBS)


def extended() -> nx.DiGraph:
    """The stick figure with legs tied to those beside, before and behind them, head to shoulders (32 edges).

    Left and right legs are what a network confuses; the ties between them hold them apart.
    """
    graph = stick_figure()
    graph.add_edges_from(
        [
            ("left-elbow", "right-elbow"),
            ("left-knee", "right-knee"),
            ("left-fore-paw", "right-fore-paw"),
            ("left-hind-paw", "right-hind-paw"),
            ("left-elbow", "left-knee"),
            ("right-elbow", "right-knee"),
            ("left-shoulder", "skull"),
            ("right-shoulder", "skull"),
        ]
    )
    return graph


def two_hop() -> nx.DiGraph:
    """The stick figure with every pair of parts two bones apart (53 edges)."""
    graph = stick_figure()
    distance = dict(nx.all_pairs_shortest_path_length(graph.to_undirected(), cutoff=2))
    graph.add_edges_from(
        (first, second)
        for position, first in enumerate(PARTS)
        for second in PARTS[position + 1 :]
        if distance[first].get(second) == 2
    )
    return graph


def loopy() -> nx.DiGraph:
    """`two_hop` with the ties of `extended`: many short loops, and long ones through all four legs (61 edges)."""
    graph = two_hop()
    graph.add_edges_from(edge for edge in extended().edges if not graph.has_edge(*reversed(edge)))
    return graph
