"""Scores as toulbar2's costs: whole numbers, with a bound on what the conversion loses.

A table f with highest score top_f costs d_f = top_f - s_f >= 0, and a configuration D = sum_f d_f = tops - S. Only
those of at least some score T matter, whose costs are at most R = tops - T: larger entries are forbidden, so that a
score of -1e30 somewhere takes no digits from the others. With a scale of 2^k, which is exact in binary, the cost is
round(d_f 2^k). F tables are then off by F / 2 at most,

    | C - 2^k D |  <=  F / 2,

and k is as large as keeps all sums exact in float64, in which toulbar2 takes and returns costs. The n best
configurations are therefore among those with C <= 2^k (tops - T_n + rounding) + F / 2, T_n the n-th best score known:
all of them are listed, and ``problem.score`` decides.
"""

from __future__ import annotations

import math
from typing import final

import attrs
import numpy as np

from partgraph_toulbar2.tables import Tables

_BITS = 50
"""Sums of costs stay below 2^50: exact in float64, and far from toulbar2's own limit of about 2^58."""


@final
@attrs.frozen(eq=False)
class Costs:
    """Tables of costs for configurations of at least some score.

    Attributes
    ----------
    tables : Tables
        The scores.
    scale : float
        Costs per score, a power of two.
    most : int
        No configuration of at least that score costs more.
    """

    tables: Tables
    scale: float
    most: int

    @classmethod
    def of(cls, tables: Tables, least: float) -> Costs:
        """Convert scores; `least` is the score to reach, -inf for every allowed configuration."""
        tops = float(tables.tops.sum())
        if least == -np.inf:  # the sum of the least finite scores
            least = float(sum(own[own > -np.inf].min() for own in tables.all))
        reach = tops - least + tables.rounding(least)
        count = len(tables.all)
        # frexp: reach < 2^exponent. The limits keep scale and scaled numbers finite where all scores are equal or huge.
        scale = 2.0 ** max(-900, min(900, _BITS - 2 - count.bit_length() - math.frexp(reach)[1]))
        return cls(tables, scale, math.floor(reach * scale) + count // 2 + 1)

    @property
    def resolution(self) -> float:
        """How far scores and costs may differ, in scores: half a unit for every table."""
        return len(self.tables.all) / 2 / self.scale

    def table(self, index: int) -> np.ndarray:
        """Return the costs of a table, as whole float64 numbers; `most + 1` forbids."""
        scores = self.tables.all[index]
        return np.minimum(np.rint((scores.max() - scores) * self.scale), self.most + 1)

    def upper_bound(self, lower_cost: float) -> float:
        """Return a score that no configuration surpasses, if none costs less than `lower_cost`."""
        bound = float(self.tables.tops.sum()) - lower_cost / self.scale + self.resolution
        return bound + self.tables.rounding(bound)
