"""Graphs over the parts of a skeleton: a tree, stars, parts few bones apart, all pairs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeAlias

import networkx as nx

from partgraph.errors import ProblemError
from partgraph.graph import Graph, Topology

Skeleton: TypeAlias = nx.Graph | Graph
"""Bones between parts; those of a directed graph have a direction."""


def k_hop(skeleton: Skeleton, hops: int = 2) -> Topology:
    """Return the skeleton with every pair of parts up to `hops` bones apart; the paper's two-hop by default.

    Parameters
    ----------
    skeleton : networkx graph or Graph
        Bones keep their order and direction, the part added first before the other where they have none.
    hops : int
        1 is the skeleton itself. Further pairs come after the bones, by how many bones they are apart, and point from
        the part that comes first.
    """
    if hops < 1:
        raise ProblemError(f"hops must be at least 1, the skeleton itself; found {hops}")
    bones = as_topology(skeleton)
    distance = dict(nx.all_pairs_shortest_path_length(_undirected(bones), cutoff=hops))
    n = len(bones.parts)
    pairs = [(i, j) for i in range(n) for j in range(i + 1, n) if distance[i].get(j, 0) > 1]
    pairs.sort(key=lambda pair: distance[pair[0]][pair[1]])  # stable
    return Topology(bones.parts, (*bones.edges, *pairs), pose=bones.pose)


def star(skeleton: Skeleton, center: str | None = None) -> Topology:
    """Return the star of one part to every other.

    Parameters
    ----------
    skeleton : networkx graph or Graph
        Whose parts; its bones only serve to find a center.
    center : str, optional
        The part in the middle; by default the one with the fewest bones to all others, the first one on a tie.
    """
    bones = as_topology(skeleton)
    middle = best_center(bones) if center is None else index_of(bones.parts, center, "center")
    others = [part for part in range(len(bones.parts)) if part != middle]
    return Topology(bones.parts, [(middle, part) for part in others], pose=bones.pose)


def tree(skeleton: Skeleton, root: str | None = None) -> Topology:
    """Return a tree of bones that point away from the root.

    Parameters
    ----------
    skeleton : networkx graph or Graph
        Its bones must join all parts. Where they form loops, those of shortest paths from the root are kept.
    root : str, optional
        Where the tree starts; by default the part with the fewest bones to all others, the first one on a tie.
    """
    bones = as_topology(skeleton)
    start = best_center(bones) if root is None else index_of(bones.parts, root, "root")
    edges = list(nx.bfs_edges(_undirected(bones), start))
    if len(edges) < len(bones.parts) - 1:
        reached = {start, *(part for edge in edges for part in edge)}
        apart = [name for part, name in enumerate(bones.parts) if part not in reached]
        raise ProblemError(
            f"a tree needs bones that join all parts; found none from {bones.parts[start]!r} to {', '.join(apart)}; "
            "add bones, or make a tree of each piece"
        )
    return Topology(bones.parts, edges, pose=bones.pose)


def complete(skeleton: Skeleton | Iterable[str]) -> Topology:
    """Return the graph of all pairs, each from the part that comes first.

    Parameters
    ----------
    skeleton : networkx graph, Graph or names of parts
        Its bones do not matter.
    """
    bones = as_topology(skeleton) if isinstance(skeleton, nx.Graph | Graph) else Topology(skeleton)
    n = len(bones.parts)
    return Topology(bones.parts, [(i, j) for i in range(n) for j in range(i + 1, n)], pose=bones.pose)


# -- what they share ---------------------------------------------------------------------------------------------


def as_topology(skeleton: Skeleton) -> Graph:
    """Return a skeleton as one of our graphs."""
    return skeleton if isinstance(skeleton, Graph) else Topology.from_networkx(skeleton)


def index_of(parts: Sequence[str], name: str, what: str) -> int:
    """Return the index of a part that a user named."""
    if name not in parts:
        raise ProblemError(f"{what} must be one of the parts {', '.join(parts)}; found {name!r}")
    return list(parts).index(name)


def best_center(graph: Graph) -> int:
    """Return the part with the fewest links to all others, the first one on a tie; parts out of reach count N."""
    n = len(graph.parts)
    links = _undirected(graph)

    def total(part: int) -> int:
        reached = nx.single_source_shortest_path_length(links, part)
        return sum(reached.values()) + n * (n - len(reached))

    return min(range(n), key=total)


def _undirected(graph: Graph) -> nx.Graph:
    links = nx.Graph()
    links.add_nodes_from(range(len(graph.parts)))
    links.add_edges_from(graph.links())
    return links
