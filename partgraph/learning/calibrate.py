"""The weights c of the pairwise terms, from how far expected displacements are off.

Eq. 3 is the logarithm of a Gaussian up to a constant, so c = 1 / (2 sigma^2) for every ordered pair and axis.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from partgraph.graph import Graph
from partgraph.learning.batches import in_order
from partgraph.learning.dataset import Dataset, require_3d
from partgraph.learning.displacements import ONE_SIGMA, SMALLEST_SIGMA
from partgraph.learning.infer import Decoder
from partgraph.learning.model import Network
from partgraph.metrics import reconstruction_error

SCALES = (0.1, 0.3, 1.0, 3.0)


@torch.inference_mode()
def pairwise_weights(network: Network, dataset: Dataset, batch_size: int = 50) -> Tensor:
    """c for every ordered pair of parts and axis, from held-out samples.

    The standard deviation is read off a quantile: a few extreme crops would inflate a mean of squares several times.

    Returns
    -------
    (N, N, 3) float32, 1/px^2
    """
    residuals = []
    for samples, batch in in_order(dataset, batch_size):
        require_3d(samples, "calibration")
        residuals.append(network.offset_residuals(network(batch.images), batch.target).abs())
    every = torch.cat(residuals)
    rank = max(1, round(ONE_SIGMA * len(every)))  # torch.quantile refuses more than 16 million numbers
    sigma = every.kthvalue(rank, dim=0).values.clamp(min=SMALLEST_SIGMA)
    return 1 / (2 * sigma**2)


def pairwise_scales(
    network: Network,
    dataset: Dataset,
    graphs: Mapping[str, Graph],
    solver: str | None = None,
    scales: Sequence[float] = SCALES,
    samples: int | None = None,
    flip: Sequence[int] | None = None,
    advance: Callable[[str, float, float], None] = lambda graph, scale, error: None,
) -> dict[str, float]:
    """For each graph, the smallest factor on all c whose reconstruction error cannot be told from the best one's.

    Edges are not independent evidence: the more of them a graph has, the less each may weigh. Errors hardly depend on
    the factor within a decade, and offsets are further off on new poses than on those they are calibrated with, so a
    factor within one standard error (paired over samples) of the best is preferred when it is smaller. The samples
    should be as hard as those that the network will see.

    Parameters
    ----------
    samples : how many to use, all when None
    flip : see `Decoder`
    advance : told each graph, scale and mean error in mm
    """
    best = {}
    for name, graph in graphs.items():
        if not graph.edges:
            continue
        errors: dict[float, NDArray[np.float64]] = {}
        for scale in scales:
            decoder = Decoder({name: graph}, {name: scale}, solver, flip=flip)
            found = []
            for chunk, batch in in_order(dataset, 25, samples):
                require_3d(chunk, "calibration")
                poses = np.stack([own[name].positions for own in decoder(network, batch.images)])
                found.append(reconstruction_error(poses, np.stack([sample.world for sample in chunk])))
            errors[scale] = np.concatenate(found)
            advance(name, scale, float(errors[scale].mean()))
        best[name] = _smallest_equivalent(errors)
    return best


def _smallest_equivalent(errors: Mapping[float, NDArray[np.float64]]) -> float:
    """The smallest key whose errors (n,) are within one standard error, paired, of the best key's."""
    best = min(errors, key=lambda key: float(errors[key].mean()))

    def equivalent(key: float) -> bool:
        worse = errors[key] - errors[best]
        return float(worse.mean()) <= (
            float(worse.std(ddof=1)) / np.sqrt(len(worse)) if len(worse) > 1 else 0.0
        )

    return min(key for key in errors if equivalent(key))
