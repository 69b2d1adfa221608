"""Stars by torch, one by one and in batches, by boxes and by brute force, against branch-and-bound.

    python benchmarks/batches.py [--grid 13] [--poses 4] [--device cuda]

Ratios are of wall time, as a GPU's work is not the processor's; one thread. The best scores are checked to be equal.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np
import torch
from instances import instance, star_edges
from partgraph_solvers import BranchAndBound
from partgraph_torch import Torch

from partgraph import Solution, solve_many


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--grid", type=int, default=13, help="candidates of a part, along each axis")
    parser.add_argument("--poses", type=int, default=4)
    parser.add_argument("--device", help="torch's name of a device")
    options = parser.parse_args()
    torch.set_num_threads(1)
    problems = [instance(star_edges(), "multi", options.grid, seed).problem for seed in range(options.poses)]
    ways = {
        "float64, one by one": Torch(options.device, "float64", batch_size=1),
        "float64, together": Torch(options.device, "float64", batch_size=options.poses),
        "float32, together": Torch(options.device, "float32", batch_size=options.poses),
        "float32, brute force, together": Torch(options.device, "float32", runs=(), batch_size=options.poses),
    }
    print(f"{options.poses} stars of 16 parts with {options.grid**3} candidates\n")
    print("| torch | time over that of branch-and-bound | candidates left |")
    print("|---|---:|---:|")
    solve_many(problems[:1], ways["float64, together"])  # what a first call loads is not measured
    truth, own = timed(lambda: solve_many(problems, BranchAndBound()))
    for name, solver in ways.items():
        found, seconds = timed(lambda solver=solver: solve_many(problems, solver))
        for one, other in zip(found, truth, strict=True):
            np.testing.assert_array_equal(one.labels, other.labels)
        left = np.median([sum(one.stats["candidates_left"]) for one in found])
        print(f"| {name} | {seconds / own:.0f} | {left:.0f} |", flush=True)


def timed(function: Callable[[], list[Solution]]) -> tuple[list[Solution], float]:
    """Return the solutions and the time, s."""
    start = time.perf_counter()
    found = function()
    return found, time.perf_counter() - start


if __name__ == "__main__":
    main()
