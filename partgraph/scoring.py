"""The score of configurations (paper, eq. 2), summed part by part, then edge by edge.

Whoever asks for one configuration pays for calls of NumPy, not for numbers: hundreds of them, about a microsecond each.
So the quadratic terms of a few configurations are evaluated all at once. Each is the same number as on its own,
and they are added up in the same order.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from partgraph.arrays import Array, is_tensor
from partgraph.potentials import Quadratic
from partgraph.wellformed import check_labels

if TYPE_CHECKING:
    from partgraph.problem import Problem

FEW = 64
"""Configurations up to which the terms of all edges are evaluated together; of more, each edge's by itself."""


def score(problem: Problem, labels: Any) -> Array:
    """Return the scores of configurations `labels` (..., N) int: (...) float."""
    labels = check_labels(problem, labels)
    columns = labels.reshape(-1, labels.shape[-1]).T
    positions = [
        _rows(own.positions, column) for own, column in zip(problem.candidates, columns, strict=True)
    ]
    total: Array = 0.0
    for own, terms, column, x in zip(problem.candidates, problem.unary, columns, positions, strict=True):
        total = total + own.scores[column]
        for term in terms:
            total = total + term.evaluate(x)
    for value in _couplings(problem, columns, positions):
        total = total + value
    return total.reshape(labels.shape[:-1])[()]  # a number for one configuration


def _rows(points: Array, column: np.ndarray) -> Array:
    """Return ``points[column]``: (M, D) from (K, D) and (M,). NumPy has a faster name for it."""
    return points[column] if is_tensor(points) else points.take(column, axis=0)


def _couplings(problem: Problem, columns: np.ndarray, positions: list[Array]) -> Iterable[Array]:
    """Return the terms of every edge, (M,) float each, for positions (M, D) by part."""
    x = [
        positions[i] if anchors is None else _rows(anchors, columns[i])
        for (i, _), anchors in zip(problem.graph.edges, problem.anchors, strict=True)
    ]
    y = [positions[j] for _, j in problem.graph.edges]
    terms = problem.pairwise
    if terms and problem.is_detached and columns.shape[1] <= FEW and all(type(t) is Quadratic for t in terms):
        return _quadratics(terms, np.array(x), np.array(y))
    return (term.evaluate(*ends) for term, *ends in zip(terms, x, y, strict=True))


def _quadratics(terms: tuple[Any, ...], x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return every term's own values, (E, M) float64, for `x` and `y` (E, M, D): `Quadratic.evaluate`, stacked."""
    weight = np.array([term.weight for term in terms])[:, None]
    offset = np.array([term.offset for term in terms])[:, None]
    return -(weight * (y - x - offset) ** 2).sum(-1)
