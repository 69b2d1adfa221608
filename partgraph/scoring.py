"""The score of configurations (paper, eq. 2), summed part by part, then edge by edge.

Whoever asks for one configuration pays for calls of NumPy, not for numbers: hundreds of them, about a microsecond each.
So the quadratic terms of a few configurations are evaluated all at once. Each is the same number as on its own,
and they are added up in the same order.

Of tensors, a call costs ten times as much, and once more in the backward pass. So all rows that a few configurations
need are picked from one table, and what is alike is added up at once, in whichever order torch does it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from partgraph.arrays import Array, is_tensor, namespace
from partgraph.potentials import Quadratic
from partgraph.wellformed import check_labels

if TYPE_CHECKING:
    from partgraph.problem import Problem

FEW = 64
"""Configurations up to which the terms of all edges are evaluated together; of more, each edge's by itself."""


def score(problem: Problem, labels: Any) -> Array:
    """Return the scores of configurations `labels` (..., N) int: (...) float."""
    labels = check_labels(problem, labels)
    rows = labels.reshape(-1, labels.shape[-1])
    if 0 < len(rows) <= FEW and is_tensor(problem.candidates[0].scores):
        return _score_of_tensors(problem, rows).reshape(labels.shape[:-1])
    columns = rows[0].tolist() if len(rows) == 1 else rows.T  # numbers pick rows without a copy
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


def _rows(points: Array, column: Any) -> Array:
    """Return ``points[column]``: (M, D) from (K, D) and (M,), or (D,). NumPy has a faster name for many."""
    return points[column] if isinstance(column, int) or is_tensor(points) else points.take(column, axis=0)


def _couplings(problem: Problem, columns: Sequence[Any], positions: list[Array]) -> Iterable[Array]:
    """Return the terms of every edge, (M,) float each or numbers, for positions (M, D) or (D,) by part."""
    x = [
        positions[i] if anchors is None else _rows(anchors, columns[i])
        for (i, _), anchors in zip(problem.graph.edges, problem.anchors, strict=True)
    ]
    y = [positions[j] for _, j in problem.graph.edges]
    if problem.quadratics is not None and x[0].size <= FEW * x[0].shape[-1]:
        return _quadratics(*problem.quadratics, np.array(x), np.array(y))
    return (term.evaluate(*ends) for term, *ends in zip(problem.pairwise, x, y, strict=True))


def _quadratics(weight: np.ndarray, offset: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return every term's own values, (E, ...) float64, for `x` and `y` (E, ..., D): `Quadratic.evaluate`, stacked."""
    if x.ndim == 3:
        weight, offset = weight[:, None], offset[:, None]
    return -(weight * (y - x - offset) ** 2).sum(-1)


def picked(tables: Sequence[Array], labels: np.ndarray) -> Array:
    """Return row ``labels[..., k]`` of every table k.

    Parameters
    ----------
    tables : sequence of arrays or tensors
        T entries (K_k, ...), of arrays alone or of tensors alone.
    labels : array
        (..., T) int.

    Returns
    -------
    array or tensor
        (..., T, ...)
    """
    if not is_tensor(tables[0]):
        return np.stack([own[labels[..., k]] for k, own in enumerate(tables)], labels.ndim - 1)
    starts = np.cumsum([0, *(len(own) for own in tables[:-1])])
    torch = namespace(*tables)
    return torch.cat(list(tables))[torch.from_numpy(labels + starts).to(tables[0].device)]


def _score_of_tensors(problem: Problem, labels: np.ndarray) -> Array:
    """Return the scores (M,) of configurations `labels` (M, N) int, of a problem of tensors."""
    edges, number = problem.graph.edges, len(problem.candidates)
    total = picked([own.scores for own in problem.candidates], labels).sum(1)
    anchored = [(edge, i) for edge, (i, _) in enumerate(edges) if problem.anchors[edge] is not None]
    tables = [own.positions for own in problem.candidates] + [problem.anchors[edge] for edge, _ in anchored]
    points = picked(tables, np.hstack([labels, labels[:, [i for _, i in anchored]]]))
    for part, terms in enumerate(problem.unary):
        for term in terms:
            total = total + term.evaluate(points[:, part])
    if not edges:
        return total
    first = [i for i, _ in edges]
    for column, (edge, _) in enumerate(anchored, number):
        first[edge] = column
    x, y = points[:, first], points[:, [j for _, j in edges]]
    if all(type(term) is Quadratic for term in problem.pairwise):
        stack = namespace(points).stack
        weight, offset = (
            stack([getattr(term, of) for term in problem.pairwise]) for of in ("weight", "offset")
        )
        return total - (weight * (y - x - offset) ** 2).sum((1, 2))
    for edge, term in enumerate(problem.pairwise):
        total = total + term.evaluate(x[:, edge], y[:, edge])
    return total
