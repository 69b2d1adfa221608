"""Trees of a graph without cycles, rooted: the order in which messages are passed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

import attrs

from partgraph import Graph


@final
@attrs.frozen
class Branch:
    """A part below another one.

    Attributes
    ----------
    parent, child : int
        Their indices.
    edges : tuple of int
        The edges between the two, in either direction.
    """

    parent: int
    child: int
    edges: tuple[int, ...]


@final
@attrs.frozen
class Tree:
    """A connected piece of the graph.

    Attributes
    ----------
    root : int
        Index of the part at the top.
    branches : tuple of Branch
        Parents before their children.
    """

    root: int
    branches: tuple[Branch, ...]

    @property
    def parts(self) -> tuple[int, ...]:
        """Its parts, the root first."""
        return (self.root, *(branch.child for branch in self.branches))


def trees_of(graph: Graph, sizes: Sequence[int]) -> tuple[Tree, ...]:
    """Return the trees of a forest.

    The root is the part with most neighbours, so that a star's is its center; of several, the one with most candidates,
    since n of its candidates stand for n different configurations.
    """
    between: dict[int, dict[int, list[int]]] = {part: {} for part in range(len(graph.parts))}
    for e, (i, j) in enumerate(graph.edges):
        for part, other in ((i, j), (j, i)):
            between[part].setdefault(other, []).append(e)
    trees, seen = [], set[int]()
    for root in sorted(between, key=lambda part: (-len(between[part]), -sizes[part])):
        if root in seen:
            continue
        seen.add(root)
        branches: list[Branch] = []
        queue = [root]
        for parent in queue:  # grows while it is read: breadth first
            for child, edges in between[parent].items():
                if child not in seen:
                    seen.add(child)
                    branches.append(Branch(parent, child, tuple(edges)))
                    queue.append(child)
        trees.append(Tree(root, tuple(branches)))
    return tuple(trees)
