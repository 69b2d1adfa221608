"""Errors of several methods on the same images, and what may be concluded from them.

NumPy only: results can be read, compared and printed without torch.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, final

import attrs
import numpy as np
from numpy.typing import NDArray


@final
@attrs.frozen(eq=False)
class Results:
    """Reconstruction errors of `methods` on n images of named groups.

    Attributes
    ----------
    methods : names; the first of the graphs is what other graphs are compared with
    groups : names, in the order of tables
    errors : (n, methods) float64, mm
    group : (n,) int, index into `groups`
    graphs : the methods that solved a graph; the others are baselines
    seconds : (n, graphs) float64, of the solver alone
    certified : (n, graphs) bool, where the solver proved its answer
    gap : (n, graphs) float64, upper bound minus score
    """

    methods: tuple[str, ...]
    groups: tuple[str, ...]
    errors: NDArray[np.float64]
    group: NDArray[np.intp]
    graphs: tuple[str, ...]
    seconds: NDArray[np.float64]
    certified: NDArray[np.bool_]
    gap: NDArray[np.float64]

    def of(self, method: str) -> NDArray[np.float64]:
        """(n,) float64, mm: the errors of one method."""
        return self.errors[:, self.methods.index(method)]

    def mean(self, method: str, group: str | None = None) -> float:
        """Mean error of a method in mm, over all images or those of a group; NaN where there are none."""
        errors = self.of(method)
        if group is not None:
            errors = errors[self.group == self.groups.index(group)]
        return float(errors.mean()) if len(errors) else float("nan")

    def difference(self, method: str, reference: str) -> tuple[float, float]:
        """Mean paired difference of two methods over images, and its standard error, mm."""
        difference = self.of(method) - self.of(reference)
        if len(difference) < 2:
            return float(difference.mean()), float("nan")
        return float(difference.mean()), float(difference.std(ddof=1) / np.sqrt(len(difference)))

    def to_json(self) -> dict[str, Any]:
        """Means, differences, times and certificates as plain values, None where there is no number."""
        reference = self.graphs[0]
        baselines = [method for method in self.methods if method not in self.graphs]
        values = {
            "reconstruction_error_mm": {graph: self.mean(graph) for graph in self.graphs},
            "baselines_mm": {method: self.mean(method) for method in baselines},
            "per_group_mm": {
                group: {method: self.mean(method, group) for method in self.methods} for group in self.groups
            },
            f"minus_{reference.replace('-', '_')}_mm": {
                graph: dict(zip(("mean", "standard_error"), self.difference(graph, reference), strict=True))
                for graph in self.graphs[1:]
            },
            "solver_milliseconds": _per_graph(self.graphs, self.seconds * 1000),
            "certified_share": dict(zip(self.graphs, self.certified.mean(0).tolist(), strict=True)),
            "mean_gap": dict(zip(self.graphs, self.gap.mean(0).tolist(), strict=True)),
            "images": len(self.errors),
        }
        return _finite(values)


def _finite(value: Any) -> Any:
    """The value with None for NaN and infinities, which JSON lacks."""
    if isinstance(value, Mapping):
        return {key: _finite(item) for key, item in value.items()}
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _per_graph(graphs: tuple[str, ...], values: NDArray[np.float64]) -> Mapping[str, Mapping[str, float]]:
    return {
        graph: {"median": float(np.median(column)), "p90": float(np.quantile(column, 0.9))}
        for graph, column in zip(graphs, values.T, strict=True)
    }
