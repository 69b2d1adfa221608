"""Where to draw the parts of a graph that has no pose: as far apart as they are along the edges.

The stress of a drawing, sum_(i,j) (|x_i - x_j| - d_ij)^2 / d_ij^2 over all pairs with d_ij the number of links between,
falls with every step x <- V^+ B(x) x (de Leeuw, 1977; Gansner, Koren and North, 2004, for graphs).
"""

from __future__ import annotations

import networkx as nx
import numpy as np

from partgraph.graph import Graph

_STEPS = 200


def layout(graph: Graph) -> np.ndarray:
    """Return positions of the parts in the plane, (N, 2) float64, a link about 1 long; the same for the same graph."""
    n = len(graph.parts)
    if n == 1:
        return np.zeros((1, 2))
    distance = _distances(graph)
    weight = np.where(distance > 0, 1 / np.maximum(distance, 1) ** 2, 0.0)
    inverse = np.linalg.pinv(np.diag(weight.sum(1)) - weight)
    places = _start(distance)
    for _ in range(_STEPS):
        apart = np.linalg.norm(places[:, None] - places, axis=2)
        pull = -weight * distance / np.maximum(apart, 1e-9)
        places = inverse @ (pull - np.diag(pull.sum(1))) @ places
    return places


def _distances(graph: Graph) -> np.ndarray:
    """Return the numbers of links between parts, (N, N); pieces are one further apart than the largest is wide."""
    n = len(graph.parts)
    links = nx.Graph(graph.links())
    links.add_nodes_from(range(n))
    distance = np.full((n, n), np.inf)
    for part, reached in nx.all_pairs_shortest_path_length(links):
        distance[part, list(reached)] = list(reached.values())
    widest = distance[np.isfinite(distance)].max()
    return np.where(np.isfinite(distance), distance, widest + 1)


def _start(distance: np.ndarray) -> np.ndarray:
    """Return the plane closest to the distances (Torgerson, 1952), with equal parts moved apart on a circle."""
    n = len(distance)
    middle = np.eye(n) - 1 / n
    values, vectors = np.linalg.eigh(-0.5 * middle @ distance**2 @ middle)
    plane = vectors[:, -2:] * np.sqrt(np.maximum(values[-2:], 0))
    plane *= np.where(
        plane[np.abs(plane).argmax(0), [0, 1]] < 0, -1, 1
    )  # an eigenvector's sign means nothing
    angle = 2 * np.pi * np.arange(n) / n
    return plane + 0.3 * np.stack([np.cos(angle), np.sin(angle)], 1)
