"""Solvers against each other on the same generated poses, in one run: `python benchmarks/bench_solvers.py`.

One table for stars (the pelvis with 15 leaves) and one for two-hop (33 edges), 16 parts, K candidates each. Times are
medians over instances, in milliseconds of one thread's processor time, building and solving apart. Only ratios
between columns of one run mean anything; blocks, centers and gaps do not depend on the machine.

Baselines for stars: every center against every leaf candidate in NumPy, and one nearest-neighbour query per center
and leaf with scipy's cKDTree. The latter "lifts" the maximisation to a distance in one more dimension:

    max_k u_k - |q - y_k|^2  =  u_max - min_k |(q, 0) - (y_k, sqrt(u_max - u_k))|^2

with coordinates scaled by sqrt(c).
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(variable, "1")
sys.path.insert(0, str(Path(__file__).parent))

import numpy as np  # noqa: E402
from instances import CLASSES, instance, star_edges, two_hop_edges  # noqa: E402
from partgraph_solvers import ADMM, BranchAndBound, Exact  # noqa: E402
from rich.console import Console  # noqa: E402
from rich.table import Table  # noqa: E402
from scipy.spatial import cKDTree  # noqa: E402

from partgraph import Problem, Status  # noqa: E402


def timed(function: Callable[[], Any], repeat: int = 1) -> tuple[Any, float]:
    """Return the result and the least time of `repeat` calls, ms."""
    times = []
    for _ in range(repeat):
        start = time.thread_time()
        result = function()
        times.append(1e3 * (time.thread_time() - start))
    return result, min(times)


def brute_force(problem: Problem) -> float:
    """Return the best score of a star with edges from its center, comparing all pairs, a block of centers at a time."""
    center = problem.graph.edges[0][0]
    total = problem.candidates[center].scores.copy()
    for (_, leaf), term in zip(problem.graph.edges, problem.pairwise, strict=True):
        own = problem.candidates[leaf]
        root = np.sqrt(term.weight)
        query, point = (problem.candidates[center].positions + term.offset) * root, own.positions * root
        constant = own.scores - (point**2).sum(1)
        for start in range(0, len(query), 500):
            q = query[start : start + 500]
            total[start : start + 500] += (2 * q @ point.T + constant).max(1) - (q**2).sum(1)
    return float(total.max())


def lifted_trees(problem: Problem) -> list[cKDTree]:
    """Return one tree per leaf over its lifted candidates."""
    trees = []
    for (_, leaf), term in zip(problem.graph.edges, problem.pairwise, strict=True):
        own = problem.candidates[leaf]
        lift = np.sqrt(own.scores.max() - own.scores)
        trees.append(cKDTree(np.column_stack([own.positions * np.sqrt(term.weight), lift])))
    return trees


def lifted_neighbours(problem: Problem, trees: Sequence[cKDTree]) -> float:
    """Return the best score of a star, with the exact message to every center from one query each."""
    center = problem.graph.edges[0][0]
    total = problem.candidates[center].scores.copy()
    for (_, leaf), term, tree in zip(problem.graph.edges, problem.pairwise, trees, strict=True):
        query = (problem.candidates[center].positions + term.offset) * np.sqrt(term.weight)
        distance, _ = tree.query(np.column_stack([query, np.zeros(len(query))]))
        total += problem.candidates[leaf].scores.max() - distance**2
    return float(total.max())


def median(values: list[float]) -> float:
    """Return the median; NaN if there are no values."""
    return statistics.median(values) if values else float("nan")


def bench_stars(grids: Sequence[int], classes: Sequence[str], seeds: int, slow: bool) -> Table:
    """Compare branch and bound with the baselines on stars."""
    table = Table(title="stars: 16 parts, 15 edges; ms", title_justify="left")
    for name in ("K", "class", "build", "solve", "20 best", "opened", "of", "centers", "tree build", "tree query",
                 "NumPy", "tree / ours", "NumPy / ours"):  # fmt: skip
        table.add_column(name, justify="left" if name == "class" else "right")
    solver = BranchAndBound()
    for grid in grids:
        for kind in classes:
            rows: dict[str, list[float]] = {}
            for seed in range(seeds):
                problem = instance(star_edges(), kind, grid, seed).problem
                state, build = timed(lambda: solver.init(problem), 3)  # noqa: B023
                found, first = timed(lambda: solver.compute(problem, state, 1), 5)  # noqa: B023
                _, twenty = timed(lambda: solver.compute(problem, state, 20), 3)  # noqa: B023
                stats = found.stats
                values = {"build": build, "solve": first, "twenty": twenty, "opened": stats["blocks_opened"],
                          "blocks": stats["blocks"], "centers": stats["centers_evaluated"]}  # fmt: skip
                if seed == 0 or slow:
                    trees, values["tree"] = timed(lambda: lifted_trees(problem))  # noqa: B023
                    score, values["query"] = timed(lambda: lifted_neighbours(problem, trees))  # noqa: B023
                    same, values["numpy"] = timed(lambda: brute_force(problem))  # noqa: B023
                    np.testing.assert_allclose([score, same], found.scores[0], atol=1e-6)
                for name, value in values.items():
                    rows.setdefault(name, []).append(value)
            m = {name: median(values) for name, values in rows.items()}
            ours = m["build"] + m["solve"]
            ratios = (m["tree"] + m["query"]) / ours, m["numpy"] / ours
            table.add_row(
                str(grid**3), kind, *(f"{m[name]:.2f}" for name in ("build", "solve", "twenty")),
                *(f"{m[name]:.0f}" for name in ("opened", "blocks", "centers", "tree", "query", "numpy")),
                *(f"{ratio:.0f} x" for ratio in ratios),
            )  # fmt: skip
    return table


def bench_two_hop(grids: Sequence[int], classes: Sequence[str], seeds: int, strength: float) -> Table:
    """Compare the exact solver with ADMM on the loopy two-hop graph."""
    table = Table(title="two-hop: 16 parts, 33 edges, 11 slaves; ms", title_justify="left")
    for name in ("K", "class", "build", "exact", "p90", "20 best", "candidates left", "rounds", "certified",
                 "ADMM", "iterations", "agree", "optimal", "agree, not optimal", "gap of bound",
                 "ADMM / exact"):  # fmt: skip
        table.add_column(name, justify="left" if name == "class" else "right")
    exact, admm = Exact(), ADMM()
    for grid in grids:
        for kind in classes:
            rows: dict[str, list[float]] = {}
            for seed in range(seeds):
                problem = instance(two_hop_edges(), kind, grid, seed, strength=strength).problem
                state, build = timed(lambda: exact.init(problem), 3)  # noqa: B023
                best, time_exact = timed(lambda: exact.compute(problem, state, 1), 2)  # noqa: B023
                _, twenty = timed(lambda: exact.compute(problem, state, 20))  # noqa: B023
                found, time_admm = timed(lambda: admm.compute(problem, state, 1), 2)  # noqa: B023
                optimal = found.scores[0] >= best.scores[0] - 1e-9
                values = {
                    "build": build, "exact": time_exact, "twenty": twenty, "admm": time_admm,
                    "left": best.stats["candidates_left"][0], "rounds": len(best.stats["candidates_left"]),
                    "certified": best.status is Status.OPTIMAL, "iterations": found.stats["iterations"],
                    "agree": found.stats["consensus"], "optimal": optimal,
                    "false": found.stats["consensus"] and not optimal, "gap": found.gap,
                    "ratio": time_admm / time_exact,
                }  # fmt: skip
                for name, value in values.items():
                    rows.setdefault(name, []).append(float(value))
            m = {name: median(values) for name, values in rows.items()}
            count = {
                name: f"{sum(rows[name]):.0f}/{seeds}" for name in ("certified", "agree", "optimal", "false")
            }
            table.add_row(
                str(grid**3), kind, f"{m['build']:.1f}", f"{m['exact']:.1f}", f"{np.percentile(rows['exact'], 90):.1f}",
                f"{m['twenty']:.1f}", f"{m['left']:.0f}", f"{m['rounds']:.0f}", count["certified"], f"{m['admm']:.1f}",
                f"{m['iterations']:.0f}", count["agree"], count["optimal"], count["false"], f"{m['gap']:.2f}",
                f"{m['ratio']:.1f} x",
            )  # fmt: skip
    return table


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--grids", type=int, nargs="+", default=[8, 13, 20], help="candidates along each axis"
    )
    parser.add_argument("--classes", nargs="+", choices=CLASSES, default=list(CLASSES))
    parser.add_argument("--seeds", type=int, default=5, help="instances per row")
    parser.add_argument(
        "--slow", action="store_true", help="run the baselines on every instance, not on one per row"
    )
    parser.add_argument(
        "--strength", type=float, default=1.0, help="factor of the pairwise weights of two-hop"
    )
    parser.add_argument("--only", choices=["stars", "two-hop"])
    options = parser.parse_args()
    console = Console(width=None if sys.stdout.isatty() else 180)
    if options.only != "two-hop":
        console.print(bench_stars(options.grids, options.classes, options.seeds, options.slow))
    if options.only != "stars":
        console.print(bench_two_hop(options.grids, options.classes, options.seeds, options.strength))


if __name__ == "__main__":
    main()
