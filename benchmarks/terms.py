"""What compiled forms of potentials are worth: the same search with them and with NumPy, poses and answers the same.

    python benchmarks/terms.py [--grid 13] [--poses 3]

Every term of a pose is replaced by a potential with the same expected displacement. Times are processor time of one
thread; ratios are NumPy's over that with compiled forms.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import attrs
import numpy as np
from instances import instance, star_edges
from measure import timed
from partgraph_solvers import BranchAndBound

from partgraph import (
    Cauchy,
    FullQuadratic,
    Huber,
    Interval,
    LimbLength,
    Mixture,
    Pairwise,
    Problem,
    Quadratic,
    Truncated,
)

Make = Callable[[Quadratic], Pairwise]

TERMS: dict[str, Make] = {
    "FullQuadratic": lambda own: FullQuadratic(np.diag(2 * own.weight) + 0.2 * own.weight.min(), own.offset),
    "LimbLength": lambda own: LimbLength(np.linalg.norm(own.offset), (2 * own.weight.mean()) ** -0.5),
    "Truncated(Quadratic)": lambda own: Truncated(own, 8.0),
    "Huber(Quadratic)": lambda own: Huber(own, 1.5),
    "Cauchy(Quadratic)": lambda own: Cauchy(own, 4.0),
    "Mixture of two": lambda own: Mixture([own, Quadratic(own.weight, -own.offset)], [0.0, -1.0]),
}


@attrs.frozen(eq=False)
class Interpreted(Pairwise):
    """A term that hides its compiled form."""

    base: Pairwise

    def evaluate(self, x: Any, y: Any) -> Any:
        return self.base.evaluate(x, y)

    def bounds(self, *boxes: Interval) -> Interval:
        return self.base.bounds(*boxes)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--grid", type=int, default=13, help="candidates of a part, along each axis")
    parser.add_argument("--poses", type=int, default=3)
    options = parser.parse_args()
    terms = dict(TERMS)
    if find_spec("partgraph_charbonnier"):
        from partgraph_charbonnier import Charbonnier

        terms["Charbonnier (example)"] = lambda own: Charbonnier(
            own.offset, 1.5 / float(own.weight.mean()) ** 0.5
        )
    print(f"stars of 16 parts with {options.grid**3} candidates, medians of {options.poses} poses\n")
    print("| potential | bounds | search | both, ms with compiled form | blocks opened |")
    print("|---|---:|---:|---:|---:|")
    for name, make in terms.items():
        rows = [measured(make, options.grid, seed) for seed in range(options.poses)]
        bounds, search, ms, opened = (statistics.median(column) for column in zip(*rows, strict=True))
        print(f"| `{name}` | {bounds:.1f} x | {search:.1f} x | {ms:.0f} | {opened:.0f} |", flush=True)


def measured(make: Make, grid: int, seed: int) -> tuple[float, float, float, float]:
    """Return NumPy's time over the compiled one, for bounds of all boxes and for the search; ms; blocks opened."""
    problem = instance(star_edges(), "multi", grid, seed).problem
    terms: list[Any] = [make(own) for own in problem.pairwise]
    (build, search, found), (slow_build, slow_search, same) = (
        _run(attrs.evolve(problem, pairwise=tuple(own))) for own in (terms, map(Interpreted, terms))
    )
    np.testing.assert_array_equal(found.labels, same.labels)
    return slow_build / build, slow_search / search, build + search, found.stats["blocks_opened"]


def _run(problem: Problem) -> tuple[float, float, Any]:
    solver = BranchAndBound()
    state, build = timed(lambda: solver.init(problem))
    found, search = timed(lambda: solver.compute(problem, state, 1))
    return build, search, found


if __name__ == "__main__":
    main()
