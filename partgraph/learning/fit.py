"""Training: a deterministic loop over steps that can be stopped at any time and goes on where it was."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import torch

from partgraph.errors import PartGraphError
from partgraph.learning.batches import ahead, shuffled, step_generator
from partgraph.learning.checkpoint import Resumable, load_best, load_state, save_state
from partgraph.learning.dataset import Dataset
from partgraph.learning.experiment import Experiment
from partgraph.learning.log import Log, Progress
from partgraph.learning.model import Network
from partgraph.learning.processes import Processes, ProcessesError
from partgraph.learning.stage import Stage
from partgraph.learning.start import initial_network
from partgraph.learning.update import Update
from partgraph.learning.validate import Best


class DivergenceError(PartGraphError, FloatingPointError):
    """The loss is no longer finite."""


def fit(
    experiment: Experiment,
    dataset: Dataset,
    folder: Path,
    stage: Stage | None = None,
    network: Network | None = None,
    *,
    validation: Dataset | None = None,
    processes: Processes | None = None,
    device: str = "cpu",
    curves: bool = False,
    report: Callable[[Progress], None] = lambda progress: None,
    report_every: int = 50,
) -> Network:
    """Train a network in one stage, or go on with a stage that was interrupted in `folder`.

    Parameters
    ----------
    experiment : what to train
    dataset : training samples
    folder : holds the stage's checkpoint and its log (see `Log`)
    stage : the experiment's first one by default
    network : where the stage starts; see `initial_network` by default
    validation : what `Training.validate` measures on; the experiment's by default
    processes : those that train together, this one alone by default; the first of them writes and reports
    device : where the network lives
    curves : whether TensorBoard can show the log
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
        When a batch is larger than the data set, or options of the stage do not go together.
    ProcessesError
        When a batch cannot be shared, or processes do not see the same folder.
    """
    stage = experiment.stages()[0] if stage is None else stage
    processes = Processes() if processes is None else processes
    options = stage.training
    stage.check(dataset)
    share = processes.share(options.batch)
    torch.manual_seed(experiment.seed)
    if network is None:
        network = initial_network(experiment, dataset.parts)
    network = network.to(device, memory_format=torch.channels_last)
    processes.normalise_together(network)
    update = Update(network, stage.started(), processes)
    further: dict[str, Resumable] = update.remembering()
    best = None
    if options.validate:
        best = Best(stage, validation or experiment.dataset("validation"), folder)
        further["best"] = best
    first = load_state(folder, network, update.optimizer, stage.name, further)
    if processes.agree(lambda: first) != first:
        raise ProcessesError(
            f"process {processes.rank} finds another checkpoint in {folder} than the first one; give a folder that all "
            f"machines share"
        )
    batches = ahead(shuffled(dataset, options.batch, experiment.seed, first, share))
    log = Log(folder, curves=curves, first=first) if processes.leads else None
    started, mean, measured = time.monotonic(), dict[str, float](), dict[str, float]()
    with closing(batches):
        for step in range(first, options.total):
            batch = next(batches).to(device)
            random = step_generator(experiment.seed, step)
            changes = stage.augmentation.draw(options.batch, batch.images.shape[-1], random)
            terms = update(changes[share](batch, dataset.flip), options.rate(step))
            total = sum(terms.values())
            if not math.isfinite(total):
                raise DivergenceError(
                    f"{stage.name}: the loss is {total} at step {step}; lower the learning rate or look at the data"
                )
            for name, value in terms.items():
                mean[name] = value if name not in mean else 0.98 * mean[name] + 0.02 * value
            done = step + 1
            ends = done == options.total
            if log is None:
                continue
            if best is not None and (done % options.validate == 0 or ends):
                measured = best.measure(network)
            if done % report_every == 0 or ends:
                rate = (done - first) * options.batch / (time.monotonic() - started)
                progress = Progress(done, options.total, dict(mean), rate, stage.name, dict(measured))
                log.write(progress)
                report(progress)
            if done % options.checkpoint == 0 or ends:
                save_state(folder, network, update.optimizer, done, stage.name, further)
    if log is not None:
        log.close()
    if options.keep == "best" and options.total:
        processes.wait()
        load_best(folder, network, stage.name)
    return network.eval()
