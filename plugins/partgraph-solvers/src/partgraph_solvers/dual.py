"""An upper bound for any graph from star-shaped slaves: the Lagrangian dual.

With multipliers that sum to zero at every shared part, the slaves' maxima add up to a bound (weak duality):

    B(lambda) = sum_s max_Phi_s [ S_s(Phi_s) + sum_r <lambda_s(r), Phi_s(r)> ]  >=  max_Phi S(Phi).

B is convex, and g_s(r) = Phi_s(r) - mean_s' Phi_s'(r) is a subgradient along which the sum stays zero. Polyak's step
(1969) with the best score known as its target,

    lambda <- lambda - (B(lambda) - best) / |g|^2  g,

needs no step size. Where the slaves agree without a penalty, g = 0 and the bound is the score: that is a proof.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from partgraph import Problem, Quadratic
from partgraph_solvers.copies import Copies
from partgraph_solvers.slaves import Slave


class Dual:
    """The bound, and the multipliers that it is being lowered with.

    Attributes
    ----------
    multipliers : array
        (C, D) float64, unit 1 / length.
    bound : float
        The lowest bound so far.
    lowest : tuple of (array, list of float)
        The multipliers of that bound, and each slave's share of it.
    steps : int
        How often the slaves were solved for it.
    """

    def __init__(
        self, problem: Problem, copies: Copies, slaves: Sequence[Slave], multipliers: np.ndarray
    ) -> None:
        self._copies, self._slaves = copies, slaves
        self.multipliers, self.bound, self.steps = multipliers, np.inf, 0
        self.lowest: tuple[np.ndarray, list[float]] = multipliers, []
        self._reach = np.array([np.abs(own.positions).max() for own in problem.candidates])
        self._most = sum(abs(float(own.scores.max())) for own in problem.candidates)
        self._summands = (
            len(problem.sizes) + len(problem.pairwise) + problem.dimensions * (len(copies.part) + 2)
        )

    def step(self, best: float) -> list[list[int]]:
        """Solve the slaves, lower the bound if it is lower, move the multipliers; return the slaves' labels.

        `best` is the best score known. The first step only looks: no score may be known yet.
        """
        copies = self._copies
        labels, shares = copies.solve(self._slaves, self.multipliers, None, 0.0)
        self.steps += 1
        bound = sum(shares)
        if bound + self.rounding(bound) < self.bound:
            self.bound, self.lowest = bound + self.rounding(bound), (self.multipliers, shares)
        positions = copies.positions(labels)
        subgradient = positions - copies.mean(positions)
        size = float((subgradient**2).sum())
        if size > 0 and np.isfinite(best) and bound > best:
            self.multipliers = self.multipliers - (bound - best) / size * subgradient
            self.multipliers -= copies.mean(
                self.multipliers
            )  # the sum is zero but for rounding; take that away
        return labels

    def rounding(self, score: float) -> float:
        """Bound the rounding error of the slaves' scores, and of a score of the problem, together.

        Their summands are scores of parts, terms of edges and multipliers' terms. Of a configuration worth having
        each is at most 2 g in size, g = |score| + sum of |maxima| + sum of |lambda| |position|, and a sum of n
        such numbers errs by at most 2 n^2 g u, u = 2^-53. Scores divided among slaves, and multipliers whose sum is
        zero only but for rounding, err by less.
        """
        copies = self._copies
        g = abs(score) + self._most
        g += float((np.abs(self.multipliers).sum(axis=1) * self._reach[copies.part]).sum())
        return 4 * self._summands**2 * 2.0**-53 * g

    def proves(self, score: float) -> bool:
        """Whether a configuration of this score reaches the bound, but for rounding."""
        return score >= self.bound - 2 * self.rounding(score)


def first_multipliers(problem: Problem, copies: Copies) -> np.ndarray:
    """Return multipliers that take contradictions between expected offsets out of the bound: (C, D).

    With d = y - x, a quadratic term splits around any other offset o*:

        -c (d - o)^2  =  -c (d - o*)^2 - <2 c (o* - o), y - x> + const.

    Choose o* = p_j - p_i, which contradicts itself along no cycle, by least squares, min_p sum c (p_j - p_i - o)^2. Its
    normal equations say that the linear parts of all edges cancel at every part. So the multipliers that cancel them
    in every slave sum to zero, and each slave sees offsets that can all be met at once.
    """
    multipliers = np.zeros((len(copies.part), problem.dimensions))
    slope = consistent_offsets(problem)
    if slope is None:
        return multipliers
    for c, (part, s) in enumerate(zip(copies.part, copies.slave, strict=True)):
        for e in copies.stars[s].edges:
            i, j = problem.graph.edges[e]
            if part in (i, j):
                multipliers[c] += slope[e] if part == j else -slope[e]
    return multipliers - copies.mean(multipliers)


def consistent_offsets(problem: Problem) -> np.ndarray | None:
    """Return 2 c (o* - o) for every edge, (E, D); None where a term is not quadratic.

    Where anchors replace positions, o is the mean over candidates.
    """
    terms = [term for term in problem.pairwise if isinstance(term, Quadratic)]
    if not terms or len(terms) < len(problem.pairwise):
        return None
    edges = problem.graph.edges
    weight = np.array([term.weight for term in terms])
    offset = np.array([term.offset for term in terms])
    for e, anchors in enumerate(problem.anchors):
        if anchors is not None:
            offset[e] += (anchors - problem.candidates[edges[e][0]].positions).mean(axis=0)
    incidence = np.zeros((len(edges), len(problem.sizes)))
    rows = np.arange(len(edges))
    incidence[rows, [j for _, j in edges]], incidence[rows, [i for i, _ in edges]] = 1.0, -1.0
    slopes = []
    for c, o in zip(weight.T, offset.T, strict=True):
        root = np.sqrt(c)
        places = np.linalg.lstsq(incidence * root[:, None], o * root, rcond=None)[0]
        slopes.append(2 * c * (incidence @ places - o))
    return np.stack(slopes, axis=1)
