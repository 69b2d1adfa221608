"""The terms of a score, each written once: ``evaluate`` serves solvers, gradients and bounds alike.

The score of a configuration is a sum of unary and pairwise potentials (paper, eq. 2). `Quadratic` is the pairwise
term of the paper (eq. 3); `Linear` and `Proximal` are what ADMM adds to a slave (eq. 5, with the sign of a
maximisation), and `EuclideanLoss` is what loss-augmented inference adds (section 2.5).
"""

from __future__ import annotations

import abc
from typing import Any, ClassVar, final

import attrs
import numpy as np

from partgraph import arrays
from partgraph.arrays import Array
from partgraph.errors import ProblemError
from partgraph.interval import Interval


class Potential(abc.ABC):
    """A term of the score, a function of the positions of `arity` parts.

    Write `evaluate` with operators, ``abs``, ``.sum(-1)`` and the functions of `partgraph.arrays` (``sqrt``,
    ``exp``, ``log``, ``minimum``, ``maximum``); it then runs on NumPy arrays, torch tensors and Intervals. Make the
    class ``@attrs.frozen(eq=False)``: arrays in its fields are detached, moved and checked by the framework.
    """

    arity: ClassVar[int]

    @property
    def dimensions(self) -> int | None:
        """D of the positions this potential is made for, or None if it takes any; checked by `Problem`."""
        return None

    @abc.abstractmethod
    def evaluate(self, *x: Any) -> Any:
        """Return the score of positions.

        Parameters
        ----------
        *x : array, tensor or Interval
            `arity` positions, (..., D) float each; leading axes broadcast.

        Returns
        -------
        array, tensor or Interval
            (...) float, the score; higher is better.
        """

    def bounds(self, *boxes: Interval) -> Interval:
        """Return an interval that holds the score of every choice of points from `boxes`.

        The default is the interval extension of `evaluate`: always valid, exact where every variable occurs once.
        Override it where a tighter interval is known.

        Parameters
        ----------
        *boxes : Interval
            `arity` boxes, (..., D) each; leading axes broadcast.

        Returns
        -------
        Interval
            (...) bounds of the score.
        """
        return Interval.of(self.evaluate(*boxes))


class Unary(Potential):
    """A potential of one part's position: a prior, a multiplier, a task loss."""

    arity = 1


class Pairwise(Potential):
    """A potential of two parts' positions, first the one of ``edge[0]``, then the one of ``edge[1]``."""

    arity = 2


def _vector(instance: Any, attribute: Any, value: Array) -> None:
    if len(value.shape) != 1:
        raise ProblemError(
            f"{type(instance).__name__}: {attribute.name} must have shape (D,), one number per axis; "
            f"found shape {tuple(value.shape)}"
        )


def _positive(instance: Any, attribute: Any, value: Array) -> None:
    # Tensors are looked at when they are detached for a solver; asking a GPU here would stall it.
    if not arrays.is_tensor(value) and np.any(np.asarray(value) <= 0):
        raise ProblemError(f"{type(instance).__name__}: {attribute.name} must be positive; found {value}")


@final
@attrs.frozen(eq=False)
class Quadratic(Pairwise):
    """Deviation of a displacement from its expected value (paper, eq. 3): ``-(w * (y - x - offset)**2).sum(-1)``.

    The offset is the expected displacement *from the first part of the edge to the second*; the paper's mu is
    its negative.

    Attributes
    ----------
    weight : array or tensor
        (D,) float, > 0, unit 1 / length^2: c of eq. 3, the calibration of each axis.
    offset : array or tensor
        (D,) float, length: expected ``y - x``.
    """

    weight: Array = attrs.field(converter=arrays.as_array, validator=[_vector, _positive])
    offset: Array = attrs.field(converter=arrays.as_array, validator=_vector)

    def __attrs_post_init__(self) -> None:
        if self.weight.shape != self.offset.shape:
            raise ProblemError(
                "Quadratic: weight and offset must have the same shape; "
                f"found {tuple(self.weight.shape)} and {tuple(self.offset.shape)}"
            )

    @property
    def dimensions(self) -> int:
        """D, the length of the weight."""
        return self.weight.shape[0]

    def evaluate(self, x: Any, y: Any) -> Any:
        """Return the score of positions `x` (..., D) of the first part and `y` (..., D) of the second: (...)."""
        return -(self.weight * (y - x - self.offset) ** 2).sum(-1)


@final
@attrs.frozen(eq=False)
class Linear(Unary):
    """Inner product with a fixed vector, ``(slope * x).sum(-1)``: the multiplier's term of eq. 5.

    Attributes
    ----------
    slope : array or tensor
        (D,) float, unit 1 / length.
    """

    slope: Array = attrs.field(converter=arrays.as_array, validator=_vector)

    @property
    def dimensions(self) -> int:
        """D, the length of the slope."""
        return self.slope.shape[0]

    def evaluate(self, x: Any) -> Any:
        """Return the score of positions `x` (..., D): (...)."""
        return (self.slope * x).sum(-1)


@final
@attrs.frozen(eq=False)
class Proximal(Unary):
    """Pull towards a point, ``-rho/2 * ((x - center)**2).sum(-1)``: the penalty of eq. 5.

    The paper prints the penalty with a plus; in a maximisation it must be minus.

    Attributes
    ----------
    center : array or tensor
        (D,) float, length: u of eq. 5.
    rho : float
        > 0, unit 1 / length^2.
    """

    center: Array = attrs.field(converter=arrays.as_array, validator=_vector)
    rho: float = attrs.field(validator=_positive)

    @property
    def dimensions(self) -> int:
        """D, the length of the center."""
        return self.center.shape[0]

    def evaluate(self, x: Any) -> Any:
        """Return the score of positions `x` (..., D): (...)."""
        return -(self.rho / 2) * ((x - self.center) ** 2).sum(-1)


@final
@attrs.frozen(eq=False)
class EuclideanLoss(Unary):
    """Distance to a target, ``scale * |x - target|``: the task loss of section 2.5, added to find violators.

    With ``scale = 1 / N`` the sum over all N parts is the mean Euclidean distance. Its gradient at the target
    itself is defined as zero.

    Attributes
    ----------
    target : array or tensor
        (D,) float, length.
    scale : float
        > 0, unit 1 / length.
    """

    target: Array = attrs.field(converter=arrays.as_array, validator=_vector)
    scale: float = attrs.field(default=1.0, validator=_positive)

    @property
    def dimensions(self) -> int:
        """D, the length of the target."""
        return self.target.shape[0]

    def evaluate(self, x: Any) -> Any:
        """Return the score of positions `x` (..., D): (...)."""
        return self.scale * arrays.sqrt(((x - self.target) ** 2).sum(-1))


@final
@attrs.frozen(eq=False)
class Scaled(Potential):
    """A potential times a number: a part's term divided among the stars that share it.

    Attributes
    ----------
    factor : float
        Any finite number.
    base : Potential
        The potential that is scaled; gives the arity.
    """

    factor: float
    base: Potential

    @property
    def arity(self) -> int:  # type: ignore[override]
        """Arity of the base."""
        return self.base.arity

    @property
    def dimensions(self) -> int | None:
        """D of the base."""
        return self.base.dimensions

    def evaluate(self, *x: Any) -> Any:
        """Return `factor` times the base's score."""
        return self.factor * self.base.evaluate(*x)

    def bounds(self, *boxes: Interval) -> Interval:
        """Return `factor` times the base's own, perhaps tighter, bounds."""
        return self.factor * self.base.bounds(*boxes)
