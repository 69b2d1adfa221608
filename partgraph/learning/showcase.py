"""A report of an evaluation: tables like the paper's Table 1, and the cases that tell most."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence

import numpy as np

from partgraph.learning.dataset import Dataset
from partgraph.learning.evaluate import Evaluated
from partgraph.learning.results import Results
from partgraph.report import Case, Cell, Column, Fact, Group, Pose, Report, Row, Skeleton, Table
from partgraph.report.palette import MAX_POSES

_CASES = 6


def skeleton_of(dataset: Dataset) -> Skeleton:
    """Parts and limbs for drawing; left and right are read from the parts' names."""
    index = {part: k for k, part in enumerate(dataset.parts)}
    sides = tuple(
        "left" if part.startswith("left") else "right" if part.startswith("right") else "center"
        for part in dataset.parts
    )
    return Skeleton(dataset.parts, tuple((index[a], index[b]) for a, b in dataset.limbs), sides)


def shown_graphs(graphs: Iterable[str]) -> tuple[str, ...]:
    """The graphs whose poses a report can tell apart: all, or the first ones and the last."""
    every = tuple(graphs)
    return every if len(every) <= MAX_POSES else (*every[: MAX_POSES - 1], every[-1])


def report_of(
    title: str,
    dataset: Dataset,
    evaluated: Sequence[Evaluated],
    results: Results,
    footer: Sequence[Fact] = (),
) -> Report:
    """Everything that was found on a data set, as a report."""
    reference, best = results.graphs[0], results.graphs[-1]
    mean, error = results.difference(best, reference)
    uncertainty = f" ± {error:.1f}" if np.isfinite(error) else ""
    milliseconds = results.seconds[:, results.graphs.index(best)] * 1000
    return Report(
        title=title,
        lead=(
            f"Each picture was scored by a network and solved over {len(results.graphs)} graphs. "
            f"{_sentence(reference)} takes every part's own best candidate; the other graphs couple parts by the "
            f"displacements that the network expects between them. Errors are mean distances after the best similarity "
            f"alignment without reflection."
        ),
        facts=(
            Fact(_sentence(reference), f"{results.mean(reference):.1f} mm"),
            Fact(_sentence(best), f"{results.mean(best):.1f} mm", f"{mean:+.1f}{uncertainty} mm, paired"),
            Fact("Solver, median", f"{np.median(milliseconds):.1f} ms", f"{best}, one pose"),
            Fact("Images", str(len(evaluated)), ", ".join(dataset.groups)),
        ),
        skeleton=skeleton_of(dataset),
        tables=(error_table(results), solver_table(results)),
        groups=_cases(evaluated, results),
        shown=("truth", reference, best),
        footer=(*footer, Fact("Written", time.strftime("%Y-%m-%d"))),
    )


def error_table(results: Results) -> Table:
    """Methods by groups, mm, with the paired difference to the first graph."""
    reference = results.graphs[0]
    best = min(results.graphs, key=results.mean)
    rows = []
    for method in results.methods:
        cells = [Cell(_or_none(results.mean(method, group))) for group in results.groups]
        cells.append(Cell(results.mean(method), emphasis=method == best))
        if method in results.graphs and method != reference:
            cells.append(Cell(*results.difference(method, reference)))
        else:
            cells.append(Cell(None))
        rows.append(Row(method, tuple(cells), note="" if method in results.graphs else "baseline"))
    columns = [*(Column(group) for group in results.groups), Column("mean"), Column(f"minus {reference}")]
    return Table(
        "Reconstruction error",
        tuple(columns),
        tuple(rows),
        unit="mm",
        caption=(
            "Mean over images. The last column is the paired difference and its standard error over images; frames of "
            "one clip are alike, so the true uncertainty is larger. The constant pose ignores the image; the perfect "
            "target shows what the depth convention alone costs."
        ),
    )


def solver_table(results: Results) -> Table:
    """Time, certificates and gaps of each graph."""
    rows = []
    for column, graph in enumerate(results.graphs):
        milliseconds = results.seconds[:, column] * 1000
        rows.append(
            Row(
                graph,
                (
                    Cell(float(np.median(milliseconds))),
                    Cell(float(np.quantile(milliseconds, 0.9))),
                    Cell(100 * float(results.certified[:, column].mean())),
                    Cell(float(results.gap[:, column].mean())),
                ),
            )
        )
    return Table(
        "Inference",
        (
            Column("median", "ms"),
            Column("90th percentile", "ms"),
            Column("proven optimal", "%", 0),
            Column("mean gap", "score", 3),
        ),
        tuple(rows),
        caption="Time of one pose on one core, building included. The gap is the upper bound minus the score found.",
    )


def _cases(evaluated: Sequence[Evaluated], results: Results) -> tuple[Group, ...]:
    reference, best = results.graphs[0], results.graphs[-1]
    gain = results.of(best) - results.of(reference)
    order = np.argsort(results.of(best), kind="stable")
    middle = len(order) // 2
    groups = (
        (
            "Largest gain",
            f"where {best} improves most on {reference}",
            np.argsort(gain, kind="stable")[:_CASES],
        ),
        ("Best", f"smallest errors of {best}", order[:_CASES]),
        ("Typical", f"errors around the median of {best}", order[max(0, middle - _CASES // 2) :][:_CASES]),
        ("Worst", f"largest errors of {best}", order[::-1][:_CASES]),
        (
            "Largest loss",
            f"where {best} is worse than {reference}",
            np.argsort(-gain, kind="stable")[:_CASES],
        ),
    )
    return tuple(
        Group(title, tuple(_case(evaluated[k], int(k)) for k in chosen), caption)
        for title, caption, chosen in groups
    )


def _case(one: Evaluated, index: int) -> Case:
    return Case(
        title=f"{one.sample.group} {index}",
        image=np.asarray(one.sample.image),
        poses=tuple(
            Pose(name, one.answers[name].positions, one.errors[name]) for name in shown_graphs(one.answers)
        ),
        truth=Pose("truth", one.sample.target),
    )


def _sentence(name: str) -> str:
    return name.replace("-", " ").capitalize()


def _or_none(value: float) -> float | None:
    return None if np.isnan(value) else value
