"""``partgraph evaluate`` and ``demo``."""

from __future__ import annotations

import json as jsonlib
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, Literal

import attrs
from cyclopts import Parameter

from partgraph.cli.models import (
    SHIPPED,
    Graphs,
    Model,
    Settings,
    SolverName,
    UsageError,
    command_line,
    decoder_of,
    footer,
    load_model,
    make_folder,
)
from partgraph.cli.output import print_json, print_line, print_tables
from partgraph.cli.progress import ConsoleWatcher
from partgraph.learning.baselines import first_poses
from partgraph.learning.checkpoint import Trained
from partgraph.learning.compiled import compiled
from partgraph.learning.displacements import Displacements
from partgraph.learning.evaluate import evaluate as evaluate_network
from partgraph.learning.evaluate import summarise
from partgraph.learning.infer import Decoder
from partgraph.learning.results_file import ERRORS, save_results
from partgraph.learning.showcase import report_of
from partgraph.learning.tables import error_table, solver_table, visibility_table
from partgraph.learning.train import prepare
from partgraph.provenance import answered, recording
from partgraph.report import write_report

RESULTS, REPORT = "results.json", "report.html"

Offsets = Literal["predicted", "constant"]


@recording()
def evaluate(
    model: Model,
    *,
    part: Annotated[str, Parameter(help="`test`, `validation` or `train`.")] = "test",
    graph: Graphs = None,
    solver: SolverName = None,
    offsets: Annotated[
        Offsets,
        Parameter(
            help="Where a part is expected, seen from another: as the network predicts for each candidate, or "
            "`constant`, the mean of the training data."
        ),
    ] = "predicted",
    settings: Settings = None,
    count: Annotated[int | None, Parameter(help="Evaluate the first COUNT samples only.")] = None,
    out: Annotated[
        Path | None, Parameter(help="Folder for results.json, report.html and errors.npz.")
    ] = None,
    compile: Annotated[
        bool, Parameter(negative=(), help="Compile the network by torch.compile first.")
    ] = False,
    json: Annotated[bool, Parameter(negative=(), help="Print JSON.")] = False,
) -> None:
    """Measure the errors of a trained model on a data set."""
    if part not in ("train", "validation", "test"):
        raise UsageError(f"--part is `test`, `validation` or `train`; found {part!r}")
    if out is not None:
        make_folder(out)
    trained = load_model(model, settings)
    decoder = decoder_of(trained, graph, solver)
    if offsets == "constant":
        decoder = attrs.evolve(decoder, displacements=_displacements(trained))
    about = {"offsets": offsets, "settings": settings or []}
    _evaluate(trained, decoder, part, count, out, about, compile_first=compile, as_json=json)


@recording()
def demo(
    model: Model = SHIPPED,
    *,
    out: Annotated[Path, Parameter(help="Folder for results.json and report.html.")] = Path("demo"),
    graph: Graphs = None,
    solver: SolverName = None,
    count: Annotated[int | None, Parameter(help="Use the first COUNT images only.")] = None,
) -> None:
    """Show what the shipped weights do on held-out images."""
    make_folder(out)
    trained = load_model(model)
    _evaluate(trained, decoder_of(trained, graph, solver), "test", count, out, {})


def _evaluate(
    trained: Trained,
    decoder: Decoder,
    part: str,
    count: int | None,
    out: Path | None,
    about: dict[str, Any],
    *,
    compile_first: bool = False,
    as_json: bool = False,
) -> None:
    if count is not None and count < 1:
        raise UsageError(f"--count must be at least 1; found {count}")
    dataset = trained.experiment.dataset(part)
    with ConsoleWatcher() as watcher:
        prepare(dataset, f"{part} images", watcher)
        total = len(dataset) if count is None else min(count, len(dataset))
        advance = watcher.preparing("poses", total)
        forward = compiled(trained.network) if compile_first else None
        evaluated = evaluate_network(
            trained.network, dataset, decoder, count=count, forward=forward, advance=advance
        )
    about = {
        "model": trained.experiment.name,
        "data": f"{getattr(trained.experiment.data, part).name}, {part}",
        "solver": decoder.solver or "default policy",
        "pairwise_scale": dict(decoder.pairwise_scale),
        **about,
        "partgraph": version("partgraph"),
        "components": answered(),
        "command": command_line(),
    }
    results = summarise(evaluated, dataset, trained.metrics.get("mean_pose_mm"), about)
    values = results.to_json() | about
    if out is not None:
        (out / RESULTS).write_text(jsonlib.dumps(values, indent=2) + "\n", encoding="utf-8")
        save_results(results, out)
        title = f"{trained.experiment.name} on {about['data']}"
        write_report(report_of(title, dataset, evaluated, results, footer(trained)), out / REPORT)
    if as_json:
        print_json(values)
    else:
        print_tables((error_table(results), visibility_table(results), solver_table(results)))
        if out is not None:
            print_line(
                f"\nReport: {out / REPORT}\nNumbers: {out / RESULTS}\nFor `partgraph tables`: {out / ERRORS}"
            )


def _displacements(trained: Trained) -> Displacements:
    """Those stored with the weights, or of the training data where older weights lack them."""
    if stored := trained.metrics.get("displacements_px"):
        return Displacements.from_json(stored)
    _, targets = first_poses(trained.experiment.dataset("train"))
    return Displacements.of(targets)
