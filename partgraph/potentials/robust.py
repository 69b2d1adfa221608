"""Robust versions of a term: far from what is expected, a deviation costs less than its square.

With r = -(score of the base), a squared distance where the base is a `Quadratic`, the score is -rho(r) for a function
rho that rises from zero and is about r where r is small. Since rho rises, bounds of the base give bounds of the same
quality.
"""

from __future__ import annotations

import abc
from typing import Any, final

import attrs

from partgraph import arrays
from partgraph.arrays import Array, as_array
from partgraph.interval import Interval
from partgraph.potentials import fields
from partgraph.potentials.base import Pairwise


class Robust(Pairwise):
    """A pairwise term with the score ``-rho(r)``, where r is the base's score with the other sign, at least zero."""

    base: Pairwise

    @abc.abstractmethod
    def rho(self, r: Any) -> Any:
        """Return the cost of a squared distance `r` (...) >= 0; it must not fall where `r` rises."""

    @property
    def dimensions(self) -> int | None:
        """D of the base."""
        return self.base.dimensions

    def evaluate(self, x: Any, y: Any) -> Any:
        """Return the score of positions `x` (..., D) of the first part and `y` (..., D) of the second: (...)."""
        return self._score(self.base.evaluate(x, y))

    def bounds(self, *boxes: Interval) -> Interval:
        """Return bounds by those of the base: the exact range where the base has it."""
        return self._score(self.base.bounds(*boxes))

    def _score(self, score: Any) -> Any:
        return -self.rho(arrays.maximum(-score, 0.0))


@final
@attrs.frozen(eq=False)
class Truncated(Robust):
    """A term that never costs more than a limit, ``rho(r) = min(r, limit)``: the outlier process.

    Source: Blake and Zisserman, *Visual Reconstruction* (1987), the weak string.

    Attributes
    ----------
    base : Pairwise
        A term with scores of at most zero, as `Quadratic`, `FullQuadratic` and `LimbLength` have.
    limit : array or tensor
        () float, > 0, a score: what an outlier costs.
    """

    base: Pairwise = attrs.field(validator=fields.pairwise)
    limit: Array = attrs.field(converter=as_array, validator=[fields.scalar, fields.positive])

    def rho(self, r: Any) -> Any:
        """Return the smaller of `r` and the limit."""
        return arrays.minimum(r, self.limit)


@final
@attrs.frozen(eq=False)
class Huber(Robust):
    """Quadratic near, linear far: ``rho(r) = r`` up to ``delta^2``, beyond it ``2 delta sqrt(r) - delta^2``.

    Source: Huber, *Robust Estimation of a Location Parameter* (1964), with sqrt(r) as the distance.

    Attributes
    ----------
    base : Pairwise
        A term with scores of at most zero, as `Quadratic`, `FullQuadratic` and `LimbLength` have.
    delta : array or tensor
        () float, > 0, the square root of a score: the distance, in the units of the base, where linear begins.
    """

    base: Pairwise = attrs.field(validator=fields.pairwise)
    delta: Array = attrs.field(converter=as_array, validator=[fields.scalar, fields.positive])

    def rho(self, r: Any) -> Any:
        """Return Huber's function of the distance sqrt(r)."""
        near = arrays.minimum(r, self.delta**2)
        far = arrays.maximum(arrays.sqrt(r) - self.delta, 0.0)
        return near + 2 * self.delta * far  # r occurs twice, but both rise with it: the range is still exact


@final
@attrs.frozen(eq=False)
class Cauchy(Robust):
    """A term that grows like a logarithm, ``rho(r) = scale * log(1 + r / scale)``: Cauchy's, or the Lorentzian.

    Source: Black and Rangarajan, *On the Unification of Line Processes, Outlier Rejection, and Robust Statistics*
    (1996); theirs is ``log(1 + (x / sigma)^2 / 2)``, a scale of 1 and weights ``1 / (2 sigma^2)``.

    Attributes
    ----------
    base : Pairwise
        A term with scores of at most zero, as `Quadratic`, `FullQuadratic` and `LimbLength` have.
    scale : array or tensor
        () float, > 0, a score: the cost at which the term begins to flatten.
    """

    base: Pairwise = attrs.field(validator=fields.pairwise)
    scale: Array = attrs.field(converter=as_array, validator=[fields.scalar, fields.positive])

    def rho(self, r: Any) -> Any:
        """Return the logarithm that has a slope of 1 at zero."""
        return self.scale * arrays.log(1.0 + r * (1.0 / self.scale))
