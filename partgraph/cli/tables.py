"""``partgraph tables``: tables from files of results, without running anything again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from partgraph.cli.output import print_json, print_tables
from partgraph.learning.compare import comparison_tables
from partgraph.learning.results import Results
from partgraph.learning.results_file import load_results
from partgraph.learning.tables import tables_of
from partgraph.report.formats import to_csv, to_json, to_markdown


def tables(
    results: Annotated[
        list[Path],
        Parameter(help="Folders that `partgraph evaluate --out` wrote; several are compared.", negative=()),
    ],
    *,
    format: Annotated[Literal["text", "markdown", "csv", "json"], Parameter(help="How to print.")] = "text",
) -> None:
    """Print the tables of an evaluation, or of several ones side by side.

    One folder: errors by action, clip or whatever the data set's groups are, beside published ones, by subject and
    camera, of visible and hidden joints, of each part; other measures, and what inference took. Several: their errors,
    and paired differences to the first.
    """
    runs = _named(results)
    shown = tables_of(*runs.values()) if len(runs) == 1 else comparison_tables(runs)
    if format == "text":
        print_tables(shown)
    elif format == "json":
        print_json(to_json(shown))
    elif format == "csv":
        print(to_csv(shown), end="")  # noqa: T201
    else:
        print("\n".join(map(to_markdown, shown)), end="")  # noqa: T201


def _named(paths: list[Path]) -> dict[str, Results]:
    """Results by the folder's own name, or by the whole path where two folders share one."""
    names = [path.resolve().name for path in paths]
    unique = len(set(names)) == len(names)
    return {
        name if unique else str(path): load_results(path) for name, path in zip(names, paths, strict=True)
    }
