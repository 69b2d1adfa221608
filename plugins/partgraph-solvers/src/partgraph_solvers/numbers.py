"""The look at every number of a problem that `partgraph.solve` takes first, in compiled code.

NumPy takes as long, but gives up Python's lock and waits for it again at each of some fifty arrays, which is what
keeps two threads from solving twice as many problems as one.
"""

from __future__ import annotations

from partgraph import Problem, Solver
from partgraph.solver import has_finite_terms
from partgraph_solvers import _star


class CompiledLook(Solver):
    """A solver that looks for NaN and infinity in two calls, and leaves it to the core to say where they are."""

    def why_unsolvable(self, problem: Problem) -> str | None:
        """Return what makes every score of a detached problem meaningless, or None."""
        points = [own.positions for own in problem.candidates]
        points += [anchors for anchors in problem.anchors if anchors is not None]
        if _star.all_finite(points) and has_finite_terms(
            problem
        ):  # before unary terms are evaluated at positions
            scores = [problem.unary_scores(part) for part in range(len(problem.candidates))]
            if _star.all_have_best(scores):
                return None
        return super().why_unsolvable(problem)
