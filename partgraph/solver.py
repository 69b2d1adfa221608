"""What a solver is, what it answers, and the one function that asks it."""

from __future__ import annotations

import abc
import enum
import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, final

import attrs
import numpy as np

from partgraph import arrays, plugins
from partgraph.errors import SolveError, UnsupportedProblemError
from partgraph.problem import Problem


class Status(enum.Enum):
    """How a solver ended; the value is the message."""

    OPTIMAL = "proven: no configuration has a higher score than those returned"
    CONVERGED = "the solver converged; that is no proof of optimality, see the gap"
    ITERATION_LIMIT = (
        "the solver stopped at its limit of iterations; raise max_iterations for a better answer"
    )
    WORK_LIMIT = "the solver stopped at its limit of work or time; raise the limit for a better answer"
    NOT_FINITE = (
        "no configuration has a finite score: (a) NaN or infinite numbers in the problem, or (b) a part whose "
        "every candidate is forbidden; check what produced the problem"
    )


@final
@attrs.frozen(eq=False)
class Solution:
    """The best configurations a solver found, and what it knows about better ones.

    Attributes
    ----------
    labels : array
        (M, N) intp, distinct configurations, best first, ties by lowest labels. M is smaller than the number
        asked for where fewer allowed configurations exist or were found.
    scores : array
        (M,) float64, their scores.
    upper_bound : float
        No configuration has a higher score than this.
    status : Status
        How the solver ended.
    stats : mapping
        What the solver wants to tell: counts, histories, times.
    """

    labels: np.ndarray
    scores: np.ndarray
    upper_bound: float
    status: Status
    stats: Mapping[str, Any] = attrs.field(factory=dict)

    @property
    def gap(self) -> float:
        """How much higher than the best score the optimum may be; NaN where no configuration was found."""
        return float(self.upper_bound - self.scores[0]) if len(self.scores) else float("nan")


class Solver(abc.ABC):
    """A method of finding the best configurations; subclasses are final, frozen and hold options only.

    `solve` checks a problem once and detaches it, so that a solver sees contiguous float64 arrays, at least one
    allowed candidate per part and no NaN.
    """

    exact: ClassVar[bool]
    """Whether a run that reaches no limit returns the n best configurations, ties by lowest labels."""

    @abc.abstractmethod
    def supports(self, problem: Problem) -> str | None:
        """Return None if this solver can solve `problem`, otherwise why not and what to do instead."""

    def why_unsolvable(self, problem: Problem) -> str | None:
        """Return what makes every score of a detached problem meaningless, or None; a solver may know a faster way."""
        return why_unsolvable(problem)

    def init(self, problem: Problem) -> Any:
        """Return work that depends on graph, candidates' positions, pairwise terms and anchors only.

        The state is valid for every problem that differs in scores and unary terms alone, so that ADMM and
        learning build trees and boxes once.
        """
        return None

    @abc.abstractmethod
    def compute(self, problem: Problem, state: Any, n_best: int) -> Solution:
        """Return up to `n_best` configurations of a supported problem, given the state of `init`."""

    @property
    def batch_size(self) -> int:
        """How many problems of one shape `solve_many` hands to `compute_many` at once; 1: none, the default."""
        return 1

    def compute_many(self, problems: Sequence[Problem], n_best: int) -> Sequence[Solution]:
        """Return what `compute` does for each of several supported problems with equal graphs and sizes."""
        return [self.compute(problem, self.init(problem), n_best) for problem in problems]


