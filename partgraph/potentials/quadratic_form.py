"""A quadratic form ``e' P e`` with positive definite P, and its range over a box.

The variables occur in several products, so that interval arithmetic would be loose. The form is convex instead. Its
maximum over a box is at a corner. Its minimum is at the minimiser of the plane through one of the box's 3^D faces
(corners, edges, ..., the inside). Computed minimisers are not exact, and need not be: at *any* point c of the box the
form lies above its tangent,

    e' P e  >=  c' P c + 2 (P c)' (e - c)  >=  c' P c + sum_i min over e_i of 2 (P c)_i (e_i - c_i),

and at the true minimiser the last sum is zero. The highest of these tangents, less what rounding may do, is the bound.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np

from partgraph import arrays
from partgraph.arrays import Array
from partgraph.interval import Interval


def value(matrix: Array, e: Any) -> Any:
    """Return the form at vectors.

    Parameters
    ----------
    matrix : array or tensor
        (D, D) float, symmetric.
    e : array, tensor or Interval
        (..., D) float.

    Returns
    -------
    array, tensor or Interval
        (...) float.
    """
    return (e * (matrix * e[..., None, :]).sum(-1)).sum(-1)


def bounds(matrix: Array, box: Interval) -> Interval:
    """Return the range of `value` over boxes: exact but for rounding, and never too small.

    Parameters
    ----------
    matrix : array or tensor
        (D, D) float, symmetric and positive definite.
    box : Interval
        (..., D) float.

    Returns
    -------
    Interval
        (...) float. The time is that of 3^D evaluations.
    """
    twice = matrix + matrix.T
    low: Any = -np.inf
    high: Any = -np.inf
    for point in _face_minimisers(matrix, box):
        slope = point @ twice
        form = (point * slope).sum(-1) / 2
        descent = arrays.minimum(slope * (box.lo - point), slope * (box.hi - point)).sum(-1)
        low, high = arrays.maximum(form + descent, low), arrays.maximum(form, high)
    margin = _rounding(matrix, box)
    return Interval(low - margin, high + margin)


def _face_minimisers(matrix: Array, box: Interval) -> Iterator[Array]:
    """Yield for every face of the boxes the form's minimiser on its plane, moved into the box: (..., D)."""
    xp = arrays.namespace(matrix, box.lo)
    ends = box.lo, box.hi
    dim = matrix.shape[0]
    zero = xp.zeros_like(box.lo[..., 0])
    identity = arrays.like(np.eye(dim), matrix)
    for face in itertools.product((0, 1, None), repeat=dim):
        # Each axis is at its low end (0), at its high end (1), or free (None).
        fixed = [zero if side is None else ends[side][..., d] for d, side in enumerate(face)]
        target = xp.stack(fixed, -1)
        if None in face:
            # Rows of free axes ask for a slope of zero, the others for the given coordinate.
            system = xp.stack([(identity if side is not None else matrix)[d] for d, side in enumerate(face)])
            solved = xp.clip(target @ xp.linalg.inv(system).T, box.lo, box.hi)
            target = xp.stack(
                [(solved if side is None else target)[..., d] for d, side in enumerate(face)], -1
            )
        yield target


def _rounding(matrix: Array, box: Interval) -> Array:
    """Return by how much rounding may move a value, and the bounds computed here, together: (...) float.

    Let u be the unit roundoff and A = sum_ij |P_ij| m_i m_j, m_i the largest |e_i| in the box. A value, and the form at
    a point, are sums of products that A bounds, each rounded at most n = D^2 + 2 D + 3 times: off by n u A. The slopes
    are at most 2 |P| m in size and the box at most 2 m wide: the tangent's descent is off by 4 n u A. A matrix that
    passed Cholesky's test may lack up to 4 D (D + 1) u A of being positive definite (Higham 2002, theorem 10.3).
    Together less than 10 n u A, of which this is more: 16 n u A. The last term covers numbers below the normal range.
    """
    kind = arrays.namespace(matrix).finfo((matrix[0, 0] * box.lo[..., 0]).dtype)
    dim = matrix.shape[0]
    largest = arrays.maximum(abs(box.lo), abs(box.hi))
    size = (largest * (largest @ abs(matrix).T)).sum(-1)
    return 8 * (dim**2 + 2 * dim + 3) * kind.eps * size + kind.tiny
