"""A loss for any network: how far its candidates are from the truth, on average over what it believes.

    L = mean over parts of  sum_k softmax(scores)_k |position_k - truth|

It looks at the problems of a network, over no edges, and not into its outputs, so it goes with any. What
pairs of parts expect of each other is not trained by it. Replace the formula by your own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final

import attrs
import torch
from partgraph import Topology
from partgraph.learning.loss import Loss
from partgraph.learning.model import Batch, Network
from torch import Tensor

if TYPE_CHECKING:
    from partgraph.testing import LossCase


@final
@attrs.frozen
class TemplateName(Loss):
    """Options, which the table [loss] of an experiment's file fills in.

    Attributes
    ----------
    weight : factor on the term
    """

    weight: float = attrs.field(default=1.0, validator=attrs.validators.gt(0))

    def __call__(self, network: Network, outputs: Any, batch: Batch) -> dict[str, Tensor]:
        """Return named scalars, whose sum is minimised."""
        problems = network.problems(outputs, Topology(network.parts, []))
        distances = [
            _expected_distance(own.positions, own.scores, truth)
            for problem, target in zip(problems, batch.target, strict=True)
            for own, truth in zip(problem.candidates, target, strict=True)
            if bool(truth.isfinite().all())  # what a sample does not know takes part in no term
        ]
        if not distances:
            return {"distance": 0 * sum(parameter.sum() for parameter in network.parameters())}
        return {"distance": self.weight * torch.stack(distances).mean()}


def _expected_distance(positions: Tensor, scores: Tensor, truth: Tensor) -> Tensor:
    """Return () of positions (K, 3), scores (K,) and a true position (3,)."""
    return (scores.softmax(0) * (positions - truth).norm(dim=-1)).sum()


def examples() -> list[LossCase]:
    """Return cases for the conformance checks: a loss, a network, and which parameters it leaves alone."""
    from partgraph.testing import LossCase  # the kit is for tests only

    return [LossCase(TemplateName(), untrained=("offsets", "raw_weights"))]
