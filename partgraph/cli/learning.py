"""``partgraph train``, ``evaluate``, ``predict`` and ``demo``."""

from __future__ import annotations

import json as jsonlib
import os
import shlex
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import attrs
from cyclopts import Parameter

from partgraph import plugins
from partgraph.cli.output import print_json, print_line, print_table
from partgraph.cli.progress import ConsoleWatcher
from partgraph.errors import PartGraphError
from partgraph.learning.checkpoint import Trained, load_trained
from partgraph.learning.evaluate import evaluate as evaluate_network
from partgraph.learning.evaluate import summarise
from partgraph.learning.experiment import read_experiment
from partgraph.learning.infer import Decoder
from partgraph.learning.photo import Box
from partgraph.learning.predict import predict as predict_picture
from partgraph.learning.predict import write_predictions
from partgraph.learning.results import Results
from partgraph.learning.showcase import error_table, report_of, solver_table
from partgraph.learning.train import prepare
from partgraph.learning.train import train as train_experiment
from partgraph.provenance import answered, recording
from partgraph.report import Fact, Table, write_report
from partgraph.report.tables import format_number

SHIPPED = "human-small"
RESULTS, REPORT = "results.json", "report.html"

Model = Annotated[
    str, Parameter(help="A folder that `partgraph train` wrote, or the name of an installed experiment.")
]
Graphs = Annotated[
    list[str] | None,
    Parameter(
        name="--graph",
        negative=(),
        help="A topology by name, or a graph file (.json); repeat it. The experiment's by default.",
    ),
]
SolverName = Annotated[
    str | None, Parameter(name="--solver", help="A solver by name, as in `partgraph plugins solver`.")
]


def train(
    config: Annotated[Path, Parameter(help="The experiment's TOML file.")],
    *,
    out: Annotated[Path, Parameter(help="Folder for weights, sidecar, checkpoint and log.")],
    device: Annotated[str, Parameter(help="Where the network is trained, as in `cuda`.")] = "cpu",
    threads: Annotated[int | None, Parameter(help="Threads of the network; all cores by default.")] = None,
    half: Annotated[bool, Parameter(negative=(), help="Store weights as float16.")] = False,
) -> None:
    """Train a model on a data set, calibrate it, and measure it on the validation data.

    Interrupted training goes on from its last checkpoint when the same command is given again.
    """
    import torch

    if threads is not None:
        if threads < 1:
            raise _Usage(f"--threads must be at least 1; found {threads}")
        torch.set_num_threads(threads)
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise _Usage(f"--device {device} cannot be used here: {str(error).splitlines()[0]}") from None
    experiment = read_experiment(config)
    _make_folder(out)
    with ConsoleWatcher() as watcher:
        train_experiment(experiment, out, watcher, device=device, half=half, command=_command())
    print_line(f"Trained {experiment.name}: {out}")


def evaluate(
    model: Model,
    *,
    part: Annotated[str, Parameter(help="`test`, `validation` or `train`.")] = "test",
    graph: Graphs = None,
    solver: SolverName = None,
    count: Annotated[int | None, Parameter(help="Evaluate the first COUNT samples only.")] = None,
    out: Annotated[Path | None, Parameter(help="Folder for results.json and report.html.")] = None,
    json: Annotated[bool, Parameter(negative=(), help="Print JSON.")] = False,
) -> None:
    """Measure the errors of a trained model on a data set."""
    if part not in ("train", "validation", "test"):
        raise _Usage(f"--part is `test`, `validation` or `train`; found {part!r}")
    _evaluate(model, part, graph, solver, count, out, json)


def demo(
    model: Model = SHIPPED,
    *,
    out: Annotated[Path, Parameter(help="Folder for results.json and report.html.")] = Path("demo"),
    graph: Graphs = None,
    solver: SolverName = None,
    count: Annotated[int | None, Parameter(help="Use the first COUNT images only.")] = None,
) -> None:
    """Show what the shipped weights do on held-out images."""
    _evaluate(model, "test", graph, solver, count, out, False)


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
    _make_folder(out)
    trained = _load(model)
    decoder = _decoder(trained, graph, solver)
    boxes = _boxes(box or [], len(photos))
    with ConsoleWatcher() as watcher:
        advance = watcher.preparing("pictures", len(photos))
        predictions = []
        for photo, where in zip(photos, boxes, strict=True):
            predictions.append(predict_picture(trained, decoder, photo, where))
            advance(1)
    write_predictions(
        trained, predictions, out, _footer(trained), lambda path: print_line(str(path)), answered()
    )


