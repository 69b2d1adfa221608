"""Closed intervals, elementwise: the range of an expression over a box follows from the expression itself.

Enclosure needs no rounding control. Sums, products, quotients, square roots, ``abs``, minimum and maximum are
rounded correctly, hence monotone in each argument, so evaluating an expression at a point and at interval ends by
the *same* operations keeps ``lo <= value <= hi`` exactly. ``exp``, ``log`` and higher powers come from libraries
that round almost correctly; their ranges are widened by a few units in the last place. Where each variable occurs
once, the result is the exact range.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, final

import attrs
import numpy as np

from partgraph import arrays
from partgraph.arrays import Array


@final
@attrs.frozen(eq=False)
class Interval:
    """All numbers between two ends, for every element of an array; shape ``(..., D)``: a box.

    Attributes
    ----------
    lo, hi : array or tensor
        (...) float, the ends, ``lo <= hi``. Not checked here, since bounds are taken in inner loops.
    """

    lo: Array
    hi: Array

    __array_ufunc__ = None  # NumPy then leaves `array * interval` to the reflected operators below

    @classmethod
    def of(cls, value: Array) -> Interval:
        """Return the degenerate interval [value, value]; an Interval is returned as it is."""
        return value if isinstance(value, Interval) else cls(value, value)

    @classmethod
    def hull(cls, points: Array, axis: int = 0) -> Interval:
        """Return the smallest box around `points`, taken along `axis`: (K, D) becomes (D,)."""
        xp = arrays.namespace(points)
        return cls(xp.amin(points, axis), xp.amax(points, axis))

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of both ends."""
        return np.broadcast_shapes(np.shape(self.lo), np.shape(self.hi))

    def __getitem__(self, key: Any) -> Interval:
        return Interval(self.lo[key], self.hi[key])

    def contains(self, value: Array) -> Array:
        """Elementwise: whether `value` lies inside, ends included. (...) bool."""
        other = Interval.of(value)
        return (self.lo <= other.lo) & (other.hi <= self.hi)

    def __neg__(self) -> Interval:
        return Interval(-self.hi, -self.lo)

    def __add__(self, other: Array) -> Interval:
        other = Interval.of(other)
        return Interval(self.lo + other.lo, self.hi + other.hi)

    __radd__ = __add__

    def __sub__(self, other: Array) -> Interval:
        other = Interval.of(other)
        return Interval(self.lo - other.hi, self.hi - other.lo)

    def __rsub__(self, other: Array) -> Interval:
        return Interval.of(other) - self

    def __mul__(self, other: Array) -> Interval:
        if not isinstance(other, Interval):
            return _hull(self.lo * other, self.hi * other)
        return _hull(self.lo * other.lo, self.lo * other.hi, self.hi * other.lo, self.hi * other.hi)

    __rmul__ = __mul__

    def __truediv__(self, other: Array) -> Interval:
        """Quotient; the divisor must not contain zero."""
        other = Interval.of(other)
        zero = (other.lo <= 0) & (other.hi >= 0)
        if zero if isinstance(zero, bool) else bool(zero.any()):
            raise ZeroDivisionError(
                "an interval was divided by one that contains zero; its range has no bounds"
            )
        # Four quotients, not a product with the reciprocal: the value too is found by one division.
        return _hull(self.lo / other.lo, self.lo / other.hi, self.hi / other.lo, self.hi / other.hi)

    def __rtruediv__(self, other: Array) -> Interval:
        return Interval.of(other) / self

    def __abs__(self) -> Interval:
        low, high = abs(self.lo), abs(self.hi)
        return Interval(_zero_if_inside(self, arrays.minimum(low, high)), arrays.maximum(low, high))

    def __pow__(self, exponent: int) -> Interval:
        """Power with a whole exponent >= 1; even powers of an interval around zero start at zero."""
        if exponent < 1 or exponent != int(exponent):
            raise ValueError(f"Interval ** {exponent!r}: the exponent must be a whole number of at least 1")
        if exponent == 2:
            return self.square()
        base = self if exponent % 2 else abs(self)
        return base._increasing(lambda end: end**exponent)._widened()

    def square(self) -> Interval:
        """Square, with the exact range."""
        low, high = self.lo**2, self.hi**2
        return Interval(_zero_if_inside(self, arrays.minimum(low, high)), arrays.maximum(low, high))

    def abs(self) -> Interval:
        """Absolute value, with the exact range; the same as ``abs(interval)``."""
        return abs(self)

    def sqrt(self) -> Interval:
        """Square root of intervals that are not negative."""
        return self._increasing(arrays.sqrt)

    def exp(self) -> Interval:
        """Exponential function."""
        return self._increasing(arrays.exp)._widened()

    def log(self) -> Interval:
        """Natural logarithm of intervals that are not negative."""
        return self._increasing(arrays.log)._widened()

    def minimum(self, other: Array) -> Interval:
        """Range of the smaller of two independent values."""
        other = Interval.of(other)
        return Interval(arrays.minimum(self.lo, other.lo), arrays.minimum(self.hi, other.hi))

    def maximum(self, other: Array) -> Interval:
        """Range of the larger of two independent values."""
        other = Interval.of(other)
        return Interval(arrays.maximum(self.lo, other.lo), arrays.maximum(self.hi, other.hi))

    def sum(self, axis: int = -1) -> Interval:
        """Sum along one axis."""
        return Interval(self.lo.sum(axis), self.hi.sum(axis))

    def _increasing(self, function: Callable[[Array], Array]) -> Interval:
        return Interval(function(self.lo), function(self.hi))

    def _widened(self) -> Interval:
        return Interval(self.lo - _ROUNDING * abs(self.lo), self.hi + _ROUNDING * abs(self.hi))


_ROUNDING = 4 * float(np.finfo(np.float64).eps)
"""Relative error granted to float64 functions that are not rounded correctly; libraries state below 1 ulp."""


def _hull(*ends: Array) -> Interval:
    """Return the smallest interval that holds all `ends`, elementwise."""
    return Interval(functools.reduce(arrays.minimum, ends), functools.reduce(arrays.maximum, ends))


def _zero_if_inside(x: Interval, value: Array) -> Array:
    """Replace `value` by 0 where the interval `x` contains 0."""
    return arrays.namespace(value).where((x.lo <= 0) & (x.hi >= 0), 0.0, value)
