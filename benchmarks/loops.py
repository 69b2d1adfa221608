"""Trees and the loopy two-hop graph: the exact solver, ADMM, dynamic programming, and pytoulbar2 on what is left."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from instances import instance
from measure import Deadline, Table, Value, medians, peak_memory, ratio, timed
from partgraph_solvers import ADMM, Exact
from rivals import installed, load, missing, same, toulbar2

from partgraph import DynamicProgramming, Problem, Status

ADMMS = {"ADMM": ADMM(), "best rho": ADMM(relative_rho=0.8), "balanced": ADMM(balance=True)}
"""Best: the fixed penalty with the least time; see docs/solvers.md."""

EXACT = Exact(max_seconds=2.0)
"""Harder poses count as not certified; their row shows the gap."""

Edges = tuple[tuple[int, int], ...]


def trees(
    edges: Edges, grids: list[int], classes: list[str], seeds: int, deadline: Deadline, most_pairs: int
) -> Table:
    """Return the times on the bones alone, ms."""
    table = Table("trees", f"trees, {len(edges)} edges: exact; ms, and times that for dynamic programming")
    most = round((most_pairs / 8) ** 0.5)
    table.notes.append(f"dynamic programming: up to K = {most}")
    keys = [(grid, kind) for grid in grids for kind in classes]
    for grid, kind in deadline.rows(table, keys):
        rows = []
        for seed in range(seeds):
            problem = instance(edges, kind, grid, seed).problem
            row, best, proven = _exact(problem)
            if seed == 0 and grid**3 <= most:
                solver = DynamicProgramming()
                found, row["dynamic programming"] = timed(lambda: solver.compute(problem, None, 1))  # noqa: B023
                if proven:
                    same(float(found.scores[0]), best, "dynamic programming")
            rows.append(row)
        row = medians(rows)
        own = row["build"] + row["solve"]
        table.rows.append(
            {"K": grid**3, "class": kind, **_without_gap(row), "certified": _count(rows, "certified")}
            | {"x dynamic programming": ratio(row.get("dynamic programming"), own)}
        )
    return table


def two_hop(
    edges: Edges, grids: list[int], classes: list[str], seeds: int, deadline: Deadline
) -> list[Table]:
    """Return a table of the exact solver by itself, one of its rivals, and one of what ADMM found."""
    ours = Table("two-hop", f"two-hop, {len(edges)} edges: exact; ms, memory in sizes of the input")
    theirs = Table("two-hop-rivals", "two-hop: rivals, solving only, and times exact's; ms")
    theirs.notes = [
        *missing(["pytoulbar2"]),
        "toulbar2: pruning included, with the best score known beforehand",
    ]
    found = Table(
        "two-hop-admm", "two-hop: ADMM's iterations, on how many poses its slaves agree, and is optimal"
    )
    load()
    keys = [
        (grid, kind, offsets) for grid in grids for kind in classes for offsets in ("constant", "anchors")
    ]
    for grid, kind, offsets in deadline.rows(ours, keys):
        rows, others, admms = [], [], []
        for seed in range(seeds):
            problem = instance(edges, kind, grid, seed, anchors=offsets == "anchors").problem
            row, best, proven = _exact(problem)
            if seed == 0:
                small = instance(edges, kind, 5, seed, anchors=offsets == "anchors").problem
                row |= _memory(problem, small)
            rows.append(row)
            times, counts = _admms(problem, best)
            admms.append(counts)
            others.append({"exact": row["solve"]} | times)
            if seed == 0 and offsets == "constant" and proven and installed(["pytoulbar2"]):
                others[-1] |= _toulbar2(problem, best)
                if "toulbar2" not in others[-1]:
                    theirs.notes.append(f"toulbar2: too many candidates left for K = {grid**3}, {kind}")
        key: dict[str, Value] = {"K": grid**3, "class": kind, "offsets": offsets}
        gaps = [row["gap"] for row in rows if not row["certified"]]
        p90 = float(np.percentile([row["solve"] for row in rows], 90))
        ours.rows.append(
            key
            | {"p90": p90, **_without_gap(medians(rows))}
            | {"certified": _count(rows, "certified"), "largest gap": max(gaps, default=0.0)}
        )
        row = medians(others)
        theirs.rows.append(key | row | {f"x {name}": ratio(row[name], row["exact"]) for name in ADMMS})
        counts = {name: _count(admms, name) for name in admms[0] if not name.endswith("iterations")}
        found.rows.append(key | medians(admms) | counts)
    return [ours, theirs, found]


def _without_gap(row: dict[str, Value]) -> dict[str, Value]:
    return {name: value for name, value in row.items() if name != "gap"}


def _count(rows: list[dict[str, float]], name: str) -> str:
    return f"{sum(row[name] for row in rows):.0f}/{len(rows)}"


def _exact(problem: Problem) -> tuple[dict[str, float], float, bool]:
    """Return times and counts, the best score, and whether it is proven."""
    state, build = timed(lambda: EXACT.init(problem))
    found, solve = timed(lambda: EXACT.compute(problem, state, 1))
    _, twenty = timed(lambda: EXACT.compute(problem, state, 20))
    left = found.stats["candidates_left"]
    proven = found.status is Status.OPTIMAL
    row = {"build": build, "solve": solve, "20 best": twenty, "candidates": float(sum(problem.sizes))}
    row |= {f"left {k + 1}": float(left[k]) for k in range(min(2, len(left)))} | {"rounds": float(len(left))}
    return row | {"certified": float(proven), "gap": found.gap}, float(found.scores[0]), proven


def _admms(problem: Problem, best: float) -> tuple[dict[str, float], dict[str, float]]:
    """Return the times of ADMM with each penalty, and what it found."""
    times, counts = {}, {}
    for name, solver in ADMMS.items():
        state = solver.init(problem)
        found, times[name] = timed(_call(solver, problem, state))
        counts[f"{name}: iterations"] = float(found.stats["iterations"])
        counts[f"{name}: agrees"] = float(found.stats["consensus"])
        counts[f"{name}: optimal"] = float(found.scores[0] >= best - 1e-9 * (1 + abs(best)))
    return times, counts


def _call(solver: ADMM, problem: Problem, state: object) -> Callable[[], object]:
    return lambda: solver.compute(problem, state, 1)


def _toulbar2(problem: Problem, best: float) -> dict[str, float]:
    """Return the time of pruning, with the best score known beforehand, and of pytoulbar2, and how many were left."""
    outcome, time = timed(lambda: toulbar2(problem, best))
    if outcome is None:
        return {}
    score, left = outcome
    same(score, best, "pytoulbar2")
    return {"toulbar2": time, "toulbar2 candidates": float(left)}


def _memory(problem: Problem, small: Problem) -> dict[str, float]:
    """Return peak extra memory over the size of positions, scores and anchors; nothing where it is not known.

    `small` is another problem, on which code is used for the first time.
    """
    size = sum(own.positions.nbytes + own.scores.nbytes for own in problem.candidates)
    size += sum(own.nbytes for own in problem.anchors if own is not None)

    def solve(problem: Problem) -> object:
        return EXACT.compute(problem, EXACT.init(problem), 1)

    peak = peak_memory(lambda: solve(problem), lambda: solve(small))
    return {} if peak is None else {"memory": peak / size}
