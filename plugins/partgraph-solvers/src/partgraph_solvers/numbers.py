"""The look at every number of a problem that `partgraph.solve` takes first, in compiled code.

NumPy takes as long, but gives up Python's lock and waits for it again at each of some fifty arrays, which is what
keeps two threads from solving twice as many problems as one.
"""

from __future__ import annotations

from partgraph import Problem, Solver, arrays
from partgraph_solvers import _star


class CompiledLook(Solver):
    """A solver that looks for NaN and infinity in one call, and leaves it to the core to say where they are."""

    def why_unsolvable(self, problem: Problem) -> str | None:
        """Return what makes every score of a detached problem meaningless, or None."""
        scores = [problem.unary_scores(part) for part in range(len(problem.candidates))]
        points = [own.positions for own in problem.candidates]
        points += [anchors for anchors in problem.anchors if anchors is not None]
        if _star.is_usable(scores, points) and arrays.all_finite(arrays.leaves(problem.pairwise)):
            return None
        return super().why_unsolvable(problem)
