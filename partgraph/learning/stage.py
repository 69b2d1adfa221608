"""A stage of training: what is minimised, in which steps, over which parameters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeAlias, final, get_args

import attrs
from attrs.validators import ge, gt, in_
from torch import Tensor

from partgraph.errors import PartGraphError
from partgraph.learning.augment import Augmentation
from partgraph.learning.dataset import Dataset
from partgraph.learning.loss import Loss
from partgraph.learning.model import Batch, Network

Precision: TypeAlias = Literal["float32", "bfloat16", "float16"]


class StageError(PartGraphError, ValueError):
    """A stage that cannot be run on its data."""


@final
@attrs.frozen
class Training:
    """How the network is trained.

    Attributes
    ----------
    steps, batch : number of updates, samples in each; a first stage of 0 steps leaves a network as it starts:
        it is calibrated and measured, and a structured stage goes on from there
    accumulate : parts in which a batch is worked through, one after the other, to save memory
    learning_rate, weight_decay : of AdamW
    warmup : steps over which the learning rate rises
    decay : last steps, over which it falls to zero along a straight line; constant in between, so that training can
        be lengthened while it runs without changing what has been done
    restarts : numbers of further steps after them; each restart begins at half the learning rate and ends with a
        decay of its own
    clip : largest norm of the gradient
    precision : of the network's layers; what it returns, the losses, the weights and their updates stay float32.
        "float16" scales gradients
    compile : whether torch.compile turns the layers into code of their own first, see `Network.compiled`
    checkpoint : steps between two checkpoints
    validate : steps between two measurements of the loss on validation data, of which the best weights are kept beside
        the last; 0 leaves it out
    keep : which weights the stage ends with, the "last" or the "best"
    """

    steps: int = attrs.field(default=2000, validator=ge(0))
    batch: int = attrs.field(default=32, validator=gt(0))
    accumulate: int = attrs.field(default=1, validator=gt(0))
    learning_rate: float = attrs.field(default=2e-3, validator=gt(0))
    weight_decay: float = attrs.field(default=1e-2, validator=ge(0))
    warmup: int = attrs.field(default=100, validator=ge(0))
    decay: int = attrs.field(default=500, validator=ge(0))
    restarts: tuple[int, ...] = attrs.field(default=(), validator=attrs.validators.deep_iterable(gt(0)))
    clip: float = attrs.field(default=20.0, validator=gt(0))
    precision: Precision = attrs.field(default="float32", validator=in_(get_args(Precision)))
    compile: bool = False
    checkpoint: int = attrs.field(default=250, validator=gt(0))
    validate: int = attrs.field(default=0, validator=ge(0))
    keep: Literal["last", "best"] = attrs.field(default="last", validator=in_(("last", "best")))

    @property
    def total(self) -> int:
        """Number of updates, the restarts' included."""
        return self.steps + sum(self.restarts)

    def rate(self, step: int) -> float:
        """Learning rate of an update, counted from zero."""
        rise = min(1.0, (step + 1) / self.warmup) if self.warmup else 1.0
        peak, length = self.learning_rate, self.steps
        for further in self.restarts:
            if step < length:
                break
            step, length, peak, rise = step - length, further, self.learning_rate / 2, 1.0
        fall = min(1.0, (length - step) / min(self.decay, length)) if self.decay else 1.0
        return peak * min(rise, fall)


@final
@attrs.frozen
class Stage:
    """One run of the training loop.

    Attributes
    ----------
    name : "training" or "structured", as its table is called in the file
    losses : each with its factor
    training : the steps
    parameters : "heads" trains the network's last layers alone, "all" everything
    augmentation : how images vary
    pairwise_rate : factor on the learning rate of what c is made of
    tuning : whether the weights are changed a little rather than learned; normalisation layers then keep the statistics
        they have, which small batches would only disturb
    """

    name: str
    losses: tuple[tuple[float, Loss], ...]
    training: Training
    parameters: Literal["heads", "all"] = "all"
    augmentation: Augmentation = attrs.Factory(Augmentation)
    pairwise_rate: float = 1.0
    tuning: bool = False

    @property
    def graph(self) -> str | None:
        """Name of the graph over which the weights c are trained, if they are."""
        return next((loss.graph for _, loss in self.losses if loss.graph is not None), None)

    def check(self, dataset: Dataset) -> None:
        """Raise for what would fail with this data set."""
        if len(dataset) < self.training.batch:
            raise StageError(
                f"{self.name}: batches of {self.training.batch} samples were asked for, but there are {len(dataset)} "
                f"to train on"
            )
        if self.training.batch % self.training.accumulate:
            raise StageError(
                f"{self.name}: a batch of {self.training.batch} cannot be accumulated in "
                f"{self.training.accumulate} equal parts; choose a batch that is a multiple of it"
            )
        if self.training.keep == "best" and not self.training.validate:
            raise StageError(
                f'{self.name}: keep = "best" asks for measurements; give the steps between them, as in validate = 500'
            )
        for _, loss in self.losses:
            loss.check(dataset.parts)
            if loss.remembers and self.augmentation.moves:
                raise StageError(
                    f"{self.name}: configurations that are reused must stay in place, but images are moved; set flip, "
                    f"rotation, any_rotation, scale and shift of [structured.augmentation] to 0, or leave out reuse"
                )

    def check_processes(self, number: int) -> None:
        """Raise for what that many processes cannot do together."""
        parts = number * self.training.accumulate
        if self.training.batch % parts:
            raise StageError(
                f"{self.name}: a batch of {self.training.batch} cannot be shared by {number} processes in "
                f"{self.training.accumulate} parts each; choose a batch that is a multiple of {parts}"
            )
        if number > 1 and any(loss.remembers for _, loss in self.losses):
            raise StageError(
                f"{self.name}: configurations can be reused by one process only, since in each epoch samples meet "
                f"another one; leave out reuse"
            )

    def started(self) -> Stage:
        """The stage as one run of training uses it (see `Loss.started`)."""
        return attrs.evolve(self, losses=tuple((factor, loss.started()) for factor, loss in self.losses))

    def prepare(self, network: Network) -> None:
        """Choose the parameters that are trained; autograd then does no work for the others."""
        network.train(not self.tuning).requires_grad_(self.parameters == "all")
        for parameter in network.heads():
            parameter.requires_grad_(True)

    def terms(self, network: Network, outputs: Any, batch: Batch) -> Mapping[str, Tensor]:
        """The terms of all losses, each times its loss's factor."""
        return self.begin(network, outputs, batch)()

    def begin(self, network: Network, outputs: Any, batch: Batch) -> Callable[[], Mapping[str, Tensor]]:
        """Start the terms of all losses; what is returned waits for them (see `Loss.begin`)."""
        begun = [(factor, loss.begin(network, outputs, batch)) for factor, loss in self.losses]
        return lambda: {
            name: value if factor == 1 else factor * value
            for factor, finish in begun
            for name, value in finish().items()
        }

    def counts(self, network: Network, batch: Batch) -> dict[str, Tensor]:
        """Of how many things terms are the mean, where these are not the batch's samples (see `Loss.counts`)."""
        return {name: count for _, loss in self.losses for name, count in loss.counts(network, batch).items()}
