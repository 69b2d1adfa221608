"""``partgraph train`` and ``predict``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from partgraph.cli.models import (
    SHIPPED,
    Graphs,
    Model,
    SolverName,
    UsageError,
    command_line,
    decoder_of,
    footer,
    load_model,
    make_folder,
)
from partgraph.cli.output import print_line
from partgraph.cli.progress import ConsoleWatcher
from partgraph.learning.experiment import read_experiment
from partgraph.learning.photo import Box
from partgraph.learning.predict import predict as predict_picture
from partgraph.learning.predict import write_predictions
from partgraph.learning.processes import joined
from partgraph.learning.train import Silent
from partgraph.learning.train import train as train_experiment
from partgraph.provenance import answered, recording


def train(
    config: Annotated[Path, Parameter(help="The experiment's TOML file.")],
    *,
    out: Annotated[Path, Parameter(help="Folder for weights, sidecar, checkpoint and log.")],
    device: Annotated[str, Parameter(help="Where the network is trained, as in `cuda`.")] = "cpu",
    threads: Annotated[int | None, Parameter(help="Threads of the network; all cores by default.")] = None,
    half: Annotated[bool, Parameter(negative=(), help="Store weights as float16.")] = False,
    tensorboard: Annotated[bool, Parameter(negative=(), help="Write curves for TensorBoard too.")] = False,
) -> None:
    """Train a model on a data set, calibrate it, and measure it on the validation data.

    Interrupted training goes on from its last checkpoint when the same command is given again. Started by `torchrun`,
    several processes train together.
    """
    import torch

    if threads is not None:
        if threads < 1:
            raise UsageError(f"--threads must be at least 1; found {threads}")
        torch.set_num_threads(threads)
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise UsageError(f"--device {device} cannot be used here: {str(error).splitlines()[0]}") from None
    experiment = read_experiment(config)
    make_folder(out)
    with joined(device) as processes, ConsoleWatcher() as console:
        train_experiment(
            experiment,
            out,
            console if processes.leads else Silent(),
            processes=processes,
            device=f"cuda:{processes.local_rank}" if device == "cuda" else device,
            half=half,
            curves=tensorboard,
            command=command_line(),
        )
        if processes.leads:
            print_line(f"Trained {experiment.name}: {out}")


@recording()
def predict(
    photos: Annotated[list[Path], Parameter(help="JPEG or PNG files.", negative=())],
    *,
    out: Annotated[Path, Parameter(help="Folder for overlays, report.html and poses.json.")],
    model: Model = SHIPPED,
    box: Annotated[
        list[tuple[float, float, float, float]] | None,
        Parameter(
            negative=(),
            help="Left, top, width and height of the object in pixels; the whole picture by default. "
            "Once for all pictures, or once for each in their order.",
        ),
    ] = None,
    graph: Graphs = None,
    solver: SolverName = None,
) -> None:
    """Predict poses in your own images."""
    make_folder(out)
    trained = load_model(model)
    decoder = decoder_of(trained, graph, solver)
    boxes = _boxes(box or [], len(photos))
    with ConsoleWatcher() as watcher:
        advance = watcher.preparing("pictures", len(photos))
        predictions = []
        for photo, where in zip(photos, boxes, strict=True):
            predictions.append(predict_picture(trained, decoder, photo, where))
            advance(1)
    write_predictions(
        trained, predictions, out, footer(trained), lambda path: print_line(str(path)), answered()
    )


def _boxes(given: list[tuple[float, float, float, float]], pictures: int) -> list[Box | None]:
    """The box of each picture: none, the same for all, or its own."""
    if not given:
        return [None] * pictures
    if len(given) not in (1, pictures):
        raise UsageError(
            f"--box was given {len(given)} times for {pictures} pictures; give it once, or once for each"
        )
    return [Box(*box) for box in (given if len(given) == pictures else given * pictures)]
