"""What the commands about trained networks share: how a model is named and loaded, and what is said of a run."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import attrs
from cyclopts import Parameter

from partgraph.errors import PartGraphError
from partgraph.learning.checkpoint import Trained, load_trained, trained_folder
from partgraph.learning.graph_names import shown
from partgraph.learning.infer import Decoder
from partgraph.report import Fact

SHIPPED = "human-medium-structured"

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
Settings = Annotated[
    list[str] | None,
    Parameter(
        name="--set",
        negative=(),
        help="KEY=VALUE: change a key of the experiment for this run, as in data.test.count=1500; repeat it.",
    ),
]


class UsageError(PartGraphError, ValueError):
    """A wrong argument of a command."""


def load_model(model: str, settings: Sequence[str] | None = None) -> Trained:
    """The trained network in a folder, or of an installed experiment."""
    return load_trained(trained_folder(model), settings or ())


def make_folder(out: Path) -> None:
    """Make the folder for results before the work is done, not after."""
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"--out {out} cannot be made a folder: {error.strerror}") from None


def decoder_of(trained: Trained, graphs: list[str] | None, solver: str | None) -> Decoder:
    """The experiment's decoder, or one over other graphs or with another solver.

    A graph that tables of the experiment show by a file's name is the experiment's own copy of that file.
    """
    evaluation = trained.experiment.evaluation
    if graphs:
        copies = {own: name for name, own in shown((*evaluation.graphs, *evaluation.pairwise_scale)).items()}
        evaluation = attrs.evolve(evaluation, graphs=tuple(copies.get(graph, graph) for graph in graphs))
    if solver is not None:
        evaluation = attrs.evolve(evaluation, solver=solver)
    if not evaluation.graphs:
        raise UsageError(f"the experiment {trained.experiment.name!r} names no graphs; give one with --graph")
    return Decoder.of(evaluation, trained.network.parts, trained.flip)


def footer(trained: Trained) -> tuple[Fact, ...]:
    """How a report came about."""
    return (
        Fact("Model", trained.experiment.name),
        Fact("Command", command_line()),
        Fact("Version", f"partgraph {version('partgraph')}"),
    )


def command_line() -> str:
    """The command line as a user would type it."""
    return shlex.join(["partgraph", *sys.argv[1:]])