def solve(
    problem: Problem,
    solver: Solver | str | None = None,
    *,
    n_best: int = 1,
    state: Any = None,
    throw: bool = True,
) -> Solution:
    """Find the best configurations of a problem.

    Parameters
    ----------
    problem : Problem
        Tensors are detached.
    solver : Solver, str or None
        A solver, the name of a registered one (``"admm"``, ``"solvers:admm"``), or None to let the installed
        plugins choose.
    n_best : int
        How many configurations to ask for.
    state : object
        What ``solver.init`` returned for this problem or for one that differs in scores and unary terms alone.
    throw : bool
        Whether a problem without finite score raises; otherwise a solution with that status and no rows is
        returned.

    Returns
    -------
    Solution
        Scores are those of ``problem.score``; the upper bound is never below the best of them.

    Raises
    ------
    UnsupportedProblemError
        If the solver cannot solve such a problem.
    SolveError
        If no configuration has a finite score, or the solver's scores are not those of its labels.
    """
    if n_best < 1:
        raise ValueError(f"n_best must be at least 1; found {n_best}")
    problem = problem.detach()
    solver = _instance(problem, solver)
    trouble = solver.why_unsolvable(problem)
    if trouble is None:
        name = type(solver).__name__
        reason = solver.supports(problem)
        if reason is not None:
            raise UnsupportedProblemError(f"{name} cannot solve this problem: {reason}")
        solution = solver.compute(problem, solver.init(problem) if state is None else state, n_best)
        if len(solution.scores):
            return verified(problem, solution, name)
        trouble = f"{name} found no allowed configuration"
    if throw:
        raise SolveError(trouble)
    none = np.empty((0, len(problem.graph.parts)), dtype=np.intp)
    return Solution(none, np.empty(0), float("nan"), Status.NOT_FINITE, {"reason": trouble})


def _instance(problem: Problem, solver: Solver | str | None) -> Solver:
    chosen: Any = plugins.default_solver(problem) if solver is None else solver
    if isinstance(chosen, str):
        chosen = plugins.get("solver", chosen)
    if isinstance(chosen, type) and issubclass(chosen, Solver):
        chosen = chosen()
    if not isinstance(chosen, Solver):
        raise TypeError(f"solver must be a Solver, the name of one, or None; found {chosen!r}")
    return chosen


def why_unsolvable(problem: Problem) -> str | None:
    """Return what makes every score of a detached problem meaningless, in users' names, or None."""
    graph = problem.graph
    for i, (name, own) in enumerate(zip(graph.parts, problem.candidates, strict=True)):
        if not arrays.is_finite(own.positions):
            return f"part {name!r}: positions must be finite; found NaN or infinity"
        best = float(np.maximum.reduce(problem.unary_scores(i)))  # NaN if any is NaN
        if not best < math.inf:
            return f"part {name!r}: scores must be finite, or -inf to forbid; found NaN or +inf"
        if best == -math.inf:
            return f"part {name!r}: every candidate is forbidden (score -inf); allow at least one"
    if has_finite_terms(problem) and all(
        anchors is None or arrays.is_finite(anchors) for anchors in problem.anchors
    ):
        return None
    for e, (term, anchors) in enumerate(zip(problem.pairwise, problem.anchors, strict=True)):
        if not all(map(arrays.is_finite, arrays.leaves((anchors, term)))):
            return f"edge {graph.edge_name(e)}: anchors and {type(term).__name__} must be finite; found NaN or infinity"
    return None


def has_finite_terms(problem: Problem) -> bool:
    """Whether the fields of all pairwise terms of a detached problem are finite."""
    fields = problem.quadratics or arrays.leaves(problem.pairwise)  # many small ones, looked at as one
    return not fields or arrays.is_finite(np.concatenate(fields, axis=None))


def verified(problem: Problem, solution: Solution, who: str) -> Solution:
    """Return the solution with scores by ``problem.score``, in order; raise if what the solver said differs."""
    scores = problem.score(solution.labels)
    # Solvers may add in another order, and in fewer bits where they prune; more than this is no rounding.
    slack = 1e-6 * (1 + np.abs(scores))
    wrong = ~(np.abs(scores - solution.scores) <= slack)
    if wrong.any():
        row = int(np.argmax(wrong))
        raise SolveError(
            f"{who} reported a score of {solution.scores[row]:.9g} for labels {solution.labels[row].tolist()}, "
            f"which score {scores[row]:.9g}; this is an error in the solver, report it to its authors"
        )
    if not solution.upper_bound >= (scores - slack).max():
        raise SolveError(
            f"{who} reported an upper bound of {solution.upper_bound:.9g}, but found a score of "
            f"{scores.max():.9g}; this is an error in the solver, report it to its authors"
        )
    labels = solution.labels
    if len(scores) > 1:
        order = np.lexsort((*labels.T[::-1], -scores))
        labels, scores = labels[order], scores[order]
    return Solution(
        np.ascontiguousarray(labels, dtype=np.intp),
        scores,
        max(float(solution.upper_bound), float(scores[0])),
        solution.status,
        solution.stats,
    )
