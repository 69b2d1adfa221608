"""What a term of the score is: a function of positions, written once, with bounds over boxes.

The score of a configuration is a sum of unary and pairwise potentials (paper, eq. 2). One ``evaluate`` serves
solvers, gradients and bounds alike.
"""

from __future__ import annotations

import abc
from typing import Any, ClassVar

from partgraph.interval import Interval
from partgraph.potentials.compiled import CompiledTerm


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

    def compiled(self) -> CompiledTerm | None:
        """Return C functions that do what `evaluate` and `bounds` do, or None where there are none.

        Solvers that can call them, as those of partgraph-solvers, are faster; their answers stay the same. Asked for
        once per problem and edge, of potentials whose fields are NumPy arrays.
        """
        return None
