"""The command ``partgraph``: one file per command, each imported only when it runs.

Whatever a user can put right ends in one line on standard error and exit code 2.
"""

from __future__ import annotations

import importlib.metadata
import os
import sys
import warnings
from collections.abc import Sequence
from typing import Annotated, Any

from cyclopts import App, CycloptsError, Parameter

from partgraph.discovery import ALLOW_LIST, BLOCK_LIST
from partgraph.errors import PartGraphError

_LEARNING = {
    "train": ("learning", "Train a model on a data set."),
    "evaluate": ("evaluation", "Measure the errors of a trained model on a data set."),
    "predict": ("learning", "Predict poses in your own images."),
    "export": ("export", "Write the network of a trained model as an ONNX file."),
    "figures": ("figures", "Draw what a network says about a picture, and what solvers make of it."),
    "demo": ("evaluation", "Show what the shipped weights do on held-out images."),
}


class _UnknownCommandError(PartGraphError, ValueError):
    """The first word is no command."""


app = App(
    name="partgraph",
    help="Find the best configuration of the parts of an object.",
    version=lambda: importlib.metadata.version("partgraph"),
    exit_on_error=False,
    print_error=False,
    result_action="return_value",
)
app.command(
    "partgraph.cli.plugins:plugins", name="plugins", help="List installed components, and their state."
)
app.command("partgraph.cli.new_plugin:create", name="new-plugin", help="Write a new plugin of your own.")
app.command("partgraph.cli.check:check", name="check", help="Run the conformance checks on a component.")
app.command("partgraph.cli.solve:solve", name="solve", help="Solve a problem file.")
app.command("partgraph.cli.tables:tables", name="tables", help="Print tables of evaluations that were run.")
for _name, (_module, _help) in _LEARNING.items():
    app.command(f"partgraph.cli.{_module}:{_name}", name=_name, help=_help)

_data = App(name="data", help="Look at data on disk, and prepare it for training.")
_data.command("partgraph.cli.data:check", name="check", help="Say what a folder holds.")
_data.command("partgraph.cli.data:prepare", name="prepare", help="Make what an experiment's data sets need.")
app.command(_data)

_graph = App(name="graph", help="Draw graphs, and learn them from poses.")
_graph.command(
    "partgraph.cli.graph:draw", name="draw", help="Draw a graph as an SVG, one colour for each star."
)
_graph.command(
    "partgraph.cli.graph:learn", name="learn", help="Couple the parts that tell most about each other."
)
app.command(_graph)


@app.meta.default
def launch(
    *words: Annotated[str, Parameter(show=False, allow_leading_hyphen=True)],
    only: Annotated[
        str | None,
        Parameter(
            help="Before the command: load these plugins only, as in `solvers,humanpose`.", env_var=ALLOW_LIST
        ),
    ] = None,
    block: Annotated[
        str | None, Parameter(help="Before the command: do without these plugins.", env_var=BLOCK_LIST)
    ] = None,
) -> Any:
    """Run a command with a selection of the plugins."""
    if words and words[0] not in app:
        # Said here, since cyclopts imports every command to suggest a similar one.
        commands = ", ".join(sorted(name for name in app if name[0] != "-"))
        raise _UnknownCommandError(f"no command {words[0]!r}; the commands are {commands}")
    for variable, value in ((ALLOW_LIST, only), (BLOCK_LIST, block)):
        if value is not None:
            os.environ[variable] = value  # which processes that the command starts see, too
    return app(words)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit: 0 done, 1 a check failed, 2 bad input.

    Parameters
    ----------
    arguments : sequence of str, optional
        The words after ``partgraph``; by default those the process was started with.
    """
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    command = next((word for word in arguments if word in app), "")
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _show_warning
            code = app.meta(arguments)
    except (PartGraphError, CycloptsError) as error:
        _fail(str(error))
    except ImportError as error:
        if command not in (*_LEARNING, "check", "data", "graph"):
            raise
        _fail(f"`partgraph {command}` needs packages that are not installed ({_root(error)}); {_ADVICE}")
    except KeyboardInterrupt:
        sys.exit(130)
    sys.exit(code if isinstance(code, int) else 0)


_ADVICE = "install them with: pip install 'partgraph[learning]'"


def _fail(message: str) -> None:
    line = " ".join(message.split())
    print(f"partgraph: {line}", file=sys.stderr)  # noqa: T201
    sys.exit(2)


def _show_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    """Print a warning as one line; where it was raised is of no use to a user of the command."""
    print(f"partgraph: warning: {' '.join(str(message).split())}", file=sys.stderr)  # noqa: T201


def _root(error: BaseException) -> BaseException:
    """Return the first error of a chain: why the import of a command's module failed."""
    while error.__cause__ is not None:
        error = error.__cause__
    return error
