"""Stars and trees by torch, one by one and in batches, by boxes and by brute force, against branch-and-bound.

    python benchmarks/batches.py [--grid 10] [--poses 4] [--difficulty multi] [--device cuda]

Ratios on stars are of one thread's processor time, or of wall time where a GPU works. Pairs compared and candidates
left do not depend on the machine. The best configurations are checked to be those of exact solvers.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable

import numpy as np
import torch
from instances import CLASSES, instance, star_edges, tree_edges
from partgraph_solvers import BranchAndBound, Exact
from partgraph_torch import Torch

from partgraph import Solution, solve_many


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--grid", type=int, default=10, help="candidates of a part, along each axis")
    parser.add_argument("--poses", type=int, default=4)
    parser.add_argument("--difficulty", choices=CLASSES, default="multi")
    parser.add_argument("--device", help="torch's name of a device")
    parser.add_argument("--no-brute-force", action="store_true", help="which takes all pairs")
    options = parser.parse_args()
    torch.set_num_threads(1)
    clock = (
        time.thread_time
        if options.device in (None, "cpu") and not torch.cuda.is_available()
        else time.perf_counter
    )
    poses = options.poses
    ways = {
        "float64, one by one": Torch(options.device, "float64", batch_size=1),
        "float64, together": Torch(options.device, "float64", batch_size=poses),
        "float32, together": Torch(options.device, "float32", batch_size=poses),
    }
    if not options.no_brute_force:
        ways["float32, brute force, together"] = Torch(options.device, "float32", runs=(), batch_size=poses)
    print(f"{poses} poses of 16 parts with {options.grid**3} candidates, class {options.difficulty}\n")
    print("| graph | torch | time over that of branch-and-bound | pairs, millions a pose | candidates left |")
    print("|---|---|---:|---:|---:|")
    for graph, edges, solver in (("star", star_edges(), BranchAndBound()), ("tree", tree_edges(), Exact())):
        problems = [instance(edges, options.difficulty, options.grid, seed).problem for seed in range(poses)]
        progress(f"{graph}: {type(solver).__name__}")
        truth, own = timed(lambda problems=problems, solver=solver: solve_many(problems, solver), clock)
        solve_many(problems[:1], Torch(options.device))  # what a first call loads is not measured
        for name, way in ways.items():
            progress(f"{graph}: {name}")
            found, seconds = timed(lambda problems=problems, way=way: solve_many(problems, way), clock)
            for one, other in zip(found, truth, strict=True):
                np.testing.assert_array_equal(one.labels, other.labels)
            pairs = np.mean([one.stats["pairs"] for one in found]) / 1e6
            left = np.median([sum(one.stats["candidates_left"]) for one in found])
            ratio = f"{seconds / own:.0f}" if graph == "star" else "–"
            print(f"| {graph} | {name} | {ratio} | {pairs:.2f} | {left:.0f} |", flush=True)


def progress(text: str) -> None:
    print(f"... {text}", file=sys.stderr, flush=True)


def timed(function: Callable[[], list[Solution]], clock: Callable[[], float]) -> tuple[list[Solution], float]:
    """Return the solutions and the time, s."""
    start = clock()
    found = function()
    return found, clock() - start


if __name__ == "__main__":
    main()
