"""``partgraph solve FILE``: the best configurations of a problem file."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

import partgraph
from partgraph import plugins as registry
from partgraph.cli.output import print_json, print_line, print_table
from partgraph.errors import ProblemError
from partgraph.io import load_problem
from partgraph.problem import Problem
from partgraph.provenance import answered, recording
from partgraph.solver import Solution


def solve(
    file: Annotated[Path, Parameter(help="A problem file (.npz).")],
    *,
    solver: Annotated[str | None, Parameter(help="Name of a solver; see `partgraph plugins solver`.")] = None,
    n_best: Annotated[int, Parameter(help="How many configurations to find.")] = 1,
    json: Annotated[bool, Parameter(negative=(), help="Print one JSON object.")] = False,
) -> None:
    """Solve a problem file."""
    if n_best < 1:
        raise ProblemError(f"--n-best must be at least 1; found {n_best}")
    problem = load_problem(file)
    plugins = registry.shared()
    name = plugins.find("solver", plugins.default_solver(problem) if solver is None else solver).name
    with recording():
        plugins.get("solver", name)  # imported before the clock starts
        start = time.perf_counter()
        solution = partgraph.solve(problem, name, n_best=n_best)
        report = _report(problem, solution, name, time.perf_counter() - start) | {"components": answered()}
    if json:
        print_json(report)
    else:
        _print(problem, solution, report)


def _report(problem: Problem, solution: Solution, solver: str, seconds: float) -> dict[str, Any]:
    return {
        "solver": solver,
        "status": solution.status.name,
        "labels": solution.labels,
        "scores": solution.scores,
        "upper_bound": solution.upper_bound,
        "gap": solution.gap,
        "positions": problem.positions(solution.labels[0]),
        "seconds": seconds,
        "stats": solution.stats,
    }


def _print(problem: Problem, solution: Solution, report: dict[str, Any]) -> None:
    print_line(f"{report['solver']}: {solution.status.value}")
    print_line(
        f"score {solution.scores[0]:.6g}, upper bound {solution.upper_bound:.6g}, gap {solution.gap:.3g}, "
        f"{1000 * report['seconds']:.1f} ms"
    )
    rows = zip(problem.graph.parts, solution.labels[0], report["positions"], strict=True)
    axes = "xyz"[: problem.dimensions] if problem.dimensions <= 3 else range(problem.dimensions)
    print_table(
        ("part", "label", *map(str, axes)),
        ([name, str(label), *(f"{value:.6g}" for value in position)] for name, label, position in rows),
    )
    if len(solution.scores) > 1:
        print_table(
            ("rank", "score", "labels"),
            (
                [str(rank), f"{score:.6g}", " ".join(map(str, labels))]
                for rank, (score, labels) in enumerate(zip(solution.scores, solution.labels, strict=True), 1)
            ),
        )
