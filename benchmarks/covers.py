"""What a cover does to ADMM and to the exact solver: `python benchmarks/covers.py`.

Two-hop, K = 8000, poses of each of the realistic classes; a Markdown table, as in docs/topologies.md.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

import attrs
from instances import CLASSES, instance, two_hop_edges
from partgraph_solvers import ADMM, Exact
from rich.progress import track

from partgraph import Problem, Solution, Status
from partgraph.covers import COVERS, DEFAULT

MOST = 60


@attrs.frozen
class Row:
    """What one cover did on one pose."""

    exact: float
    sweeps: int
    left: int
    proven: bool
    admm: float
    iterations: int | None
    best: bool
    gap: float


def timed(call: Callable[[], Solution]) -> tuple[Solution, float]:
    start = time.thread_time()
    return call(), time.thread_time() - start


def solved(solver: Any, problem: Problem) -> Callable[[], Solution]:
    return lambda: solver.compute(problem, solver.init(problem), 1)


def measured(problem: Problem, cover: str) -> Row:
    """Solve a pose with one cover, building included."""
    exact, seconds = timed(solved(Exact(cover=cover), problem))
    # Steps on the bound would end the run early where it meets the score.
    plain = ADMM(max_iterations=MOST, bound_interval=10**6, bound_steps=0, cover=cover)
    found, spent = timed(solved(plain, problem))
    bounded = solved(ADMM(cover=cover), problem)()
    return Row(
        exact=seconds,
        sweeps=exact.stats["sweeps"],
        left=int(exact.stats["candidates_left"][0]),
        proven=exact.status is Status.OPTIMAL,
        admm=spent,
        iterations=found.stats["iterations"] if found.stats["consensus"] else None,
        best=bool(found.scores[0] >= exact.scores[0] - 1e-9),
        gap=float(bounded.upper_bound - exact.scores[0]),
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=4, help="poses of each class")
    parser.add_argument("--grid", type=int, default=20, help="candidates along each axis")
    options = parser.parse_args()
    rows: dict[str, list[Row]] = {cover: [] for cover in COVERS}
    poses = [(kind, seed) for seed in range(options.seeds) for kind in CLASSES[:5]]
    for kind, seed in track(poses, "poses"):
        problem = instance(two_hop_edges(), kind, options.grid, seed).problem
        for cover, own in rows.items():
            own.append(measured(problem, cover))
    print(
        f"| cover | stars | largest | `exact`: time | left | sweeps | proven | ADMM: time | agrees within {MOST} "
        "| iterations, median of these | finds the best | gap, mean |\n" + "|---" * 12 + "|"
    )
    graph = problem.graph
    for cover, own in rows.items():
        stars = graph.with_cover(cover).stars()
        agreed = [row.iterations for row in own if row.iterations is not None]
        usual = rows[DEFAULT]
        cells = [
            len(stars),
            len(stars[0].leaves),
            f"{_ratio([row.exact for row in own], [row.exact for row in usual]):.2f}",
            f"{statistics.median(row.left for row in own):.0f}",
            f"{statistics.mean(row.sweeps for row in own):.2f}",
            f"{sum(row.proven for row in own)}/{len(own)}",
            f"{_ratio([row.admm for row in own], [row.admm for row in usual]):.2f}",
            len(agreed),
            statistics.median(agreed) if agreed else "none",
            sum(row.best for row in own),
            f"{statistics.mean(row.gap for row in own):.3f}",
        ]
        print(f"| `{cover}` | {' | '.join(map(str, cells))} |")


def _ratio(own: list[float], usual: list[float]) -> float:
    """Return the median over poses of the ratio of times."""
    return statistics.median(mine / other for mine, other in zip(own, usual, strict=True))


if __name__ == "__main__":
    main()
