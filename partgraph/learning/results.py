"""Errors of several methods on the same images, joint by joint, and what may be concluded from them.

NumPy only: results can be read, compared and printed without torch.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Literal, final

import attrs
import numpy as np
from numpy.typing import NDArray

from partgraph.learning.dataset import Published
from partgraph.learning.uncertainty import Estimate, estimate

Joints = Literal["all", "visible", "hidden"]


@final
@attrs.frozen(eq=False)
class Split:
    """One way of dividing the images, such as by action.

    Attributes
    ----------
    values : names, in the order of tables
    of : (n,) int, index into `values`
    """

    values: tuple[str, ...]
    of: NDArray[np.intp]


@final
@attrs.frozen(eq=False)
class Results:
    """How far `methods` are off on the same n images.

    Attributes
    ----------
    methods : M names, graphs first; the first graph is what others are compared with
    graphs : the G methods that solved a graph; the others are baselines
    parts : N names
    aligned : (n, M, N) float, mm, distance of each part after the best similarity
    rooted : (n, M, N) float, mm, distance of each part when roots coincide and the size is the best one
    visible : (n, N) bool, whether a part is seen in the image
    splits : by name; the first is the data set's groups
    clips : name of the split whose images are alike
    seconds : (n, G) float, of the solver alone
    certified : (n, G) bool, where the solver proved its answer
    gap : (n, G) float, upper bound minus score
    pictures : digest of the true poses: the same for results on the same images
    published : what others report on the data set
    about : how the results were come by, plain values by name
    """

    methods: tuple[str, ...]
    graphs: tuple[str, ...]
    parts: tuple[str, ...]
    aligned: NDArray[np.floating]
    rooted: NDArray[np.floating]
    visible: NDArray[np.bool_]
    splits: Mapping[str, Split]
    clips: str
    seconds: NDArray[np.floating]
    certified: NDArray[np.bool_]
    gap: NDArray[np.floating]
    pictures: str = ""
    published: tuple[Published, ...] = ()
    about: Mapping[str, Any] = attrs.field(factory=dict)

    def __len__(self) -> int:
        return len(self.aligned)

    @property
    def groups(self) -> tuple[str, ...]:
        """Names of the data set's groups, in the order of tables."""
        return next(iter(self.splits.values())).values

    @property
    def baselines(self) -> tuple[str, ...]:
        """The methods that solved nothing."""
        return tuple(method for method in self.methods if method not in self.graphs)

    def of(self, method: str) -> NDArray[np.float64]:
        """(n,) float64, mm: the reconstruction errors of one method."""
        return self.distances(method).mean(1)

    def distances(self, method: str) -> NDArray[np.float64]:
        """(n, N) float64, mm: how far a method's parts are off after the best similarity."""
        return self.aligned[:, self.methods.index(method)].astype(np.float64)

    def counted(self, joints: Joints = "all") -> NDArray[np.bool_]:
        """(n, N) bool: which joints are all, the visible or the hidden ones."""
        if joints == "all":
            return np.ones_like(self.visible)
        return self.visible if joints == "visible" else ~self.visible

    def mean(
        self, method: str, where: NDArray[np.bool_] | slice = slice(None), joints: Joints = "all"
    ) -> float:
        """Mean error of a method in mm over joints of all images, or of those chosen; NaN where there are none."""
        counted = self.counted(joints)[where]
        return float(self.distances(method)[where][counted].mean()) if counted.any() else float("nan")

    def within(self, split: str, value: str) -> NDArray[np.bool_]:
        """(n,) bool: the images of one value of a split."""
        own = self.splits[split]
        return own.of == own.values.index(value)

    def difference(self, method: str, reference: str, joints: Joints = "all") -> Estimate:
        """Mean paired difference of two methods, mm."""
        return self.compare(self.distances(method) - self.distances(reference), joints)

    def compare(self, difference: NDArray[np.float64], joints: Joints = "all") -> Estimate:
        """Mean of differences (n, N) in mm on these images, over their joints."""
        counted = self.counted(joints)
        weight = counted.sum(1)
        return estimate(np.where(counted, difference, 0).sum(1), self.splits[self.clips].of, weight)

    def to_json(self) -> dict[str, Any]:
        """Means, differences, times and certificates as plain values, None where there is no number."""
        reference, first = self.graphs[0], next(iter(self.splits))
        compared = {graph: self.difference(graph, reference) for graph in self.graphs[1:]}
        values = {
            "reconstruction_error_mm": {graph: self.mean(graph) for graph in self.graphs},
            "baselines_mm": {method: self.mean(method) for method in self.baselines},
            "per_group_mm": {
                group: {method: self.mean(method, self.within(first, group)) for method in self.methods}
                for group in self.groups
            },
            f"minus_{reference.replace('-', '_')}_mm": {
                graph: {
                    "mean": found.mean,
                    "standard_error": found.error,
                    f"standard_error_over_{self.clips}s": found.clip_error,
                }
                for graph, found in compared.items()
            },
            "visible_joints_mm": {method: self.mean(method, joints="visible") for method in self.methods},
            "hidden_joints_mm": {method: self.mean(method, joints="hidden") for method in self.methods},
            "solver_milliseconds": _per_graph(self.graphs, self.seconds * 1000),
            "certified_share": dict(zip(self.graphs, self.certified.mean(0).tolist(), strict=True)),
            "mean_gap": dict(zip(self.graphs, self.gap.mean(0).tolist(), strict=True)),
            "images": len(self),
        }
        return _finite(values)


def _finite(value: Any) -> Any:
    """The value with None for NaN and infinities, which JSON lacks."""
    if isinstance(value, Mapping):
        return {key: _finite(item) for key, item in value.items()}
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _per_graph(graphs: tuple[str, ...], values: NDArray[np.floating]) -> Mapping[str, Mapping[str, float]]:
    return {
        graph: {"median": float(np.median(column)), "p90": float(np.quantile(column, 0.9))}
        for graph, column in zip(graphs, values.T, strict=True)
    }
