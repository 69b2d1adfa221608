"""An edge's term over whole lists of candidates: by compiled code where there is a compiled form, in NumPy otherwise.

The potentials that ship have theirs in `kernel/terms.h`; others say by `Pairwise.compiled` where theirs is.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import attrs
import numpy as np

from partgraph import (
    Cauchy,
    FullQuadratic,
    Huber,
    Interval,
    LimbLength,
    Mixture,
    Pairwise,
    Potential,
    Quadratic,
    Truncated,
)
from partgraph_solvers import _terms
from partgraph_solvers.stars import Spoke

Boxes = Callable[[np.ndarray], Interval]
"""Returns the boxes of points (K, D)."""


def compiled_term(term: Potential, dim: int) -> _terms.Term | None:
    """Return the compiled form of a term for positions of `dim` axes, or None where there is none."""
    if dim > _terms.MAX_AXES:
        return None
    make = _SHIPPED.get(type(term))
    if make is not None:
        return make(term, dim)
    form = term.compiled() if isinstance(term, Pairwise) else None
    return None if form is None else _terms.foreign(form.values, form.bounds, form.fields, dim, form.keep)


def _limb_length(term: LimbLength, dim: int) -> _terms.Term:
    return _terms.limb_length(dim, float(term.length), float(-0.5 / term.sigma**2))


def _full_quadratic(term: FullQuadratic, dim: int) -> _terms.Term:
    identity, faces = np.eye(dim), []
    for face in itertools.product((0, 1, 2), repeat=dim):
        system = np.stack([(term.precision if side == 2 else identity)[d] for d, side in enumerate(face)])
        faces.append(np.concatenate([face, np.linalg.inv(system).ravel()]))
    return _terms.full_quadratic(term.precision.ravel(), term.offset, np.concatenate(faces))


def _over_base(make: Callable[[_terms.Term, float], _terms.Term], parameter: str) -> Callable[..., Any]:
    def robust(term: Any, dim: int) -> _terms.Term | None:
        base = compiled_term(term.base, dim)
        return None if base is None else make(base, float(getattr(term, parameter)))

    return robust


def _mixture(term: Mixture, dim: int) -> _terms.Term | None:
    modes = [mode for mode in (compiled_term(mode, dim) for mode in term.modes) if mode is not None]
    return _terms.mixture(modes, term.bias) if len(modes) == len(term.modes) else None


_SHIPPED: dict[type, Callable[[Any, int], _terms.Term | None]] = {
    Quadratic: lambda term, dim: _terms.quadratic(term.weight, term.offset),
    FullQuadratic: _full_quadratic,
    LimbLength: _limb_length,
    Truncated: _over_base(_terms.truncated, "limit"),
    Huber: _over_base(_terms.huber, "delta"),
    Cauchy: _over_base(_terms.cauchy, "scale"),
    Mixture: _mixture,
}


@attrs.frozen(eq=False)
class Terms:
    """The terms between a star's center and one of its leaves, all edges together.

    Attributes
    ----------
    spokes : list of Spoke
        The edges.
    compiled : list of (Term or None)
        Their compiled forms.
    columns : list of array
        Their points axis by axis, as compiled forms take them: (D, K_leaf) float64.
    """

    spokes: list[Spoke]
    compiled: list[_terms.Term | None]
    columns: list[np.ndarray]

    @classmethod
    def of(cls, spokes: list[Spoke]) -> Terms:
        """Look for compiled forms."""
        compiled = [compiled_term(spoke.term, spoke.base.shape[1]) for spoke in spokes]
        return cls(spokes, compiled, [np.ascontiguousarray(spoke.point.T) for spoke in spokes])

    def values(self, centers: np.ndarray, labels: np.ndarray | None = None) -> np.ndarray:
        """Return the sum of the terms of all pairs: (len(centers), len(labels)) float64; by default of all labels."""
        total: Any = 0.0
        for spoke, compiled, columns in zip(self.spokes, self.compiled, self.columns, strict=True):
            base = spoke.base[centers]
            if compiled is not None:
                points = columns if labels is None else np.take(columns, labels, axis=1)
                total = compiled.values(base, points, not spoke.outward) + total
            else:
                point = spoke.point if labels is None else spoke.point[labels]
                pair = (base[:, None], point[None])
                total = spoke.term.evaluate(*(pair if spoke.outward else pair[::-1])) + total
        return total

    def best(self, centers: np.ndarray, labels: np.ndarray, scores: np.ndarray) -> np.ndarray:
        """Return for each center the highest terms plus `scores` (len(labels),) of any label: (len(centers),)."""
        if len(self.spokes) == 1 and self.compiled[0] is not None:
            spoke, points = self.spokes[0], np.take(self.columns[0], labels, axis=1)
            return self.compiled[0].best(spoke.base[centers], points, not spoke.outward, scores)
        return (self.values(centers, labels) + scores).max(axis=1)

    def bounds(self, base_boxes: Boxes, point_boxes: Boxes) -> Interval:
        """Return the sum of the bounds of all pairs of boxes, (a, b), of a base's (a, D) and a point's (b, D)."""
        total: Any = 0.0
        for spoke, compiled in zip(self.spokes, self.compiled, strict=True):
            base, point = base_boxes(spoke.base), point_boxes(spoke.point)
            if compiled is not None:
                ends = np.ascontiguousarray(point.lo.T), np.ascontiguousarray(point.hi.T)
                total = Interval(*compiled.bounds(base.lo, base.hi, *ends, not spoke.outward)) + total
            else:
                base = Interval(base.lo[:, None], base.hi[:, None])
                total = spoke.term.bounds(*((base, point) if spoke.outward else (point, base))) + total
        return total
