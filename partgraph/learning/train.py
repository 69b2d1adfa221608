"""From an experiment to a trained network on disk: data, training, calibration, and what was measured."""

from __future__ import annotations

import functools
import platform
import time
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Protocol, final

import attrs
import numpy as np
import torch

from partgraph.learning.baselines import first_poses, mean_pose
from partgraph.learning.calibrate import pairwise_scales, pairwise_weights
from partgraph.learning.checkpoint import save_trained
from partgraph.learning.dataset import Dataset, MissingTruthError, require_3d
from partgraph.learning.displacements import Displacements
from partgraph.learning.evaluate import evaluate, summarise
from partgraph.learning.experiment import Experiment, from_mapping
from partgraph.learning.fit import fit
from partgraph.learning.graph_names import copied_to, shown
from partgraph.learning.infer import Decoder, graph_over
from partgraph.learning.log import Progress
from partgraph.learning.model import Network
from partgraph.learning.processes import Processes
from partgraph.learning.stage import StageError
from partgraph.learning.start import initial_network
from partgraph.provenance import answered, recording

_SCALE_SAMPLES = 1000
_MEASURED_SAMPLES = 200
_SOME_SAMPLES = 100


class Watcher(Protocol):
    """Told how the work goes; every method may do nothing."""

    def preparing(self, what: str, total: int) -> Callable[[int], None]:
        """Samples are being made: a function that is told how many more there are."""

    def training(self, progress: Progress) -> None:
        """The network is being trained."""

    def calibrating(self, graph: str, scale: float, error: float) -> None:
        """A factor on the pairwise weights was tried."""


@final
class Silent:
    """A watcher that says nothing, for processes beside the first."""

    def preparing(self, what: str, total: int) -> Callable[[int], None]:
        return lambda made: None

    def training(self, progress: Progress) -> None:
        pass

    def calibrating(self, graph: str, scale: float, error: float) -> None:
        pass


@recording()
def train(
    experiment: Experiment,
    folder: Path,
    watcher: Watcher,
    *,
    processes: Processes | None = None,
    device: str = "cpu",
    half: bool = False,
    curves: bool = False,
    command: str = "",
) -> None:
    """Train, calibrate, measure on the validation data, and write weights with their sidecar into `folder`.

    Parameters
    ----------
    processes : those that train together, this one alone by default; the first one calibrates, measures and writes
    half : store float16 weights, for shipping
    curves : whether TensorBoard can show the log
    command : stored beside the weights: how to do this again
    """
    started = time.time()
    processes = Processes() if processes is None else processes
    data, validation = experiment.dataset("train"), experiment.dataset("validation")
    tuning_data = experiment.dataset("structured") if experiment.structured is not None else data
    _check(experiment, data, tuning_data, processes)
    # Of graph files, the copies are used: whatever becomes of the files while the network is trained.
    copied = processes.agree(lambda: copied_to(experiment, folder).to_json())
    experiment = from_mapping(copied, str(folder)).with_graph_files(lambda graph: str(folder / graph))
    if processes.local_rank == 0:
        for what, dataset in (
            ("training images", data),
            ("images of the structured stage", tuning_data),
            ("validation images", validation),
        ):
            prepare(dataset, what, watcher)
    processes.wait()
    require_3d([validation[0]], "calibration")  # said now, not after training
    first, *further = experiment.stages()
    if further:
        _require_some_3d(tuning_data)
    run = functools.partial(
        fit,
        experiment,
        folder=folder,
        validation=validation,
        processes=processes,
        device=device,
        curves=curves,
        report=watcher.training,
    )
    calibrated = functools.partial(
        _calibrated_and_measured, data=data, validation=validation, watcher=watcher, processes=processes
    )
    network = run(data, stage=first).cpu()
    weights = torch.tensor(processes.agree(lambda: pairwise_weights(network, validation).tolist()))
    network.set_pairwise_weights(weights)
    experiment, metrics = calibrated(experiment, network)
    for stage in further:
        scale = experiment.evaluation.pairwise_scale.get(stage.graph or "", 1.0)
        network.set_pairwise_weights(weights * scale)
        network = run(tuning_data, stage=stage, network=network).cpu()
        before = metrics
        experiment, metrics = calibrated(experiment, network, learned=stage.graph)
        metrics |= {f"before_{stage.name}": before}
    if not processes.leads:
        return
    metrics |= {
        "command": command,
        "seconds_of_last_start": round(time.time() - started),
        "partgraph": version("partgraph"),
        "torch": torch.__version__,
        "machine": platform.machine(),
        "processes": processes.size,
        "components": answered(),
    }
    save_trained(folder, experiment, network, metrics, half=half)


