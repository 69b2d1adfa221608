"""One update of a network's weights, from a batch that may be worked through in parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import final

import torch
from torch import Tensor

from partgraph.learning.model import Batch, Network
from partgraph.learning.stage import Stage

_SCALER_FIELDS = ("scale", "_growth_tracker")  # of its state, what changes


@final
class Update:
    """Gradients of a stage's loss, clipped, and a step of AdamW along them.

    The network works in the precision of the stage; its weights, the losses and the optimizer in float32.

    A batch in parts has the gradient of the whole: every term is a mean over what counts for it (samples, or whatever
    `Loss.counts` says), and each part's mean takes part with its share of that count. Only normalisation over the batch
    sees the parts one by one.

    Parameters
    ----------
    network : on the device it is trained on
    stage : what is minimised; `Stage.prepare` chooses the parameters
    """

    def __init__(self, network: Network, stage: Stage) -> None:
        stage.prepare(network)
        self.network, self.stage = network, stage
        options = stage.training
        self.optimizer = torch.optim.AdamW(
            network.parameters(), lr=options.learning_rate, weight_decay=options.weight_decay
        )
        self._device = next(network.parameters()).device.type
        self._scaler = torch.amp.GradScaler(self._device, enabled=options.precision == "float16")

    def __call__(self, batch: Batch, rate: float) -> dict[str, float]:
        """Update the weights and return the loss's terms from before; nothing is updated where their sum is not finite.

        Parameters
        ----------
        batch : on the network's device
        rate : learning rate
        """
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.zero_grad(set_to_none=True)
        parts = batch.split(self.stage.training.accumulate)
        found: dict[str, Tensor] = {}
        for part, shares in zip(parts, self._shares(parts), strict=True):
            terms = {
                name: term * shares.get(name, 1 / len(parts)) for name, term in self._terms(part).items()
            }
            self._scaler.scale(torch.stack(list(terms.values())).sum()).backward()
            for name, term in terms.items():
                found[name] = found.get(name, 0.0) + term.detach()
        if bool(torch.stack(list(found.values())).isfinite().all()):
            self._scaler.unscale_(self.optimizer)
            torch.nn.utils.clip_grad_norm_(self.network.parameters(), self.stage.training.clip)
            self._scaler.step(self.optimizer)
            self._scaler.update()
        return {name: term.item() for name, term in found.items()}

    def state(self) -> dict[str, Tensor]:
        """What has to be kept beside the optimizer's own state to go on."""
        now = self._scaler.state_dict()
        return {name: torch.tensor(now[name]) for name in _SCALER_FIELDS if name in now}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Go on from there; another precision than before starts with a scaler of its own."""
        now = self._scaler.state_dict()
        if now and set(_SCALER_FIELDS) <= set(state):
            self._scaler.load_state_dict(now | {name: state[name].item() for name in _SCALER_FIELDS})

    def _terms(self, part: Batch) -> Mapping[str, Tensor]:
        precision = self.stage.training.precision
        images = part.images.contiguous(memory_format=torch.channels_last)
        with torch.autocast(self._device, getattr(torch, precision), enabled=precision != "float32"):
            outputs = self.network(images)
        return self.stage.terms(self.network, outputs, part)

    def _shares(self, parts: Sequence[Batch]) -> list[dict[str, Tensor]]:
        """For each part, its share of what counts for a term, where that is not the samples."""
        if len(parts) == 1:
            return [{}]
        counts = [self.stage.counts(self.network, part) for part in parts]
        whole = {name: torch.stack([own[name] for own in counts]).sum() for name in counts[0]}
        return [{name: own[name] / whole[name].clamp(min=1) for name in whole} for own in counts]
