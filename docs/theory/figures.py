"""Draws the figures of these pages from runs of the solvers; the site's build calls it.

Everything that is drawn is a count or a score, so that the figures do not depend on the machine. Run as
``python docs/theory/figures.py``, it writes ``docs/images/theory``.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from partgraph_solvers import ADMM, BranchAndBound, Exact
from partgraph_solvers.admm import tabulated
from partgraph_solvers.exact import Search

from partgraph import FullQuadratic, Interval, Quadratic, solve
from partgraph.arrays import Array

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs/images/theory"
sys.path.insert(0, str(ROOT / "benchmarks"))

from instances import instance, star_edges, two_hop_edges  # noqa: E402 - it lies beside the benchmarks

INK = {"bound": "#c2410c", "score": "#1d4ed8", "other": "#6b7280"}
CLASSES = {"easy": "#0f766e", "lr": "#1d4ed8", "conf": "#c2410c", "flat": "#6b7280"}
GRID = 13  # 2197 candidates of each part


def box_size(figure: Figure) -> None:
    """How far bounds of two boxes lie above the best score of points in them."""
    ax, rng = figure.subplots(), np.random.default_rng(0)
    weight, turn = np.array([1.0, 1.0, 0.4]), np.linalg.qr(rng.normal(size=(3, 3)))[0]
    precision = 2 * turn @ np.diag([2.0, 1.0, 0.1]) @ turn.T
    plain, full = Quadratic(weight, [0, 3, 0]), FullQuadratic(precision, [0, 3, 0])
    terms: dict[str, tuple[Callable[..., Interval], Callable[..., Array], str]] = {
        "Quadratic": (plain.bounds, plain.evaluate, INK["score"]),
        "FullQuadratic": (full.bounds, full.evaluate, "#0f766e"),
        "FullQuadratic, interval arithmetic alone": (full.evaluate, full.evaluate, INK["bound"]),
    }
    radii = np.geomspace(0.02, 2, 12)
    first = rng.normal(0, 1, (40, 1, 3))
    second = rng.normal([0, 3, 0], 1, (40, 1, 3))
    for name, (bounds, value, color) in terms.items():
        above = []
        for radius in radii:
            x, y = (Interval(c - radius, c + radius) for c in (first, second))
            best = value(first, second)[:, 0]
            above.append((bounds(x, y).hi[:, 0] - best).mean())
        ax.loglog(radii, above, "o-", color=color, ms=3.5, label=name)
    ax.set(xlabel="half the side of both boxes", ylabel="upper bound minus score of the middles")
    ax.legend(frameon=False)


def blocks(figure: Figure) -> None:
    """Upper bound and best score of a star, relative to the answer, as blocks of centers are opened."""
    ax = figure.subplots()
    for kind, color in CLASSES.items():
        problem = instance(star_edges(), kind, GRID, 0).problem
        state, best = BranchAndBound().init(problem), solve(problem, "branch-and-bound")
        opened = range(best.stats["blocks_opened"] + 1)
        runs = [solve(problem, BranchAndBound(max_blocks=limit), state=state) for limit in opened]
        answer = best.scores[0]
        label = f"{kind}: {opened[-1]} of {best.stats['blocks']}"
        ax.plot(opened, [run.upper_bound - answer for run in runs], "-", color=color, label=label)
        ax.plot(opened, [run.scores[0] - answer for run in runs], ":", color=color)
        ax.plot(opened[-1], 0, "o", color=color, ms=4)
    ax.set(xlabel="blocks opened", ylabel="score, relative to the best")
    ax.legend(frameon=False, title="class: blocks opened")


def consensus(figure: Figure) -> None:
    """The bound, the best score, and how far the slaves are apart, over the iterations of ADMM."""
    problem = instance(two_hop_edges(), "lr", GRID, 1).problem
    best = solve(problem, "exact").scores[0]
    stats = solve(problem, ADMM(bound_interval=2, max_iterations=40)).stats
    steps = np.arange(1, len(stats["score"]) + 1)
    above, below = figure.subplots(2, sharex=True)
    above.plot(steps, np.round(stats["upper_bound"] - best, 6), color=INK["bound"], label="upper bound")
    above.plot(steps, np.round(stats["score"] - best, 6), color=INK["score"], label="best score so far")
    above.set(ylabel="relative to the best")
    above.legend(frameon=False)
    below.plot(steps, np.round(1000 * stats["primal_residual"], 6), color=INK["other"])
    below.set(xlabel="iteration", ylabel="copies from mean, mm", ylim=(0, None))


def candidates(figure: Figure) -> None:
    """How many candidates of a two-hop pose are left after each star of `exact`."""
    ax = figure.subplots()
    for kind, color in CLASSES.items():
        problem = tabulated(instance(two_hop_edges(), kind, GRID, 0).problem)
        left = [sum(problem.sizes)]

        def note(stage: str, bound: float, labels: tuple[np.ndarray, ...], left: list[int] = left) -> None:
            left.append(sum(map(len, labels)))

        solver = Exact(easy_pairs=500)
        Search(solver, problem, solver.init(problem), 1, watch=note).run()
        ax.semilogy(left, "o-", color=color, ms=3.5, label=kind)
    ax.axhline(len(problem.sizes), color=INK["other"], lw=0.8, ls=":")
    ax.text(0, len(problem.sizes) * 1.15, "one candidate of each part", color=INK["other"], fontsize=8)
    ax.set(xlabel="turns of stars", ylabel="candidates left")
    ax.legend(frameon=False, title="class")


FIGURES = (box_size, blocks, consensus, candidates)


def draw(folder: Path) -> None:
    """Write every figure as an SVG that is the same every time."""
    folder.mkdir(parents=True, exist_ok=True)
    style = {
        "svg.hashsalt": "partgraph",
        "font.size": 9,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "lines.linewidth": 1.5,
    }
    with mpl.rc_context(style):
        for make in FIGURES:
            figure = Figure(figsize=(6.4, 3.6), layout="constrained")
            make(figure)
            figure.savefig(folder / f"{make.__name__.replace('_', '-')}.svg", metadata={"Date": None})


if __name__ == "__main__":
    draw(FOLDER)
