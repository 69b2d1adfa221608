"""Many problems at once: in order, whoever solves them, and whatever fails."""

import gc
import os
import pickle
import threading
import time
import weakref
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import ClassVar, final

import attrs
import numpy as np
import pytest

from partgraph import (
    Candidates,
    Exhaustive,
    Problem,
    Quadratic,
    Solution,
    SolveError,
    SolveManyError,
    Solver,
    Status,
    Topology,
    UnknownComponentError,
    UnsupportedProblemError,
    solve,
    solve_many,
)


def make(seed: int) -> Problem:
    rng = np.random.default_rng(seed)
    own = [Candidates(rng.normal(size=(5, 2)), rng.normal(size=5)) for _ in "abc"]
    return Problem(Topology("abc", [(0, 1), (1, 2)]), own, [Quadratic([1.0, 1], [0.5, 0])] * 2)


def broken() -> Problem:
    problem = make(0)
    first, *others = problem.candidates
    return attrs.evolve(problem, candidates=(Candidates(first.positions, np.full(5, np.nan)), *others))


@final
@attrs.frozen
class Odd(Solver):
    """Refuse, break down or die where the first score says so."""

    exact: ClassVar[bool] = False

    def supports(self, problem: Problem) -> str | None:
        return "it is odd" if problem.candidates[0].scores[0] == 1 else None

    def compute(self, problem: Problem, state: object, n_best: int) -> Solution:
        first = problem.candidates[0].scores[0]
        if first == 2:
            raise ZeroDivisionError("broke down")
        if first == 3:
            os._exit(1)
        if first == 4:
            time.sleep(0.05)
        return Exhaustive().compute(problem, state, n_best)


def odd(first: float) -> Problem:
    problem = make(0)
    own, *others = problem.candidates
    scores = own.scores.copy()
    scores[0] = first
    return attrs.evolve(problem, candidates=(Candidates(own.positions, scores), *others))


@pytest.fixture
def importable(monkeypatch) -> None:
    """Let other processes import this file by its name, `tests.test_many`, to unpickle its solver."""
    monkeypatch.syspath_prepend(Path(__file__).parent.parent)


@pytest.fixture(params=["here", "threads", "processes"])
def executor(request):
    if request.param == "here":
        yield None
    elif request.param == "threads":
        with ThreadPoolExecutor(3) as pool:
            yield pool
    else:
        request.getfixturevalue("importable")
        with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
            yield pool


def test_the_answers_are_those_of_solve_in_order(executor) -> None:
    seen: list[int] = []
    found = solve_many(
        (make(seed) for seed in range(12)),
        "exhaustive",
        n_best=3,
        executor=executor,
        in_flight=3,
        progress=seen.append,
    )
    assert seen == list(range(1, 13))
    for seed, solution in enumerate(found):
        truth = solve(make(seed), "exhaustive", n_best=3)
        np.testing.assert_array_equal(solution.labels, truth.labels)
        np.testing.assert_array_equal(solution.scores, truth.scores)
        assert solution.status is Status.OPTIMAL


def test_no_problems_no_answers(executor) -> None:
    assert solve_many([], executor=executor) == []


def test_a_failure_costs_no_other_its_answer(executor) -> None:
    problems = [make(0), odd(1), make(1), odd(2), broken(), make(2)]
    with pytest.raises(SolveManyError) as caught:
        solve_many(problems, Odd(), executor=executor)
    kinds = [type(answer) for answer in caught.value.answers]
    assert kinds == [
        Solution,
        UnsupportedProblemError,
        Solution,
        ZeroDivisionError,
        SolveError,
        Solution,
    ]
    first = "the first, at place 1: UnsupportedProblemError: Odd cannot solve this problem: it is odd"
    assert str(caught.value).startswith(f"3 of 6 problems failed; {first}")
    np.testing.assert_array_equal(caught.value.answers[5].labels, solve(make(2)).labels)


def test_without_finite_score_and_without_throwing(executor) -> None:
    found = solve_many([make(0), broken(), make(1)], "exhaustive", executor=executor, throw=False)
    assert [solution.status for solution in found] == [Status.OPTIMAL, Status.NOT_FINITE, Status.OPTIMAL]
    assert found[1].labels.shape == (0, 3)


def test_a_worker_that_dies_takes_no_earlier_answer_along(importable) -> None:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        problems = [make(0), odd(3), make(1)]
        with pytest.raises(
            SolveManyError, match="2 of 3 problems failed; the first, at place 1: BrokenProcess"
        ) as it:
            solve_many(problems, Odd(), executor=pool, in_flight=1)
    assert isinstance(it.value.answers[0], Solution)


