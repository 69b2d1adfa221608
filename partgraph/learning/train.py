"""From an experiment to a trained network on disk: data, training, calibration, and what was measured."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Protocol

import attrs
import numpy as np
import torch

from partgraph.learning.baselines import first_poses, mean_pose
from partgraph.learning.calibrate import pairwise_scales, pairwise_weights
from partgraph.learning.checkpoint import save_trained
from partgraph.learning.dataset import Dataset, require_3d
from partgraph.learning.displacements import Displacements
from partgraph.learning.evaluate import evaluate, summarise
from partgraph.learning.experiment import Experiment
from partgraph.learning.fit import Progress, fit
from partgraph.learning.infer import Decoder, graph_over
from partgraph.learning.model import Network
from partgraph.provenance import answered, recording

_SCALE_SAMPLES = 1000
_MEASURED_SAMPLES = 200


class Watcher(Protocol):
    """Told how the work goes; every method may do nothing."""

    def preparing(self, what: str, total: int) -> Callable[[int], None]:
        """Samples are being made: a function that is told how many more there are."""

    def training(self, progress: Progress) -> None:
        """The network is being trained."""

    def calibrating(self, graph: str, scale: float, error: float) -> None:
        """A factor on the pairwise weights was tried."""


@recording()
def train(
    experiment: Experiment,
    folder: Path,
    watcher: Watcher,
    *,
    device: str = "cpu",
    half: bool = False,
    command: str = "",
) -> None:
    """Train, calibrate, measure on the validation data, and write weights with their sidecar into `folder`.

    Parameters
    ----------
    half : store float16 weights, for shipping
    command : stored beside the weights: how to do this again
    """
    started = time.time()
    data, validation = experiment.dataset("train"), experiment.dataset("validation")
    _check(experiment, data)
    for what, dataset in (("training images", data), ("validation images", validation)):
        prepare(dataset, what, watcher)
    require_3d([validation[0]], "calibration")  # said now, not after training
    first, *further = experiment.stages()
    network = fit(experiment, data, folder, first, device=device, report=watcher.training).cpu()
    weights = pairwise_weights(network, validation)
    network.set_pairwise_weights(weights)
    experiment = calibrate(experiment, network, validation, watcher)
    metrics = measure(experiment, network, data, validation)
    for stage in further:
        network.set_pairwise_weights(
            weights * experiment.evaluation.pairwise_scale.get(stage.graph or "", 1.0)
        )
        network = fit(experiment, data, folder, stage, network, device=device, report=watcher.training).cpu()
        experiment = calibrate(experiment, network, validation, watcher, learned=stage.graph)
        metrics = measure(experiment, network, data, validation) | {f"before_{stage.name}": metrics}
    metrics |= {
        "command": command,
        "seconds_of_last_start": round(time.time() - started),
        "partgraph": version("partgraph"),
        "components": answered(),
        "torch": torch.__version__,
        "machine": platform.machine(),
    }
    save_trained(folder, experiment, network, metrics, half=half)


def _check(experiment: Experiment, data: Dataset) -> None:
    """Raise for whatever would fail only after the data are made or the network is trained."""
    experiment.dataset("test")
    experiment.build_network(data.parts, initialize=True)
    for stage in experiment.stages():
        stage.check(data)
    Decoder.of(experiment.evaluation, data.parts)


def prepare(dataset: Dataset, what: str, watcher: Watcher) -> None:
    """Make what is pending of a data set, under the watcher's eyes."""
    if pending := dataset.pending():
        dataset.prepare(advance=watcher.preparing(what, pending))


def calibrate(
    experiment: Experiment,
    network: Network,
    validation: Dataset,
    watcher: Watcher,
    learned: str | None = None,
) -> Experiment:
    """The experiment with the factors on c that suit each graph, from the validation data.

    Parameters
    ----------
    learned : the graph over which c itself was learned, and needs no factor
    """
    graphs = Decoder.of(experiment.evaluation, network.parts).graphs
    trained = [stage.graph for stage in experiment.stages() if stage.graph is not None]
    graphs = {**graphs, **{name: graph_over(network.parts, name) for name in trained}}
    scales = pairwise_scales(
        network,
        validation,
        {name: graph for name, graph in graphs.items() if name != learned},
        experiment.evaluation.solver,
        samples=_SCALE_SAMPLES,
        advance=watcher.calibrating,
    )
    if learned is not None:
        scales[learned] = 1.0
    return attrs.evolve(experiment, evaluation=attrs.evolve(experiment.evaluation, pairwise_scale=scales))


def measure(
    experiment: Experiment, network: Network, data: Dataset, validation: Dataset
) -> dict[str, object]:
    """The mean pose and displacements of the training data, and the errors on the validation data."""
    world, target = first_poses(data)
    constant = mean_pose(world)
    metrics: dict[str, object] = {
        "mean_pose_mm": np.round(constant, 2).tolist(),
        "displacements_px": Displacements.of(target).to_json(),
    }
    decoder = Decoder.of(experiment.evaluation, network.parts)
    if decoder.graphs:
        found = evaluate(network, validation, decoder, count=_MEASURED_SAMPLES)
        metrics["validation"] = summarise(found, validation, constant).to_json()
    return metrics
