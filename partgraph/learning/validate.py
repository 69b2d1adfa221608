"""The loss on data that are not trained on, and the weights for which it is lowest."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import final

import torch
from torch import Tensor

from partgraph.learning.batches import in_order
from partgraph.learning.checkpoint import save_best
from partgraph.learning.dataset import Dataset
from partgraph.learning.model import Network
from partgraph.learning.stage import Stage

_SAMPLES, _BATCH = 200, 20


@torch.inference_mode()
def validation_loss(network: Network, stage: Stage, dataset: Dataset) -> dict[str, float]:
    """The terms of a stage's loss on the first samples of a data set, in evaluation mode and float32."""
    trained = network.training
    network.eval()
    device = next(network.parameters()).device
    sums: dict[str, float] = {}
    counted: dict[str, float] = {}
    for _, batch in in_order(dataset, _BATCH, _SAMPLES):
        own = batch.to(device)
        counts = stage.counts(network, own)
        for name, term in stage.terms(network, network(own.images), own).items():
            count = float(counts.get(name, len(own.images)))
            sums[name] = sums.get(name, 0.0) + float(term) * count
            counted[name] = counted.get(name, 0.0) + count
    network.train(trained)
    return {name: sums[name] / max(counted[name], 1) for name in sums}


@final
class Best:
    """Measures the loss of a stage and keeps the weights of the lowest one in a file."""

    def __init__(self, stage: Stage, dataset: Dataset, folder: Path) -> None:
        self._stage, self._dataset, self._folder = stage, dataset, folder
        self._lowest = math.inf

    def measure(self, network: Network) -> dict[str, float]:
        """The loss's terms; the weights are kept if their sum is lower than ever."""
        terms = validation_loss(network, self._stage, self._dataset)
        total = sum(terms.values())
        if total < self._lowest:
            self._lowest = total
            save_best(self._folder, network, self._stage.name)
        return terms

    def state(self) -> dict[str, Tensor]:
        """The lowest loss, see `Resumable`."""
        return {"lowest": torch.tensor(self._lowest, dtype=torch.float64)}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Go on from there."""
        self._lowest = float(state.get("lowest", math.inf))