def test_problems_are_taken_as_workers_get_free() -> None:
    """A generator's problems are gone from memory when they are solved."""
    alive: list[weakref.ref] = []
    most = 0

    def problems():
        nonlocal most
        for seed in range(30):
            gc.collect()
            most = max(most, sum(problem() is not None for problem in alive))
            problem = make(seed)
            alive.append(weakref.ref(problem.candidates[0].positions))
            yield problem

    with ThreadPoolExecutor(2) as pool:
        solve_many(problems(), "exhaustive", executor=pool, in_flight=4)
    assert most <= 4 + 2  # in flight, and the one that each of problems and its caller still names


class Never(Executor):
    """Begin nothing."""

    def __init__(self) -> None:
        self.futures: list[Future] = []

    def submit(self, fn, /, *args, **kwargs):
        self.futures.append(Future())
        return self.futures[-1]


def test_an_interruption_cancels_what_is_pending() -> None:
    def problems():
        yield make(0)
        yield make(1)
        raise KeyboardInterrupt

    never = Never()
    with pytest.raises(KeyboardInterrupt):
        solve_many(problems(), executor=never)
    assert [future.cancelled() for future in never.futures] == [True, True]


def test_an_error_in_progress_cancels_what_is_pending() -> None:
    def progress(done: int) -> None:
        raise RuntimeError("no more")

    never = Never()
    started = threading.Event()

    def finish() -> None:
        started.wait()
        never.futures[0].set_result(solve(make(0), "exhaustive"))

    worker = threading.Thread(target=finish)
    worker.start()

    def problems():
        yield make(0)
        yield make(1)
        started.set()
        yield make(2)

    with pytest.raises(RuntimeError, match="no more"):
        solve_many(problems(), executor=never, in_flight=2, progress=progress)
    worker.join()
    assert never.futures[1].cancelled()


@final
@attrs.frozen
class Together(Solver):
    """Solve up to three problems at a time; break down where a first score is 5."""

    exact: ClassVar[bool] = True
    seen: list[int] = attrs.field(factory=list)

    batch_size = 3

    def supports(self, problem: Problem) -> str | None:
        return "it is odd" if problem.candidates[0].scores[0] == 1 else None

    def compute(self, problem: Problem, state: object, n_best: int) -> Solution:
        return self.compute_many([problem], n_best)[0]

    def compute_many(self, problems, n_best: int) -> list[Solution]:
        self.seen.append(len(problems))
        if any(problem.candidates[0].scores[0] == 5 for problem in problems):
            raise ZeroDivisionError("broke down")
        return [Exhaustive().compute(problem, None, n_best) for problem in problems]


def smaller(seed: int) -> Problem:
    problem = make(seed)
    own = tuple(Candidates(part.positions[:3], part.scores[:3]) for part in problem.candidates)
    return attrs.evolve(problem, candidates=own)


def test_problems_of_one_shape_are_solved_together() -> None:
    solver = Together()
    problems = [make(0), make(1), make(2), make(3), smaller(0), smaller(1), make(4)]
    found = solve_many(problems, solver, n_best=2)
    assert solver.seen == [3, 1, 2, 1]
    for problem, solution in zip(problems, found, strict=True):
        np.testing.assert_array_equal(solution.labels, solve(problem, "exhaustive", n_best=2).labels)


def test_a_failure_in_a_batch_costs_no_other_its_answer() -> None:
    with pytest.raises(SolveManyError) as caught:
        solve_many([make(0), odd(1), broken(), odd(5), make(1)], Together())
    kinds = [type(answer) for answer in caught.value.answers]
    assert kinds == [Solution, UnsupportedProblemError, SolveError, ZeroDivisionError, Solution]


def test_bad_questions_are_refused_before_any_problem_is_taken() -> None:
    def problems():
        raise AssertionError("taken")
        yield

    with pytest.raises(ValueError, match="n_best must be at least 1; found 0"):
        solve_many(problems(), n_best=0)
    with pytest.raises(ValueError, match="in_flight must be at least 1, or None for the default; found 0"):
        solve_many(problems(), in_flight=0)
    with pytest.raises(UnknownComponentError, match="no solver named 'nobody'"):
        solve_many(problems(), "nobody")


def test_the_error_travels_between_processes() -> None:
    error = SolveManyError([solve(make(0), "exhaustive"), SolveError("lost")])
    assert str(pickle.loads(pickle.dumps(error))) == str(error)
