"""Tables of several evaluations of the same images: solvers, options, stages of training or seeds side by side."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from partgraph.learning.results import Joints, Results
from partgraph.learning.results_file import ResultsError
from partgraph.learning.tables import difference_cells
from partgraph.report.tables import Cell, Column, Row, Table

_SPREAD_FROM = 3  # runs


def comparison_tables(runs: Mapping[str, Results]) -> tuple[Table, ...]:
    """Errors of all, of visible and of hidden joints, and what inference took.

    Parameters
    ----------
    runs : at least two, by name; the first is what the others are compared with

    Raises
    ------
    ResultsError
        When they are not of the same images and parts.
    """
    (first_name, first), *others = runs.items()
    for name, run in others:
        if (run.pictures, run.parts) != (first.pictures, first.parts):
            raise ResultsError(
                f"results of other images cannot be compared: {first_name} is of {len(first)} "
                f"({first.about.get('data', 'unknown')}), {name} of {len(run)} ({run.about.get('data', 'unknown')}); "
                f"evaluate both on the same data with the same --count"
            )
    return (
        _errors(runs, "all", "Reconstruction error"),
        _errors(runs, "visible", "Reconstruction error of visible joints"),
        _errors(runs, "hidden", "Reconstruction error of hidden joints"),
        _inference(runs),
    )


def _errors(runs: Mapping[str, Results], joints: Joints, title: str) -> Table:
    (first_name, first), *others = runs.items()
    spread = len(runs) >= _SPREAD_FROM
    rows = []
    for method in _methods(runs):
        means = [run.mean(method, joints=joints) for run in runs.values() if method in run.methods]
        cells = [Cell(_mean(run, method, joints)) for run in runs.values()]
        for _, run in others:
            cells += _difference(run, first, method, joints)
        if spread:
            cells += [
                Cell(float(np.mean(means))),
                Cell(float(np.std(means, ddof=1)) if len(means) > 1 else None),
            ]
        rows.append(
            Row(method, cells, note="" if method in first.graphs else "baseline" * (method in first.methods))
        )
    columns = [Column(name) for name in runs]
    for name, _ in others:
        columns += [Column(f"{name} minus {first_name}"), Column(f"± over {first.clips}s")]
    caption = (
        f"Means over the joints of {len(first)} images; ± is the standard error of the paired difference, over images "
        f"and over {first.clips}s, whose images are alike."
    )
    if spread:
        columns += [Column("mean of runs"), Column("spread")]
        caption += " The spread is the standard deviation of the runs' means."
    return Table(title, columns, rows, unit="mm", caption=caption)


def _inference(runs: Mapping[str, Results]) -> Table:
    rows = []
    for graph in dict.fromkeys(graph for run in runs.values() for graph in run.graphs):
        cells: list[float | None] = []
        for run in runs.values():
            if graph in run.graphs:
                k = run.graphs.index(graph)
                cells += [1000 * float(np.median(run.seconds[:, k])), 100 * float(run.certified[:, k].mean())]
            else:
                cells += [None, None]
        rows.append(Row(graph, cells))
    columns = [column for name in runs for column in (Column(name, "ms"), Column("proven", "%"))]
    return Table(
        "Inference",
        columns,
        rows,
        caption="Median time of one pose on one core, and the share of answers that were proven optimal.",
    )


def _methods(runs: Mapping[str, Results]) -> tuple[str, ...]:
    """Every graph of every run, then every baseline."""
    graphs = [graph for run in runs.values() for graph in run.graphs]
    baselines = [method for run in runs.values() for method in run.baselines]
    return tuple(dict.fromkeys([*graphs, *baselines]))


def _mean(run: Results, method: str, joints: Joints) -> float | None:
    value = run.mean(method, joints=joints) if method in run.methods else float("nan")
    return value if np.isfinite(value) else None


def _difference(run: Results, first: Results, method: str, joints: Joints) -> tuple[Cell, Cell]:
    if method not in run.graphs or method not in first.graphs:
        return Cell(None), Cell(None)
    return difference_cells(first.compare(run.distances(method) - first.distances(method), joints))
