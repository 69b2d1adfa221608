"""Tables of one evaluation, among them the paper's three: by action, beside published errors, by subject and camera.

Every mean over images is frame-weighted, as the paper's are; where groups differ in size, the mean over groups stands
beside it.
"""

from __future__ import annotations

import numpy as np

from partgraph.learning.dataset import Published
from partgraph.learning.results import Joints, Results
from partgraph.learning.uncertainty import Estimate
from partgraph.metrics import area_under_curve, correct_parts
from partgraph.report.tables import Cell, Column, Row, Table

_ERROR = "Mean distance of the joints to the truth after the best similarity alignment without reflection."


def tables_of(results: Results) -> tuple[Table, ...]:
    """Every table that the results have numbers for."""
    first, *others = results.splits
    others = [name for name in others if name != results.clips]
    tables = [error_table(results, first)]
    if any("" in own.errors for own in results.published):
        tables.append(published_table(results))
    if len(others) == 2:
        tables.append(crossed_table(results, *others))
    else:
        tables.extend(error_table(results, other) for other in others)
    return (
        *tables,
        metric_table(results),
        visibility_table(results),
        part_table(results),
        solver_table(results),
    )


def error_table(results: Results, split: str | None = None) -> Table:
    """Methods by the values of a split, with means over images and over groups, and differences to the first graph."""
    split = split or next(iter(results.splits))
    values = results.splits[split].values
    published = [own for own in results.published if set(own.errors) >= set(values)]
    best = min(results.graphs, key=results.mean)
    uneven = len(set(np.bincount(results.splits[split].of, minlength=len(values)))) > 1
    rows = [_published_row(own, values, uneven) for own in published]
    for method in results.methods:
        errors = [results.mean(method, results.within(split, value)) for value in values]
        means = [Cell(results.mean(method), emphasis=method == best), _cell(_mean_of_known(errors))][
            : 1 + uneven
        ]
        cells = [*map(_cell, errors), *means, *_difference(results, method)]
        rows.append(Row(method, cells, note="".join(_note(results, method))))
    return Table(
        f"Reconstruction error by {split}",
        [*values, "mean", *[f"mean of {split}s"][:uneven], *_difference_columns(results)],
        rows,
        unit="mm",
        caption=(
            f"{_ERROR} The mean is over images; ± is the standard error of the paired difference, over images and over "
            f"{results.clips}s, whose images are alike. The constant pose ignores the image; the perfect target shows "
            f"what the depth convention alone costs."
        ),
    )


def published_table(results: Results) -> Table:
    """The means of all methods beside those that others have printed (the paper's Table 2)."""
    rows = [
        Row(own.method, [own.errors[""]], note=f"published: {own.source}")
        for own in results.published
        if "" in own.errors
    ]
    rows += [
        Row(method, [results.mean(method)], note=", ".join(["measured here", *_note(results, method)]))
        for method in results.methods
    ]
    caption = f"{_ERROR} Published figures are as printed; nobody has run these methods here."
    return Table("Reconstruction error beside published ones", ["mean"], rows, unit="mm", caption=caption)


def crossed_table(results: Results, rows: str, columns: str) -> Table:
    """The last graph's errors by two splits at once (the paper's Table 3)."""
    method = results.graphs[-1]
    across = results.splits[columns].values
    lines = []
    for own in results.published:
        for value in results.splits[rows].values:
            cells = [own.errors.get(f"{value}/{other}") for other in across]
            if any(cell is not None for cell in cells):
                lines.append(Row(value, [*cells, own.errors.get(value)], note=_published(own)))
    for value in results.splits[rows].values:
        chosen = results.within(rows, value)
        cells = [_known(results.mean(method, chosen & results.within(columns, other))) for other in across]
        lines.append(Row(value, [*cells, _known(results.mean(method, chosen))]))
    cells = [_known(results.mean(method, results.within(columns, other))) for other in across]
    lines.append(Row("mean", [*cells, results.mean(method)]))
    return Table(
        f"Reconstruction error of {method} by {rows} and {columns}",
        [*across, "mean"],
        lines,
        unit="mm",
        caption=f"{_ERROR} Means are over images.",
    )


