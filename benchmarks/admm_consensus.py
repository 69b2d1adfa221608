"""How soon ADMM's slaves agree, and on what, at several penalties: `python benchmarks/admm_consensus.py`.

Two-hop, K = 8000, ten poses of each of the realistic classes; a Markdown table, as in docs/solvers.md.
"""

from __future__ import annotations

import argparse
import statistics
import time
from typing import Any

from instances import CLASSES, instance, two_hop_edges
from partgraph_solvers import ADMM, Exact
from rich.progress import track

MOST = 60
PENALTIES: dict[str, dict[str, Any]] = {
    **{f"`relative_rho={rho}`": {"relative_rho": rho} for rho in (0.1, 0.2, 0.4, 0.8, 1.6)},
    **{f"{rho}, `balance=True`": {"relative_rho": rho, "balance": True} for rho in (0.1, 0.2, 0.4)},
}
DEFAULT = "`relative_rho=0.4`"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=10, help="poses of each class")
    parser.add_argument("--grid", type=int, default=20, help="candidates along each axis")
    options = parser.parse_args()
    rows: dict[str, list[tuple[int | None, bool, bool, float]]] = {name: [] for name in PENALTIES}
    poses = [(kind, seed) for seed in range(options.seeds) for kind in CLASSES[:5]]
    for kind, seed in track(poses, "poses"):
        problem = instance(two_hop_edges(), kind, options.grid, seed).problem
        state = ADMM().init(problem)
        best = Exact().compute(problem, Exact().init(problem), 1).scores[0] - 1e-9
        for name, penalty in PENALTIES.items():
            # Steps on the bound would end the run early where it meets the score.
            solver = ADMM(max_iterations=MOST, bound_interval=10**6, bound_steps=0, **penalty)
            start = time.thread_time()
            found = solver.compute(problem, state, 1)
            seconds = time.thread_time() - start
            agreed = found.stats["agreed"]
            rows[name].append(
                (
                    None if agreed is None else found.stats["iterations"],
                    agreed is not None and problem.score(agreed) < best,
                    found.scores[0] >= best,
                    seconds,
                )
            )
    usual = statistics.median(seconds for *_, seconds in rows[DEFAULT])
    print(
        f"| penalty | agree within 20 | within {MOST} | iterations, median of these | agree on less than the best "
        "| best of all iterates is the best | time |\n|---|---|---|---|---|---|---|"
    )
    for name, own in rows.items():
        iterations = [count for count, *_ in own if count is not None]
        cells = [
            sum(count <= 20 for count in iterations),
            len(iterations),
            statistics.median(iterations) if iterations else "none",
            sum(less for _, less, *_ in own),
            sum(found for *_, found, _ in own),
            f"{statistics.median(seconds for *_, seconds in own) / usual:.1f}",
        ]
        print(f"| {name} | {' | '.join(map(str, cells))} |")


if __name__ == "__main__":
    main()
