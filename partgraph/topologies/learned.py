"""Graphs and terms from poses: couple the parts that tell most about each other (Chow and Liu, 1968).

Among all trees, the one with the largest sum of informations I(i, j) over its edges makes the poses most likely. Two
measures, both of Gaussians, in nats:

    displacement    I(i, j) = -1/2 log det Cov(x_j - x_i)
    position        I(i, j) =  1/2 log [det Cov(x_i) det Cov(x_j) / det Cov(x_i, x_j)]

The first is what terms of a displacement (eq. 3) can use, since objects may be anywhere: it is the limit of the second,
but for a constant, when a random shift of the whole pose is added whose variance goes to infinity. Only its differences
mean something. The second is the mutual information of positions in a common frame.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, Literal, TypeAlias, get_args

import networkx as nx
import numpy as np
from numpy.typing import ArrayLike

from partgraph.errors import ProblemError
from partgraph.graph import Graph, Topology
from partgraph.potentials import Quadratic
from partgraph.topologies.skeletons import best_center, index_of

Measure: TypeAlias = Literal["displacement", "position"]


def learn(
    poses: ArrayLike,
    parts: Iterable[str],
    *,
    further: int = 0,
    root: str | None = None,
    inwards: bool = False,
    measure: Measure = "displacement",
    resolution: float | None = None,
) -> Topology:
    """Return the tree of the most informative pairs, with the best further pairs if asked for.

    Parameters
    ----------
    poses : array
        (S, N, D) float, length: training poses; NaN for a part that is not known.
    parts : iterable of str
        N names.
    further : int
        How many pairs are added to the tree, those with most information first; they close loops.
    root : str, optional
        The part that edges point away from; by default the one with the fewest edges to all others.
    inwards : bool
        Whether edges point towards the root instead.
    measure : str
        ``"displacement"``, which does not depend on where objects are, or ``"position"``, for poses in a common frame.
    resolution : float, optional
        Standard deviations are not told apart far below this length. Default: a thousandth of the root mean square
        distance of parts from the middle of their pose.

    Returns
    -------
    Topology
        Tree edges in the order of breadth-first search, then the further ones, best first. Its pose is the first one
        that is complete.

    Raises
    ------
    ProblemError
        If shapes do not fit, or too few poses know both parts of enough pairs.
    """
    names = tuple(map(str, parts))
    known = _checked(poses, len(names))
    value = information(known, measure=measure, resolution=resolution)
    pairs = [(i, j) for i in range(len(names)) for j in range(i + 1, len(names)) if value[i, j] > -np.inf]
    pairs.sort(key=lambda pair: -value[pair])  # stable: ties by index
    candidates = nx.Graph()
    candidates.add_nodes_from(range(len(names)))
    candidates.add_edges_from((i, j, {"weight": value[i, j]}) for i, j in pairs)
    if not nx.is_connected(candidates):
        piece = sorted(nx.node_connected_component(candidates, 0))
        rest = ", ".join(name for part, name in enumerate(names) if part not in piece)
        raise ProblemError(
            f"too few poses know both a part of {', '.join(names[part] for part in piece)} and one of {rest}; "
            "give more poses, or leave parts out"
        )
    spanning = nx.maximum_spanning_tree(candidates)
    if not 0 <= further <= len(pairs) - spanning.number_of_edges():
        raise ProblemError(
            f"further must lie between 0 and {len(pairs) - spanning.number_of_edges()}, the pairs that the tree "
            f"leaves; found {further}"
        )
    tree = Topology(names, spanning.edges)
    start = best_center(tree) if root is None else index_of(names, root, "root")
    depth = nx.single_source_shortest_path_length(spanning, start)
    added = [pair for pair in pairs if not spanning.has_edge(*pair)][:further]
    edges = list(nx.bfs_edges(spanning, start))
    edges += [(i, j) if depth[i] <= depth[j] else (j, i) for i, j in added]
    if inwards:
        edges = [(j, i) for i, j in edges]
    complete = np.flatnonzero(np.isfinite(known).all((1, 2)))
    shown = known[complete[0]] if len(complete) and known.shape[2] > 1 else ()
    return Topology(names, edges, pose=shown)


def information(
    poses: ArrayLike, *, measure: Measure = "displacement", resolution: float | None = None
) -> np.ndarray:
    """Return what two parts tell about each other, for all pairs, nats.

    Parameters
    ----------
    poses, measure, resolution
        As for `learn`.

    Returns
    -------
    array
        (N, N) float64, symmetric; -inf on the diagonal, and where too few poses know both parts: as many as a
        covariance has axes, and one, are needed. Sample covariances of few poses are too small; that is corrected.
    """
    known = _checked(poses)
    if measure not in get_args(Measure):
        raise ProblemError(f"measure must be {' or '.join(map(repr, get_args(Measure)))}; found {measure!r}")
    smallest = _resolution(known, resolution) ** 2
    n, dimensions = known.shape[1:]
    result = np.full((n, n), -np.inf)
    for i in range(n):
        for j in range(i + 1, n):
            both = known[np.isfinite(known[:, [i, j]]).all((1, 2))]
            x, y = both[:, i], both[:, j]
            if measure == "displacement":
                enough = len(both) > dimensions
                value = -0.5 * _log_det(y - x, smallest) if enough else -np.inf
            else:
                enough = len(both) > 2 * dimensions
                value = _mutual(x, y, smallest) if enough else -np.inf
            result[i, j] = result[j, i] = value
    return result


def quadratics(graph: Graph, poses: ArrayLike, *, resolution: float | None = None) -> tuple[Quadratic, ...]:
    """Return the terms of eq. 3 that fit poses: mean displacements, and weights 1 / (2 variance) of every axis.

    Parameters
    ----------
    graph : Graph
        N parts and E edges.
    poses : array
        (S, N, D) float, length; NaN for a part that is not known.
    resolution : float, optional
        As for `learn`; its square is added to variances.

    Returns
    -------
    tuple of Quadratic
        E entries.

    Raises
    ------
    ProblemError
        If shapes do not fit, or fewer than two poses know both parts of an edge.
    """
    known = _checked(poses, len(graph.parts))
    smallest = _resolution(known, resolution) ** 2
    terms = []
    for e, (i, j) in enumerate(graph.edges):
        displacement = known[:, j] - known[:, i]
        displacement = displacement[np.isfinite(displacement).all(1)]
        if len(displacement) < 2:
            raise ProblemError(
                f"edge {graph.edge_name(e)}: two poses at least must know both parts; found {len(displacement)}"
            )
        variance = displacement.var(0, ddof=1) + smallest
        terms.append(Quadratic(0.5 / variance, displacement.mean(0)))
    return tuple(terms)


# -- covariances -------------------------------------------------------------------------------------------------


def _checked(poses: Any, parts: int | None = None) -> np.ndarray:
    known = np.asarray(poses, dtype=np.float64)
    if known.ndim != 3 or 0 in known.shape or (parts is not None and known.shape[1] != parts):
        wanted = "N" if parts is None else parts
        raise ProblemError(f"poses must have shape (S, {wanted}, D), NaN where unknown; found {known.shape}")
    if np.isinf(known).any():
        raise ProblemError("poses must be finite, or NaN where a part is not known; found infinity")
    partly = np.asarray(np.isnan(known).any(2))  # an axis that is known alone is of no use
    return np.where(partly[:, :, None], np.nan, known)


def _resolution(known: np.ndarray, given: float | None) -> float:
    if given is not None:
        if not 0 < given < math.inf:
            raise ProblemError(f"resolution must be a positive length; found {given}")
        return given
    seen = np.isfinite(known[..., 0])
    rows = known[seen.any(1)]
    spread = rows - np.nanmean(rows, axis=1, keepdims=True)
    size = math.sqrt(np.nanmean((spread**2).sum(2))) if len(rows) else 0.0
    if not size > 0:
        raise ProblemError(
            "no pose has two known parts at different places; nothing can be learned from these"
        )
    return 1e-3 * size


def _mutual(x: np.ndarray, y: np.ndarray, smallest: float) -> float:
    joint = _log_det(np.concatenate([x, y], axis=1), smallest)
    return 0.5 * (_log_det(x, smallest) + _log_det(y, smallest) - joint)


def _log_det(rows: np.ndarray, smallest: float) -> float:
    """Return log det of the covariance of rows (n, d), n > d, with `smallest` added to variances.

    The sample's is biased: (n - 1) times it is Wishart, with log det of mean log det Cov + sum_k psi((n - 1 - k) / 2)
    + d log 2, k = 0, ..., d - 1.
    """
    n, d = rows.shape
    deviation = rows - rows.mean(0)
    _, value = np.linalg.slogdet(deviation.T @ deviation / (n - 1) + smallest * np.eye(d))
    bias = sum(_digamma((n - 1 - k) / 2) for k in range(d)) - d * math.log((n - 1) / 2)
    return float(value) - bias


def _digamma(x: float) -> float:
    """Return the derivative of the logarithm of the gamma function, for x > 0, to about 1e-9."""
    result = 0.0
    while x < 8:
        result -= 1 / x
        x += 1
    square = 1 / x**2
    return result + math.log(x) - 0.5 / x - square * (1 / 12 - square * (1 / 120 - square / 252))
