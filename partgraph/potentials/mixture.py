"""Several modes: the best of a few terms counts."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import Any, final

import attrs

from partgraph import arrays
from partgraph.arrays import Array, as_array
from partgraph.errors import ProblemError
from partgraph.interval import Interval
from partgraph.potentials import fields
from partgraph.potentials.base import Pairwise


def _tuple(items: Iterable[Any]) -> tuple[Any, ...]:
    return tuple(items)


@final
@attrs.frozen(eq=False)
class Mixture(Pairwise):
    """The best of several terms, ``max over k of bias_k + mode_k(x, y)``: a limb that is bent or straight.

    Source: Felzenszwalb, Girshick, McAllester and Ramanan, *Object Detection with Discriminatively Trained Part-Based
    Models* (2010), whose mixtures are of whole models; Yang and Ramanan (2011) have them for single parts.

    The upper bound is exact where the modes' are. The lower bound, which searches for a maximum do not prune by, is
    the best of the modes' own; no mode need be worst where the others are.

    Attributes
    ----------
    modes : tuple of Pairwise
        M of them, at least one; `Quadratic` as a rule.
    bias : array or tensor
        (M,) float, a score: what speaks for each mode beforehand, as the logarithm of its frequency.
    """

    modes: tuple[Pairwise, ...] = attrs.field(converter=_tuple)
    bias: Array = attrs.field(converter=as_array)

    def __attrs_post_init__(self) -> None:
        for mode in self.modes:
            fields.pairwise(self, attrs.fields(Mixture).modes, mode)
        if not self.modes or tuple(self.bias.shape) != (len(self.modes),):
            raise ProblemError(
                "Mixture: bias must have shape (M,), one number for each of at least one mode; "
                f"found {len(self.modes)} modes and shape {tuple(self.bias.shape)}"
            )
        found = {mode.dimensions for mode in self.modes} - {None}
        if len(found) > 1:
            raise ProblemError(
                f"Mixture: all modes must be made for positions of the same dimension; found {sorted(found)}"  # type: ignore[type-var]
            )

    @property
    def dimensions(self) -> int | None:
        """D of the modes."""
        return next((mode.dimensions for mode in self.modes if mode.dimensions is not None), None)

    def evaluate(self, x: Any, y: Any) -> Any:
        """Return the score of positions `x` (..., D) of the first part and `y` (..., D) of the second: (...)."""
        return self._best(lambda mode: mode.evaluate(x, y))

    def bounds(self, *boxes: Interval) -> Interval:
        """Return the best of the modes' bounds."""
        return self._best(lambda mode: mode.bounds(*boxes))

    def _best(self, score: Callable[[Pairwise], Any]) -> Any:
        scores = (score(mode) + self.bias[k] for k, mode in enumerate(self.modes))
        return functools.reduce(arrays.maximum, scores)
