"""Which joints are coupled: the graph topologies of the paper's section 3.4.

Edges point outwards from the pelvis wherever the skeleton gives a direction, because the expected
displacement of an edge is read at its first part's image cell.
"""

from __future__ import annotations

import networkx as nx

from partgraph.topologies import k_hop
from partgraph_humanpose.skeleton import LIMBS, PARTS, POSE


def _graph(edges: list[tuple[str, str]] | tuple[tuple[str, str], ...]) -> nx.DiGraph:
    graph = nx.DiGraph()
    graph.add_nodes_from((part, {"position": place}) for part, place in zip(PARTS, POSE, strict=True))
    graph.add_edges_from(edges)
    return graph


def unary_only() -> nx.DiGraph:
    """No edges: every joint at its own best-scored candidate."""
    return _graph([])


def center_star() -> nx.DiGraph:
    """All joints connected to one central root at the human's torso (15 edges)."""
    return _graph([("pelvis", part) for part in PARTS if part != "pelvis"])


def stick_figure() -> nx.DiGraph:
    """The human skeleton, a tree (15 edges)."""
    return _graph(LIMBS)


def extended_stick_figure() -> nx.DiGraph:
    """The stick figure with elbow to elbow, knee to knee, head to shoulders and torso to knees (21 edges)."""
    graph = stick_figure()
    graph.add_edges_from(
        [
            ("right-elbow", "left-elbow"),
            ("right-knee", "left-knee"),
            ("head-top", "right-shoulder"),
            ("head-top", "left-shoulder"),
            ("thorax", "right-knee"),
            ("thorax", "left-knee"),
        ]
    )
    return graph


def two_hop() -> nx.DiGraph:
    """The stick figure with every pair of joints two bones apart (33 edges)."""
    return k_hop(stick_figure()).to_networkx()


def two_hop_knees() -> nx.DiGraph:
    """`two_hop` with the knee-to-knee edge that the paper's text names beside it (34 edges)."""
    graph = two_hop()
    graph.add_edge("right-knee", "left-knee")
    return graph