class _Usage(PartGraphError, ValueError):
    """A wrong argument of a command."""


def _boxes(given: list[tuple[float, float, float, float]], pictures: int) -> list[Box | None]:
    """The box of each picture: none, the same for all, or its own."""
    if not given:
        return [None] * pictures
    if len(given) not in (1, pictures):
        raise _Usage(
            f"--box was given {len(given)} times for {pictures} pictures; give it once, or once for each"
        )
    return [Box(*box) for box in (given if len(given) == pictures else given * pictures)]


@recording()
def _evaluate(
    model: str,
    part: str,
    graphs: list[str] | None,
    solver: str | None,
    count: int | None,
    out: Path | None,
    as_json: bool,
) -> None:
    if count is not None and count < 1:
        raise _Usage(f"--count must be at least 1; found {count}")
    if out is not None:
        _make_folder(out)
    trained = _load(model)
    decoder = _decoder(trained, graphs, solver)
    dataset = trained.experiment.dataset(part)
    with ConsoleWatcher() as watcher:
        prepare(dataset, f"{part} images", watcher)
        total = len(dataset) if count is None else min(count, len(dataset))
        advance = watcher.preparing("poses", total)
        evaluated = evaluate_network(trained.network, dataset, decoder, count=count, advance=advance)
    results = summarise(evaluated, dataset.groups, trained.metrics.get("mean_pose_mm"))
    values = results.to_json() | {
        "model": trained.experiment.name,
        "data": f"{getattr(trained.experiment.data, part).name}, {part}",
        "solver": decoder.solver or "default policy",
        "pairwise_scale": dict(decoder.pairwise_scale),
        "partgraph": version("partgraph"),
        "components": answered(),
        "command": _command(),
    }
    if out is not None:
        (out / RESULTS).write_text(jsonlib.dumps(values, indent=2) + "\n", encoding="utf-8")
        title = f"{trained.experiment.name} on {values['data']}"
        write_report(report_of(title, dataset, evaluated, results, _footer(trained)), out / REPORT)
    if as_json:
        print_json(values)
    else:
        _print_results(results)
        if out is not None:
            print_line(f"\nReport: {out / REPORT}\nNumbers: {out / RESULTS}")


def _print_results(results: Results) -> None:
    for table in (error_table(results), solver_table(results)):
        print_line(f"\n{table.title}{f', {table.unit}' if table.unit else ''}")
        _print_table(table)


def _print_table(table: Table) -> None:
    headings = [f"{column.name}{f' [{column.unit}]' if column.unit else ''}" for column in table.columns]
    rows = []
    for row in table.rows:
        cells = []
        for cell, column in zip(row.cells, table.columns, strict=True):
            text = cell.value if isinstance(cell.value, str) else format_number(cell.value, column.decimals)
            if cell.uncertainty is not None:
                text += f" ± {format_number(cell.uncertainty, column.decimals)}"
            cells.append(text)
        rows.append([row.label, *cells])
    print_table(["", *headings], rows)


def _load(model: str) -> Trained:
    """The trained network in a folder, or of an installed experiment."""
    folder = Path(model)
    if not folder.is_dir():
        if os.sep in model:
            raise _Usage(f"{model}: no such folder; give one that `partgraph train` wrote")
        folder = plugins.get("experiment", model)
    return load_trained(folder)


def _make_folder(out: Path) -> None:
    """Make the folder for results before the work is done, not after."""
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _Usage(f"--out {out} cannot be made a folder: {error.strerror}") from None


def _decoder(trained: Trained, graphs: list[str] | None, solver: str | None) -> Decoder:
    evaluation = trained.experiment.evaluation
    if graphs:
        evaluation = attrs.evolve(evaluation, graphs=tuple(graphs))
    if solver is not None:
        evaluation = attrs.evolve(evaluation, solver=solver)
    if not evaluation.graphs:
        raise _Usage(f"the experiment {trained.experiment.name!r} names no graphs; give one with --graph")
    return Decoder.of(evaluation, trained.network.parts)


def _footer(trained: Trained) -> tuple[Fact, ...]:
    return (
        Fact("Model", trained.experiment.name),
        Fact("Command", _command()),
        Fact("Version", f"partgraph {version('partgraph')}"),
    )


def _command() -> str:
    """The command line as a user would type it."""
    return shlex.join(["partgraph", *sys.argv[1:]])
