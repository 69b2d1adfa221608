"""Stars, the pelvis with 15 leaves: branch and bound, its KD-tree variant, and what one would take instead."""

from __future__ import annotations

from instances import instance, star_edges
from measure import Deadline, Table, Value, medians, peak_memory, ratio, timed
from partgraph_solvers import BranchAndBound, KDBranchAndBound
from rivals import TREES, Lifted, all_pairs_numpy, all_pairs_torch, installed, load, missing, same

from partgraph import Problem


def stars(
    grids: list[int], classes: list[str], seeds: int, deadline: Deadline, most_pairs: int
) -> list[Table]:
    """Return a table of the solver by itself, one of its rivals, and one of their ratios."""
    ours = Table(
        "stars", "stars, 15 leaves: branch-and-bound; ms, blocks opened, memory in sizes of the input"
    )
    theirs = Table("star-rivals", "stars: rivals, building and solving; ms")
    times = Table("star-ratios", "stars: rivals' time over that of branch-and-bound, building and solving")
    theirs.notes = missing([*TREES, "torch"])
    theirs.notes.append(f"NumPy, torch: constant offsets, up to K = {round(most_pairs**0.5)}")
    load()
    keys = [
        (grid, kind, offsets) for grid in grids for kind in classes for offsets in ("constant", "anchors")
    ]
    for grid, kind, offsets in deadline.rows(ours, keys):
        problems = [
            instance(star_edges(), kind, grid, seed, anchors=offsets == "anchors").problem
            for seed in range(seeds)
        ]
        key: dict[str, Value] = {"K": grid**3, "class": kind, "offsets": offsets}
        measured = [_ours(problem) for problem in problems]
        small = instance(star_edges(), kind, 5, 0, anchors=offsets == "anchors").problem
        ours.rows.append(key | medians(measured) | {"memory": _memory(problems[0], small)})
        own = measured[0]["build"] + measured[0]["solve"]  # of the pose that rivals solve
        other = _rivals(problems[0], all_pairs=grid**6 <= most_pairs and offsets == "constant")
        theirs.rows.append(key | other)
        times.rows.append(key | {name: ratio(value, own) for name, value in other.items()})
    return [ours, theirs, times]


def _ours(problem: Problem) -> dict[str, float]:
    solver = BranchAndBound()
    state, build = timed(lambda: solver.init(problem), 3)
    found, solve = timed(lambda: solver.compute(problem, state, 1), 3)
    _, twenty = timed(lambda: solver.compute(problem, state, 20), 3)
    names = {"opened": "blocks_opened", "of": "blocks", "centers": "centers_evaluated"}
    counts = {name: float(found.stats[key]) for name, key in names.items()}
    return {"build": build, "solve": solve, "20 best": twenty} | counts


def _memory(problem: Problem, small: Problem) -> float | None:
    """Return peak extra memory over the size of positions, scores and anchors; `small`: see `peak_memory`."""
    size = sum(own.positions.nbytes + own.scores.nbytes for own in problem.candidates)
    size += sum(own.nbytes for own in problem.anchors if own is not None)
    solver = BranchAndBound()

    def solve(problem: Problem) -> object:
        return solver.compute(problem, solver.init(problem), 1)

    return ratio(peak_memory(lambda: solve(problem), lambda: solve(small)), size)


def _rivals(problem: Problem, all_pairs: bool) -> dict[str, Value]:
    """Return the time of every rival, building included, each checked for the best score."""
    solver, variant = BranchAndBound(), KDBranchAndBound()
    best = float(solver.compute(problem, solver.init(problem), 1).scores[0])
    times: dict[str, Value] = {}

    def add(name: str, score: float, time: float) -> None:
        same(score, best, name)
        times[name] = time

    state, build = timed(lambda: variant.init(problem))
    found, solve = timed(lambda: variant.compute(problem, state, 1))
    add("kd-branch-and-bound", float(found.scores[0]), build + solve)
    for library in installed(list(TREES)):
        lifted, build = timed(lambda library=library: Lifted.build(problem, library))
        score, solve = timed(lifted.best)
        add(library, score, build + solve)
        score, solve = timed(lifted.cascade)
        add(f"{library} cascade", score, build + solve)
    if all_pairs:
        add("NumPy", *timed(lambda: all_pairs_numpy(problem)))
        if installed(["torch"]):
            add("torch", *timed(lambda: all_pairs_torch(problem)))
    else:
        times |= {"NumPy": None, "torch": None}
    return times
