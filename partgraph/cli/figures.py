"""``partgraph figures``: the paper's figures 2, 3 and 4 of an image."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from partgraph import plugins
from partgraph.cli.models import Model, Settings, UsageError, decoder_of, load_model, make_folder
from partgraph.cli.output import print_line
from partgraph.learning.checkpoint import Trained
from partgraph.learning.figures import Shown, figures_of, write_figures
from partgraph.learning.infer import Decoder
from partgraph.learning.photo import Box, crop_photo, read_photo
from partgraph.report.palette import MAX_POSES

_SOLVERS = ("admm", "exact")


def figures(
    model: Model,
    photo: Annotated[Path | None, Parameter(help="A JPEG or PNG file.")] = None,
    *,
    out: Annotated[Path, Parameter(help="Folder for voxels.svg, comparison.svg and views.svg.")],
    index: Annotated[
        int | None, Parameter(help="In place of a file: a picture of the test data, from zero.")
    ] = None,
    box: Annotated[
        tuple[float, float, float, float] | None,
        Parameter(
            help="Left, top, width and height of the object in the file; the whole picture by default."
        ),
    ] = None,
    part: Annotated[
        list[str] | None,
        Parameter(
            negative=(), help="A part whose voxels are drawn; repeat it. The first and the last by default."
        ),
    ] = None,
    graph: Annotated[
        str | None, Parameter(help="A topology by name or file; the experiment's last by default.")
    ] = None,
    solver: Annotated[
        list[str] | None,
        Parameter(
            negative=(), help="A solver for it; repeat it. `admm` and `exact` by default, if installed."
        ),
    ] = None,
    settings: Settings = None,
) -> None:
    """Draw voxels and residuals, unary scores alone and solvers against the truth, and the pose in several views."""
    make_folder(out)
    trained = load_model(model, settings)
    shown = _shown(trained, photo, index, box)
    methods = _methods(trained, graph, solver)
    parts = part or [trained.network.parts[0], trained.network.parts[-1]]
    for name in parts:
        if name not in trained.network.parts:
            raise UsageError(f"--part {name!r} is none of {', '.join(trained.network.parts)}")
    if len(parts) > MAX_POSES:
        raise UsageError(
            f"--part was given {len(parts)} times; at most {MAX_POSES} can be told apart by colour"
        )
    for path in write_figures(figures_of(trained, shown, methods, parts), out):
        print_line(str(path))


def _shown(
    trained: Trained, photo: Path | None, index: int | None, box: tuple[float, float, float, float] | None
) -> Shown:
    if (photo is None) == (index is None):
        raise UsageError("figures are of one picture: give a file or --index")
    if photo is not None:
        crop = crop_photo(read_photo(photo), None if box is None else Box(*box), trained.network.input_size)
        return Shown(crop.image)
    data = trained.experiment.dataset("test")
    assert index is not None
    if not 0 <= index < len(data):
        raise UsageError(f"--index is from 0 to {len(data) - 1}; found {index}")
    return Shown.of(data[index])


def _title(decoder: Decoder) -> str:
    (graph,) = decoder.graphs
    return graph


def _methods(trained: Trained, graph: str | None, solvers: list[str] | None) -> dict[str, Decoder]:
    """Unary scores alone, or whatever graph is the experiment's first, and each solver over the graph asked for."""
    evaluation = trained.experiment.evaluation
    if graph is None and not evaluation.graphs:
        raise UsageError(f"the experiment {trained.experiment.name!r} names no graphs; give one with --graph")
    name = graph or evaluation.graphs[-1]
    installed = {entry.component.name for entry in plugins.installed("solver")}
    chosen: list[str | None] = [*(solvers or (own for own in _SOLVERS if own in installed))]
    methods = {}
    for first in evaluation.graphs[:1]:
        if first != name:
            decoder = decoder_of(trained, [first], None)
            methods[_title(decoder)] = decoder
    for own in chosen or [evaluation.solver]:
        decoder = decoder_of(trained, [name], own)
        methods[f"{_title(decoder)}, {own}" if own else _title(decoder)] = decoder
    if len(methods) > MAX_POSES:
        raise UsageError(
            f"{len(methods)} methods were asked for; at most {MAX_POSES} can be told apart by colour"
        )
    return methods
