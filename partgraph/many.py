"""Many problems, one answer each: here, or by the workers of any executor."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import closing
from queue import SimpleQueue
from typing import Any, TypeAlias

from partgraph import plugins
from partgraph.errors import SolveManyError
from partgraph.problem import Problem
from partgraph.solver import Solution, Solver, solve, verified

Answer: TypeAlias = Solution | Exception
"""What became of one problem: its solution, or why there is none."""

AHEAD = 4
"""Problems in flight per processor of this machine: enough that no worker waits for the next one."""


def solve_many(
    problems: Iterable[Problem],
    solver: Solver | str | None = None,
    *,
    n_best: int = 1,
    executor: Executor | None = None,
    in_flight: int | None = None,
    progress: Callable[[int], object] | None = None,
    throw: bool = True,
) -> list[Solution]:
    """Find the best configurations of each of many problems.

    A problem that fails costs no other its answer: all are solved before one error is raised, and it has the answers.
    Anything else that interrupts, such as Ctrl-C or an error in `problems` or `progress`, is raised at once, and what
    no worker has begun is cancelled.

    Parameters
    ----------
    problems : iterable of Problem
        Taken one by one, as workers get free: a generator's problems are never all in memory. Tensors are detached.
    solver : Solver, str or None
        As for `solve`; None lets the plugins choose for each problem.
    n_best : int
        How many configurations to ask for, of each problem.
    executor : concurrent.futures.Executor, optional
        Whoever solves them: a pool of threads (compiled solvers release the GIL), of processes, or another library's
        (dask's ``client.get_executor()``, loky's). It is left open. None: solved here, one by one, or, by a solver
        with a ``batch_size``, so many of one shape at a time.
    in_flight : int, optional
        How many problems the executor holds at most; by default 4 for each processor of this machine. A cluster
        wants a few times the number of its workers.
    progress : callable, optional
        Called here with the number of problems done so far, after each.
    throw : bool
        As for `solve`: whether a problem without finite score fails; otherwise its solution has that status and no
        rows.

    Returns
    -------
    list of Solution
        In the order of `problems`.

    Raises
    ------
    SolveManyError
        If any problem failed; its `answers` are the solutions, and the errors at their places.
    UnknownComponentError
        If no solver has that name, before any problem is taken.
    """
    if n_best < 1:
        raise ValueError(f"n_best must be at least 1; found {n_best}")
    if in_flight is not None and in_flight < 1:
        raise ValueError(f"in_flight must be at least 1, or None for the default; found {in_flight}")
    if isinstance(solver, str):
        plugins.get("solver", solver)  # an unknown name is one error, not one for each problem
    if executor is None and isinstance(solver, str):
        solver = _made(plugins.get("solver", solver))
    if executor is None and isinstance(solver, Solver) and solver.batch_size > 1:
        done = _in_batches(problems, solver, n_best, throw)
    elif executor is None:
        done = ((k, _answer(problem, solver, n_best, throw)) for k, problem in enumerate(problems))
    else:
        most = in_flight or AHEAD * (os.cpu_count() or 1)
        done = _as_completed(executor, most, problems, solver, n_best, throw)
    solutions: dict[int, Solution] = {}
    failures: dict[int, Exception] = {}
    with closing(done):
        for k, answer in done:
            if isinstance(answer, Solution):
                solutions[k] = answer
            else:
                failures[k] = answer
            if progress is not None:
                progress(len(solutions) + len(failures))
    if failures:
        answers: dict[int, Answer] = {**solutions, **failures}
        raise SolveManyError([answers[k] for k in sorted(answers)])
    return [solutions[k] for k in sorted(solutions)]


def _answer(problem: Problem, solver: Solver | str | None, n_best: int, throw: bool) -> Answer:
    """Solve one problem; the worker's part, so that a failure travels back like any answer."""
    try:
        return solve(problem, solver, n_best=n_best, throw=throw)
    except Exception as error:
        return error


def _made(target: Any) -> Any:
    return target() if isinstance(target, type) else target


def _in_batches(
    problems: Iterable[Problem], solver: Solver, n_best: int, throw: bool
) -> Generator[tuple[int, Answer]]:
    """Yield numbers and answers; problems of one shape that follow each other are solved together."""
    waiting: list[tuple[int, Problem]] = []
    for k, problem in enumerate(problems):
        if waiting and (len(waiting) == solver.batch_size or _shape(waiting[0][1]) != _shape(problem)):
            yield from _batch(waiting, solver, n_best, throw)
            waiting = []
        waiting.append((k, problem))
    yield from _batch(waiting, solver, n_best, throw)


def _shape(problem: Problem) -> tuple[Any, ...]:
    graph = problem.graph
    return graph.parts, graph.edges, problem.sizes, problem.dimensions


def _batch(
    waiting: list[tuple[int, Problem]], solver: Solver, n_best: int, throw: bool
) -> Iterator[tuple[int, Answer]]:
    """Solve problems together; where that fails, and for what cannot be solved, one by one: each has its own error."""
    together: list[tuple[int, Problem]] = []
    for k, problem in waiting:
        plain = problem.detach()
        if solver.why_unsolvable(plain) is None and solver.supports(plain) is None:
            together.append((k, plain))
        else:
            yield k, _answer(problem, solver, n_best, throw)
    try:
        found = solver.compute_many([problem for _, problem in together], n_best) if together else []
        answers: list[Answer] = [
            verified(problem, solution, type(solver).__name__)
            if len(solution.scores)
            else _answer(problem, solver, n_best, throw)
            for (_, problem), solution in zip(together, found, strict=True)
        ]
    except Exception:
        answers = [_answer(problem, solver, n_best, throw) for _, problem in together]
    yield from ((k, answer) for (k, _), answer in zip(together, answers, strict=True))


def _as_completed(
    executor: Executor,
    most: int,
    problems: Iterable[Problem],
    solver: Solver | str | None,
    n_best: int,
    throw: bool,
) -> Generator[tuple[int, Answer]]:
    """Yield numbers and answers as they come; up to `most` problems are with the executor."""
    pending: dict[Future[Answer], int] = {}
    done: SimpleQueue[Future[Answer]] = SimpleQueue()  # cheaper than to wait for the first of many

    def finished() -> tuple[int, Answer]:
        future = done.get()
        return pending.pop(future), _outcome(future)

    travels = not isinstance(executor, ThreadPoolExecutor)
    try:
        for k, problem in enumerate(problems):
            if len(pending) == most:
                yield finished()
            try:
                # Detached here: what travels is arrays, without the history of a network's tensors.
                sent = problem.detach() if travels else problem
                future = executor.submit(_answer, sent, solver, n_best, throw)
            except Exception as error:  # of the problem, or of an executor whose workers died
                yield k, error
            else:
                pending[future] = k
                future.add_done_callback(done.put)
        while pending:
            yield finished()
    finally:
        for future in pending:
            future.cancel()


def _outcome(future: Future[Answer]) -> Answer:
    """Return a worker's answer, or what kept it from giving one: it died, or the answer could not travel."""
    try:
        return future.result()
    except Exception as error:
        return error
