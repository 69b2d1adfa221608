"""An upper bound for any graph from star-shaped slaves: the Lagrangian dual.

With multipliers that sum to zero at every shared part, the slaves' maxima add up to a bound (weak duality):

    B(lambda) = sum_s max_Phi_s [ S_s(Phi_s) + sum_r <lambda_s(r), Phi_s(r)> ]  >=  max_Phi S(Phi).

B is convex, and g_s(r) = Phi_s(r) - mean_s' Phi_s'(r) is a subgradient along which the sum stays zero. Polyak's step
(1969) with the best score known as its target,

    lambda <- lambda - (B(lambda) - best) / |g|^2  g,

needs no step size. Where the slaves agree without a penalty, g = 0 and the bound is the score: that is a proof.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

import numpy as np

from partgraph import Problem
from partgraph.graph import Edge
from partgraph_solvers.copies import Copies
from partgraph_solvers.slaves import Slave

MANY = 500
"""Candidates of which the mean is as good as that of all."""


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
    ends = incidence(tuple(problem.graph.edges), len(problem.sizes))
    slope = consistent_offsets(problem, ends)
    if slope is None:
        return np.zeros((len(copies.part), problem.dimensions))
    edges = np.array(problem.graph.edges, dtype=np.intp)
    slave = np.empty(len(edges), dtype=np.intp)
    for s, star in enumerate(copies.stars):
        slave[list(star.edges)] = s
    linear = np.zeros(
        (len(copies.stars), len(problem.sizes), problem.dimensions)
    )  # what every slave's edges add up to
    np.add.at(linear, (slave, edges[:, 1]), slope)
    np.subtract.at(linear, (slave, edges[:, 0]), slope)
    multipliers = linear[copies.slave, copies.part]
    return multipliers - copies.mean(multipliers)


@functools.lru_cache(maxsize=64)
def incidence(edges: tuple[Edge, ...], parts: int) -> np.ndarray:
    """Return (E, N) float64, 1 where an edge ends, -1 where it begins: displacements are it times positions."""
    first, second = np.array(edges, dtype=np.intp).reshape(-1, 2).T
    ends, rows = np.zeros((len(edges), parts)), np.arange(len(edges))
    ends[rows, second], ends[rows, first] = 1.0, -1.0
    ends.flags.writeable = False
    return ends


def consistent_offsets(problem: Problem, ends: np.ndarray) -> np.ndarray | None:
    """Return 2 c (o* - o) for every edge, (E, D); None where a term is not quadratic.

    Where anchors replace positions, o is a mean over candidates. The normal equations, singular as a shift of all
    parts changes nothing, are solved with a slight pull to zero: inexact multipliers loosen a bound, no more.
    """
    if problem.quadratics is None:
        return None
    weight, offset = problem.quadratics[0], problem.quadratics[1].copy()
    for e, anchors in enumerate(problem.anchors):
        if anchors is not None:
            offset[e] += _mean_difference(anchors, problem.candidates[problem.graph.edges[e][0]].positions)
    relative = weight / weight.max(axis=0)
    laplacian = (ends.T * relative.T[:, None]) @ ends  # (D, N, N)
    laplacian += 1e-9 * np.eye(ends.shape[1])
    places = np.linalg.solve(laplacian, ((relative * offset).T @ ends)[..., None])[..., 0]
    slope = 2 * weight * (ends @ places.T - offset)
    return slope if np.isfinite(slope).all() else None


def _mean_difference(points: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return the mean of ``points - others`` (K, D): (D,). Of some hundreds, here and there, where there are many."""
    step = 1 + len(points) // MANY
    some = points[::step] - others[::step]
    return some.sum(axis=0) / len(some)
