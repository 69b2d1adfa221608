"""Training: a deterministic loop over steps that can be stopped at any time and goes on where it was."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import final

import attrs
import torch

from partgraph.errors import PartGraphError
from partgraph.learning.batches import shuffled, step_generator
from partgraph.learning.checkpoint import load_state, save_state
from partgraph.learning.dataset import Dataset
from partgraph.learning.experiment import Experiment
from partgraph.learning.model import Network
from partgraph.learning.stage import Stage
from partgraph.learning.update import Update

LOG = "log.jsonl"


class DivergenceError(PartGraphError, FloatingPointError):
    """The loss is no longer finite."""


@final
@attrs.frozen
class Progress:
    """How far training is.

    Attributes
    ----------
    step, steps : updates done, and in all
    terms : the loss's terms, averaged over the last updates
    rate : samples a second since training was started or resumed
    stage : name of the stage
    """

    step: int
    steps: int
    terms: dict[str, float]
    rate: float
    stage: str = "training"


def fit(
    experiment: Experiment,
    dataset: Dataset,
    folder: Path,
    stage: Stage | None = None,
    network: Network | None = None,
    *,
    device: str = "cpu",
    report: Callable[[Progress], None] = lambda progress: None,
    report_every: int = 50,
) -> Network:
    """Train a network in one stage, or go on with a stage that was interrupted in `folder`.

    Parameters
    ----------
    experiment : what to train
    dataset : training samples
    folder : holds the stage's checkpoint and ``log.jsonl``
    stage : the experiment's first one by default
    network : where the stage starts; fresh weights by default
    device : where the network lives
    report : told about progress every `report_every` steps

    Returns
    -------
    Network
        In evaluation mode, on `device`.

    Raises
    ------
    DivergenceError
        When the loss is no longer finite; the last checkpoint is from before.
    StageError
        When a batch is larger than the data set.
    """
    stage = experiment.stages()[0] if stage is None else stage
    options = stage.training
    stage.check(dataset)
    torch.manual_seed(experiment.seed)
    if network is None:
        network = experiment.build_network(dataset.parts, initialize=True)
    network = network.to(device, memory_format=torch.channels_last)
    update = Update(network, stage)
    first = load_state(folder, network, update.optimizer, stage.name, {"scaler": update})
    folder.mkdir(parents=True, exist_ok=True)
    started, mean = time.monotonic(), dict[str, float]()
    batches = shuffled(dataset, options.batch, experiment.seed, first)
    for step in range(first, options.total):
        batch = experiment.augmentation(
            next(batches), dataset.flip, step_generator(experiment.seed, step)
        ).to(device)
        terms = update(batch, options.rate(step))
        total = sum(terms.values())
        if not math.isfinite(total):
            raise DivergenceError(
                f"{stage.name}: the loss is {total} at step {step}; lower the learning rate or look at the data"
            )
        for name, value in terms.items():
            mean[name] = value if name not in mean else 0.98 * mean[name] + 0.02 * value
        done = step + 1
        if done % report_every == 0 or done == options.total:
            rate = (done - first) * options.batch / (time.monotonic() - started)
            progress = Progress(done, options.total, dict(mean), rate, stage.name)
            with (folder / LOG).open("a", encoding="utf-8") as log:
                log.write(json.dumps(attrs.asdict(progress)) + "\n")
            report(progress)
        if done % options.checkpoint == 0 or done == options.total:
            save_state(folder, network, update.optimizer, done, stage.name, {"scaler": update})
    return network.eval()
