"""A graph: a wheel, whose rim is a loop and whose hub is coupled with every part of it.

Any networkx graph will do: its nodes are the parts, in their order, and its edges the couplings. Direction
matters where offsets are predicted at an edge's first part, so this one is directed, outwards from the hub.
"""

from __future__ import annotations

import networkx as nx

PARTS = ("hub", "north", "east", "south", "west")


def template_name() -> nx.DiGraph:
    """Return the wheel: four spokes, and the rim around them."""
    hub, *rim = PARTS
    graph = nx.DiGraph()
    graph.add_nodes_from(PARTS)
    graph.add_edges_from((hub, part) for part in rim)
    graph.add_edges_from(zip(rim, [*rim[1:], rim[0]], strict=True))
    return graph
