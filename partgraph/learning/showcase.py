"""A report of an evaluation: its tables, and the cases that tell most."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence

import numpy as np

from partgraph.learning.dataset import Dataset
from partgraph.learning.evaluate import Evaluated
from partgraph.learning.results import Results
from partgraph.learning.tables import tables_of
from partgraph.report import Case, Fact, Group, Pose, Report, Skeleton
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
    gain = results.difference(best, reference)
    uncertainty = f" ± {gain.error:.1f}" if np.isfinite(gain.error) else ""
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
            Fact(
                _sentence(best), f"{results.mean(best):.1f} mm", f"{gain.mean:+.1f}{uncertainty} mm, paired"
            ),
            Fact("Solver, median", f"{np.median(milliseconds):.1f} ms", f"{best}, one pose"),
            Fact("Images", str(len(evaluated)), ", ".join(dataset.groups)),
        ),
        skeleton=skeleton_of(dataset),
        tables=tables_of(results),
        groups=_cases(dataset, evaluated, results),
        shown=("truth", reference, best),
        footer=(*footer, Fact("Written", time.strftime("%Y-%m-%d"))),
    )


def _cases(dataset: Dataset, evaluated: Sequence[Evaluated], results: Results) -> tuple[Group, ...]:
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
        Group(title, tuple(_case(dataset, evaluated[k]) for k in chosen), caption)
        for title, caption, chosen in groups
    )


def _case(dataset: Dataset, one: Evaluated) -> Case:
    sample = dataset[one.index]
    return Case(
        title=f"{sample.group} {one.index}",
        image=np.asarray(sample.image),
        poses=tuple(
            Pose(name, one.answers[name].positions, one.errors[name]) for name in shown_graphs(one.answers)
        ),
        truth=Pose("truth", one.target),
    )


def _sentence(name: str) -> str:
    return name.replace("-", " ").capitalize()
