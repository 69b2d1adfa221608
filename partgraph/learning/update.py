"""One update of a network's weights, from a batch that may be worked through in parts and by several processes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeAlias, final

import torch
from torch import Tensor

from partgraph.learning.checkpoint import Resumable
from partgraph.learning.compiled import compiled
from partgraph.learning.model import Batch, Network
from partgraph.learning.processes import Processes
from partgraph.learning.stage import Stage

_SCALER_FIELDS = ("scale", "_growth_tracker")  # of its state, what changes

_Terms: TypeAlias = Mapping[str, Tensor]


@final
class Update:
    """Gradients of a stage's loss, clipped, and a step of AdamW along them.

    The network works in the precision of the stage; its weights, the losses and the optimizer in float32.

    A batch in parts, or shared by processes, has the gradient of the whole: every term is a mean over what counts for
    it (samples, or whatever `Loss.counts` says), and each part's mean takes part with its share of that count. Only
    normalisation over the batch sees the parts one by one.

    Parameters
    ----------
    network : on the device it is trained on
    stage : what is minimised; `Stage.prepare` chooses the parameters
    processes : those that share each batch
    """

    def __init__(self, network: Network, stage: Stage, processes: Processes | None = None) -> None:
        stage.prepare(network)
        self.network, self.stage = network, stage
        self._forward = compiled(network) if stage.training.compile else network
        self._processes = Processes() if processes is None else processes
        options = stage.training
        self.optimizer = torch.optim.AdamW(
            _groups(network, stage.pairwise_rate),
            lr=options.learning_rate,
            weight_decay=options.weight_decay,
        )
        self._device = next(network.parameters()).device.type
        self._scaler = torch.amp.GradScaler(self._device, enabled=options.precision == "float16")

    def __call__(self, batch: Batch, rate: float) -> dict[str, float]:
        """Update the weights and return the loss's terms from before; nothing is updated where their sum is not finite.

        Parameters
        ----------
        batch : this process's share, on the network's device
        rate : learning rate
        """
        for group in self.optimizer.param_groups:
            group["lr"] = rate * group["factor"]
        self.optimizer.zero_grad(set_to_none=True)
        found: dict[str, Tensor] = {}
        for terms in self._in_turn(batch.split(self.stage.training.accumulate)):
            self._scaler.scale(torch.stack(list(terms.values())).sum()).backward()
            for name, term in terms.items():
                found[name] = found.get(name, 0.0) + term.detach()
        self._processes.sum(found.values())
        if bool(torch.stack(list(found.values())).isfinite().all()):
            self._processes.sum_gradients(self.network)
            self._processes.average_statistics(self.network)
            self._scaler.unscale_(self.optimizer)
            torch.nn.utils.clip_grad_norm_(self.network.parameters(), self.stage.training.clip)
            self._scaler.step(self.optimizer)
            self._scaler.update()
        return {name: term.item() for name, term in found.items()}

    def remembering(self) -> dict[str, Resumable]:
        """Everything that has a state beside the network's and the optimizer's, by name."""
        losses = {f"loss{k}": loss for k, (_, loss) in enumerate(self.stage.losses)}
        return {"scaler": self, **losses}

    def state(self) -> dict[str, Tensor]:
        """The state of gradient scaling."""
        now = self._scaler.state_dict()
        return {name: torch.tensor(now[name]) for name in _SCALER_FIELDS if name in now}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Go on from there; another precision than before starts with a scaler of its own."""
        now = self._scaler.state_dict()
        if now and set(_SCALER_FIELDS) <= set(state):
            self._scaler.load_state_dict(now | {name: state[name].item() for name in _SCALER_FIELDS})

    def _in_turn(self, parts: Sequence[Batch]) -> Iterator[_Terms]:
        """The terms of each part, times its share of the whole.

        Where problems are solved, those of a part are while the network works on the next one; as no weight changes in
        between, the answers are the same.
        """
        searches = self.stage.graph is not None
        waiting: Callable[[], _Terms] | None = None
        for part, shares in zip(parts, self._shares(parts), strict=True):
            begun = self._begin(part, shares, 1 / (len(parts) * self._processes.size))
            if waiting is not None:
                yield waiting()
            waiting = begun
            if not searches:
                yield waiting()
                waiting = None
        if waiting is not None:
            yield waiting()

    def _begin(self, part: Batch, shares: _Terms, share: float) -> Callable[[], _Terms]:
        precision = self.stage.training.precision
        images = part.images.contiguous(memory_format=torch.channels_last)
        with torch.autocast(self._device, getattr(torch, precision), enabled=precision != "float32"):
            outputs = self._forward(images)
        finish = self.stage.begin(self.network, outputs, part)
        return lambda: {name: term * shares.get(name, share) for name, term in finish().items()}

    def _shares(self, parts: Sequence[Batch]) -> list[_Terms]:
        """For each part, its share of what counts for a term, where that is not the samples."""
        if len(parts) == self._processes.size == 1:
            return [{}]
        counts = [self.stage.counts(self.network, part) for part in parts]
        whole = {name: torch.stack([own[name] for own in counts]).sum() for name in counts[0]}
        self._processes.sum(whole.values())
        return [{name: own[name] / whole[name].clamp(min=1) for name in whole} for own in counts]


def _groups(network: Network, pairwise_rate: float) -> list[dict[str, object]]:
    """The parameters, in groups with a factor on their learning rate."""
    everything = list(network.parameters())
    own = list(network.pairwise_parameters())
    if not own or pairwise_rate == 1:
        return [{"params": everything, "factor": 1.0}]
    apart = {id(parameter) for parameter in own}
    others = [parameter for parameter in everything if id(parameter) not in apart]
    return [{"params": others, "factor": 1.0}, {"params": own, "factor": pairwise_rate}]
