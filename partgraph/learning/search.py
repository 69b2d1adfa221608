"""Finding the best configurations of a batch of problems while the network works on another one."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import torch

from partgraph import plugins
from partgraph.many import solve_many
from partgraph.problem import Problem
from partgraph.solver import Solution, Solver, Status


class InexactWarning(UserWarning):
    """The configurations a loss was given are not proven to be those that violate it most."""


def solver_of(name: str) -> Solver:
    """The registered solver of that name, with its default options."""
    target = plugins.get("solver", name)
    built = target() if isinstance(target, type) else target
    assert isinstance(built, Solver)
    return built


def search(problems: Sequence[Problem], solver: str | None, n_best: int) -> Callable[[], list[Solution]]:
    """Start to find the `n_best` best configurations of each problem; what is returned waits for them.

    Problems are solved by as many threads as torch has; compiled solvers release the interpreter's lock. A solver with
    a `batch_size` gets so many at once, and parallelises for itself. They are independent and answers keep their order,
    so neither the number of threads nor what happens meanwhile changes anything but the time.

    Parameters
    ----------
    problems : of arrays
    solver : by name, the default policy when None; one that proves nothing is warned of
    """
    if not problems:
        return list
    name = plugins.default_solver(problems[0]) if solver is None else solver
    built = solver_of(name)
    threads = max(1, min(torch.get_num_threads(), len(problems)))

    def solve_all() -> list[Solution]:
        if built.batch_size > 1:
            return solve_many(problems, built, n_best=n_best)
        with ThreadPoolExecutor(threads) as executor:
            return solve_many(problems, built, n_best=n_best, executor=executor)

    def wait() -> list[Solution]:
        solutions = running.result()
        if not (built.exact and all(solution.status is Status.OPTIMAL for solution in solutions)):
            warnings.warn(
                f"structured-hinge: {name} did not prove for every sample that its configurations are the "
                f"{n_best} most violated; their slacks are right, but higher ones may have been missed",
                InexactWarning,
                stacklevel=2,
            )
        return solutions

    conductor = ThreadPoolExecutor(1)
    running = conductor.submit(solve_all)
    conductor.shutdown(wait=False)
    return wait
