"""Constant displacements: what the offsets that a network predicts for each image and candidate are compared with.

From the training poses alone, every part is expected where it is on average, seen from another one: the deformable
part models' way before offsets depended on the image (the paper's section 2.2). As for predicted offsets, c of eq. 3 is
1 / (2 sigma^2) with sigma read off a quantile of the residuals.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, final

import attrs
import numpy as np
from numpy.typing import NDArray

from partgraph.potentials import Quadratic
from partgraph.problem import Problem

ONE_SIGMA = 0.6827
"""Share of a Gaussian within one standard deviation."""

SMALLEST_SIGMA = 0.25
"""px: a part and itself are never apart, and no pixel is known better."""


@final
@attrs.frozen(eq=False)
class Displacements:
    """Where parts are, on average, seen from one another.

    Attributes
    ----------
    mean : (N, 3) float64, px of the crop
        Mean positions relative to the first part; their differences are the mean displacements.
    sigma : (N, N, 3) float64, px
        How far displacements are from these, symmetric.
    """

    mean: NDArray[np.float64]
    sigma: NDArray[np.float64]

    @classmethod
    def of(cls, targets: NDArray[np.floating]) -> Displacements:
        """Those of poses (n, N, 3), px of the crop."""
        own = np.asarray(targets, np.float64) - np.asarray(targets, np.float64)[:, :1]
        mean = own.mean(0)
        residual = own - mean
        apart = np.abs(residual[:, None] - residual[:, :, None])
        sigma = np.quantile(apart, ONE_SIGMA, axis=0, method="inverted_cdf")
        return cls(mean, np.maximum(sigma, SMALLEST_SIGMA))

    def impose(self, problem: Problem, scale: float = 1.0) -> Problem:
        """The problem with these displacements and their weights times `scale` in place of its own."""
        terms = [
            Quadratic(weight=scale / (2 * self.sigma[i, j] ** 2), offset=self.mean[j] - self.mean[i])
            for i, j in problem.graph.edges
        ]
        return attrs.evolve(problem, pairwise=terms, anchors=())

    def to_json(self) -> dict[str, Any]:
        """Plain values to a hundredth of a pixel; of sigma the pairs (i, j) with i < j, row by row."""
        above = np.triu_indices(len(self.mean), 1)
        return {"mean": np.round(self.mean, 2).tolist(), "sigma": np.round(self.sigma[above], 2).tolist()}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Displacements:
        """What `to_json` wrote."""
        mean = np.array(values["mean"], np.float64)
        sigma = np.full((len(mean), len(mean), 3), SMALLEST_SIGMA)
        i, j = np.triu_indices(len(mean), 1)
        sigma[i, j] = sigma[j, i] = values["sigma"]
        return cls(mean, sigma)
