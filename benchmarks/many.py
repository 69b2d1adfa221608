"""Many problems: poses per second with `solve_many`, here and with threads."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

from instances import CLASSES, instance
from measure import Deadline, Table, ratio

from partgraph import solve_many

Edges = tuple[tuple[int, int], ...]
REALISTIC = CLASSES[:5]


def many(graphs: dict[str, Edges], grid: int, seeds: int, repeat: int, deadline: Deadline) -> Table:
    """Return poses per second: wall-clock time, so only an idle machine tells."""
    table = Table("solve-many", f"solve_many, K = {grid**3}, the realistic classes in turn; poses per second")
    for (name,) in deadline.rows(table, [(name,) for name in graphs]):
        edges = graphs[name]
        poses = [instance(edges, kind, grid, seed).problem for seed in range(seeds) for kind in REALISTIC]
        row: dict[str, float | str | None] = {"graph": name, "poses": float(len(poses) * repeat)}
        start = time.perf_counter()
        solve_many(poses * repeat)
        row["no executor"] = len(poses) * repeat / (time.perf_counter() - start)
        for threads in (1, 2):
            with ThreadPoolExecutor(threads) as pool:
                start = time.perf_counter()
                solve_many(poses * repeat, executor=pool)
                row[f"threads {threads}"] = len(poses) * repeat / (time.perf_counter() - start)
        table.rows.append(row | {"2 over 1": ratio(row["threads 2"], row["threads 1"])})
    return table