def metric_table(results: Results) -> Table:
    """The usual figures beside the reconstruction error."""
    rows = []
    for k, method in enumerate(results.methods):
        rooted = results.rooted[:, k]
        rows.append(
            Row(
                method,
                [
                    results.mean(method),
                    float(rooted.mean()),
                    100 * float(correct_parts(rooted).mean()),
                    100 * float(area_under_curve(rooted).mean()),
                ],
                note="".join(_note(results, method)),
            )
        )
    return Table(
        "Other measures",
        [
            Column("reconstruction error", "mm"),
            Column("MPJPE", "mm"),
            Column("PCK", "%"),
            Column("AUC", "%"),
        ],
        rows,
        caption=(
            "MPJPE is the mean distance of the joints when the roots coincide and the size, which a picture does not "
            "tell, is the best one; PCK the share of joints that are then within 150 mm, AUC its mean over thresholds "
            "from 0 to 150 mm."
        ),
    )


def visibility_table(results: Results) -> Table:
    """Errors of the joints that are seen and of those that are not."""
    rows = []
    kinds: tuple[Joints, ...] = ("visible", "hidden")
    for method in results.methods:
        cells = []
        for joints in kinds:
            cells += [_cell(results.mean(method, joints=joints)), *_difference(results, method, joints)]
        rows.append(Row(method, cells, note="".join(_note(results, method))))
    share = 100 * float(results.visible.mean())
    columns = [column for joints in kinds for column in (Column(joints), *_difference_columns(results))]
    return Table(
        "Visible and hidden joints",
        columns,
        rows,
        unit="mm",
        caption=(
            f"{share:.0f}% of the joints are visible: not hidden by the object itself or another, nor outside the "
            f"image. Poses are aligned by all joints. Differences and their standard errors as above."
        ),
    )


def part_table(results: Results) -> Table:
    """Errors of every part over every graph."""
    means = {method: results.distances(method).mean(0) for method in results.methods}
    rows = [
        Row(part, [float(means[method][k]) for method in results.methods])
        for k, part in enumerate(results.parts)
    ]
    return Table("Reconstruction error by part", results.methods, rows, unit="mm", caption=_ERROR)


def solver_table(results: Results) -> Table:
    """Time, certificates and gaps of each graph."""
    rows = []
    for column, graph in enumerate(results.graphs):
        milliseconds = results.seconds[:, column] * 1000
        rows.append(
            Row(
                graph,
                [
                    float(np.median(milliseconds)),
                    float(np.quantile(milliseconds, 0.9)),
                    100 * float(results.certified[:, column].mean()),
                    float(results.gap[:, column].mean()),
                ],
            )
        )
    return Table(
        "Inference",
        [
            Column("median", "ms"),
            Column("90th percentile", "ms"),
            Column("proven optimal", "%", 1),
            Column("mean gap", "score", 3),
        ],
        rows,
        caption="Time of one pose on one core, building included. The gap is the upper bound minus the score found.",
    )


def difference_cells(found: Estimate) -> tuple[Cell, Cell]:
    """A difference with its standard error over images, and the one over clips."""
    error = found.error if np.isfinite(found.error) else None
    return Cell(_known(found.mean), error), Cell(_known(found.clip_error))


def _difference(results: Results, method: str, joints: Joints = "all") -> tuple[Cell, Cell]:
    if method == results.graphs[0] or method in results.baselines:
        return Cell(None), Cell(None)
    return difference_cells(results.difference(method, results.graphs[0], joints))


def _note(results: Results, method: str) -> tuple[str, ...]:
    return ("baseline",) if method in results.baselines else ()


def _difference_columns(results: Results) -> tuple[Column, Column]:
    return Column(f"minus {results.graphs[0]}"), Column(f"± over {results.clips}s")


def _published_row(own: Published, values: tuple[str, ...], uneven: bool) -> Row:
    errors = [own.errors[value] for value in values]
    means = [own.errors.get(""), float(np.mean(errors))][: 1 + uneven]
    return Row(own.method, [*errors, *means, None, None], note=_published(own))


def _published(own: Published) -> str:
    return f"published: {own.source}"


def _mean_of_known(values: list[float]) -> float:
    known = [value for value in values if np.isfinite(value)]
    return float(np.mean(known)) if known else float("nan")


def _cell(value: float) -> Cell:
    return Cell(_known(value))


def _known(value: float) -> float | None:
    return value if np.isfinite(value) else None
