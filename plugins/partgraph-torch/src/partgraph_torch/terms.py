"""Pairwise terms of several problems at once, on a device: upper bounds over all pairs of boxes."""

from __future__ import annotations

import abc
from collections.abc import Sequence
from typing import Any, final

import attrs
import numpy as np
import torch
from torch import Tensor

from partgraph import Interval, Potential, Quadratic, arrays


class Terms(abc.ABC):
    """The terms of one edge, one for each of B problems."""

    @abc.abstractmethod
    def upper(self, x: Interval, y: Interval) -> Tensor:
        """Return upper bounds (B, a, b) for boxes x (B, a, D) of the edge's first part and y (B, b, D) of the second.

        A box that is a point has its score, found by the operations that bound larger boxes: rounding cannot put a
        bound below the score of a point.
        """


def terms_of(terms: Sequence[Potential], example: Tensor) -> Terms:
    """Put the terms of an edge together, in the dtype and on the device of `example`."""
    if all(isinstance(term, Quadratic) for term in terms):
        fields: Any = [[term.weight, term.offset] for term in terms]  # type: ignore[attr-defined]
        stacked = torch.as_tensor(np.array(fields), dtype=example.dtype, device=example.device)
        return Quadratics(stacked[:, 0], stacked[:, 1])
    return Others(tuple(arrays.map_arrays(lambda leaf: arrays.like(leaf, example), term) for term in terms))


@final
@attrs.frozen(eq=False)
class Quadratics(Terms):
    """Quadratic terms; weight and offset are (B, D)."""

    weight: Tensor
    offset: Tensor

    def upper(self, x: Interval, y: Interval) -> Tensor:
        """Add up the squared distances of the boxes, axis by axis, so that nothing larger than (B, a, b) is made."""
        total: Any = 0.0
        for d in range(self.weight.shape[1]):
            offset, weight = self.offset[:, d, None, None], self.weight[:, d, None, None]
            low = y.lo[:, None, :, d] - x.hi[:, :, None, d] - offset
            high = y.hi[:, None, :, d] - x.lo[:, :, None, d] - offset
            gap = torch.maximum(low, -high).clamp_(min=0)
            total = gap.mul_(gap).mul_(weight) + total
        return -total


@final
@attrs.frozen(eq=False)
class Others(Terms):
    """Any terms, tensors in their fields."""

    terms: tuple[Potential, ...]

    def upper(self, x: Interval, y: Interval) -> Tensor:
        """Ask each term."""
        shape = (x.lo.shape[1], y.lo.shape[1])
        rows = [
            term.bounds(x[b][:, None], y[b][None]).hi.broadcast_to(shape) for b, term in enumerate(self.terms)
        ]
        return torch.stack(rows)