def _check(experiment: Experiment, data: Dataset, tuning_data: Dataset, processes: Processes) -> None:
    """Raise for whatever would fail only after the data are made or the network is trained."""
    experiment.dataset("test")
    initial_network(experiment, data.parts)
    if tuning_data.parts != data.parts:
        raise StageError(
            f"the structured stage's data show {', '.join(tuning_data.parts)}, but the network is trained on "
            f"{', '.join(data.parts)}; choose data of the same object"
        )
    first, *further = experiment.stages()
    if not first.training.total and experiment.start is None:
        raise StageError(
            "training: 0 steps leave the network as it starts, which needs one to start from; give `start`, or at "
            "least one step"
        )
    for stage in (first, *further):
        stage.check(data if stage.graph is None else tuning_data)
        stage.check_processes(processes.size)
    Decoder.of(experiment.evaluation, data.parts, data.flip)


def _require_some_3d(dataset: Dataset) -> None:
    """Raise where the structured stage would have nothing to learn from."""
    seen = min(len(dataset), _SOME_SAMPLES)
    if not any(dataset[k].is_3d for k in range(seen)):
        raise MissingTruthError(
            f"the structured stage learns from samples with 3D truth; found none among the first {seen}; add a data "
            f"set with depth to [structured.data]"
        )


def _calibrated_and_measured(
    experiment: Experiment,
    network: Network,
    data: Dataset,
    validation: Dataset,
    watcher: Watcher,
    processes: Processes,
    learned: str | None = None,
) -> tuple[Experiment, dict[str, object]]:
    """What the first process finds, for all of them; see `calibrate` and `measure`."""

    def find() -> tuple[dict[str, float], dict[str, object]]:
        found = calibrate(experiment, network, validation, watcher, learned)
        return dict(found.evaluation.pairwise_scale), measure(found, network, data, validation)

    scales, metrics = processes.agree(find)
    return _with_scales(experiment, scales), metrics


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
    trained = [stage.graph for stage in experiment.stages() if stage.graph is not None]
    graphs = {name: graph_over(network.parts, name) for name in [*experiment.evaluation.graphs, *trained]}
    called = shown(graphs)
    scales = pairwise_scales(
        network,
        validation,
        {name: graph for name, graph in graphs.items() if name != learned},
        experiment.evaluation.solver,
        samples=_SCALE_SAMPLES,
        flip=validation.flip if experiment.evaluation.mirror else None,
        advance=lambda graph, scale, error: watcher.calibrating(called[graph], scale, error),
    )
    if learned is not None:
        scales[learned] = 1.0
    return _with_scales(experiment, scales)


def _with_scales(experiment: Experiment, scales: Mapping[str, float]) -> Experiment:
    return attrs.evolve(experiment, evaluation=attrs.evolve(experiment.evaluation, pairwise_scale=scales))


def measure(
    experiment: Experiment, network: Network, data: Dataset, validation: Dataset
) -> dict[str, object]:
    """The mean pose, displacements and mirrored parts of the training data, and the errors on the validation data."""
    world, target = first_poses(data)
    constant = mean_pose(world)
    metrics: dict[str, object] = {
        "mean_pose_mm": np.round(constant, 2).tolist(),
        "displacements_px": Displacements.of(target).to_json(),
        "flip": list(data.flip),
    }
    decoder = Decoder.of(experiment.evaluation, network.parts, data.flip)
    if decoder.graphs:
        found = evaluate(network, validation, decoder, count=_MEASURED_SAMPLES)
        metrics["validation"] = summarise(found, validation, constant).to_json()
    return metrics
