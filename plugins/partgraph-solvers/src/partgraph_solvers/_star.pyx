# cython: language_level=3
# distutils: language = c++
"""The compiled star search: blocks of candidates, stars over them, and the n best configurations.

Private. Callers pass checked, contiguous float64 arrays; `branch_and_bound` does.
"""

from libcpp.memory cimport make_unique
from libcpp.utility cimport move

from math import inf as INF

import numpy as np

include "_blocks.pxi"
include "_scores.pxi"
include "_numbers.pxi"

MAX_COORDINATES = 32  # of one leaf: axes times parallel edges


def instruction_sets():
    """Return the names of the kernels this processor can run, fastest first."""
    return tuple(kernels.name.decode() for kernels in available_kernels())


cdef const CKernels* _kernels(name) except NULL:
    cdef vector[const CKernels*] available = available_kernels()
    return available[0 if name is None else instruction_sets().index(name)]


cdef class Star:
    """A star over blocks: what does not depend on unary terms.

    Parameters
    ----------
    slot : int
        Where the center's label stands in a configuration.
    center : Blocks
        The center's positions.
    """

    cdef CStar _star
    cdef list _keep
    cdef Blocks _center

    def __init__(self, int slot, Blocks center not None):
        self._star.set_center(slot, center._blocks.get())
        self._keep = [center]
        self._center = center

    def add_leaf(self, int slot, Blocks positions not None, edges):
        """Add a leaf with its edges to the center: (base, point, weight (D,), shift (D,)) each.

        The term is ``-(weight * (base + shift - point)**2).sum()`` with base seen from the center's candidate and
        point from the leaf's.
        """
        cdef Blocks base, point
        cdef const double[::1] weight, shift
        self._star.add_leaf(slot, positions._blocks.get())
        self._keep.append(positions)
        for base, point, weight, shift in edges:
            self._star.add_edge(base._blocks.get(), point._blocks.get(), &weight[0], &shift[0])
            self._keep += [base, point]

    cdef unique_ptr[CStarProblem] _problem(self, scores, pulls, instruction_set) except *:
        if len(scores) != <Py_ssize_t>self._star.leaves.size() + 1 or len(pulls) != len(scores):
            raise ValueError("one entry for the center and for every leaf is needed")
        cdef const CKernels* kernels = _kernels(instruction_set)
        cdef vector[const CScores*] parts
        cdef vector[CPull] folds
        cdef Scores own
        for own, terms in zip(scores, pulls):
            parts.push_back(own._scores.get())
            folds.push_back(CPull())
            if terms is not None:
                folds.back().slope, folds.back().h, folds.back().center = terms
        cdef unique_ptr[CStarProblem] star
        with nogil:
            star = make_unique[CStarProblem](kernels[0], self._star, parts, folds)
        return move(star)

    def marginals(self, scores, pulls, double threshold, double max_seconds=INF):
        """Return the labels that are in a configuration of at least this score, and how high such a one scores.

        None that reaches the threshold is left out; some that miss it by rounding may be returned. Without an end in
        `max_seconds` the list is empty.

        Returns
        -------
        list of (labels, values)
            For the center and every leaf: (count,) intp, ascending, and (count,) float64.
        """
        cdef unique_ptr[CStarProblem] star = self._problem(scores, pulls, None)
        cdef vector[CMarginals] found
        with nogil:
            found = max_marginals(star.get()[0], threshold, CDeadline(max_seconds))
        return [_marginals_of(found[i]) for i in range(<int>found.size())]

    def solve(self, scores, pulls, int n_best, long max_blocks, instruction_set=None, double max_seconds=INF):
        """Return the n best configurations and what is known about the rest.

        Parameters
        ----------
        scores : list of Scores
            Of the center, then of the leaves.
        pulls : list of (slope (D,), h, center (D,)) or None
            For each of these parts ``slope . x - h |x - center|^2``, added to the scores, or nothing.
        n_best : int
            Number of configurations. A few more come back where scores differ by less than rounding.
        max_blocks : int
            Center blocks to open at most; negative for no limit.
        instruction_set : str, optional
            One of `instruction_sets`.
        max_seconds : float
            Time for the search; inf for no limit.

        Returns
        -------
        labels : array
            (M, L + 1) intp, best first, in the order of slots.
        values : array
            (M,) float64, their scores.
        upper_bound : float
            No configuration has a higher score.
        proven : bool
            Whether the search ended by itself.
        blocks_opened, centers_visited : int
        """
        cdef unique_ptr[CStarProblem] star = self._problem(scores, pulls, instruction_set)
        cdef unique_ptr[CSearch] search
        cdef unique_ptr[CDeadline] deadline = make_unique[CDeadline](max_seconds)
        cdef COutcome outcome
        with nogil:
            search = make_unique[CSearch](star.get()[0], n_best, deadline.get()[0])
            outcome = search.get().run(max_blocks)
        cdef size_t rows = outcome.found.size(), columns = self._star.leaves.size() + 1, r, c
        labels, values = np.empty((rows, columns), dtype=np.intp), np.empty(rows)
        cdef Py_ssize_t[:, ::1] view = labels
        cdef double[::1] value = values
        for r in range(rows):
            value[r] = outcome.found[r].value
            for c in range(columns):
                view[r, c] = outcome.found[r].labels[c]
        return labels, values, outcome.upper_bound, bool(outcome.proven), outcome.blocks_opened, outcome.centers_visited

    def best_centers(self, Scores scores not None, const int32_t[::1] labels not None, int n_best):
        """Return the center's best labels while the leaves keep theirs, best first, ties by lowest label.

        Parameters
        ----------
        scores : Scores
            Of the center.
        labels : array
            (slots,) int32, a label for every slot.
        n_best : int
            Labels wanted.

        Returns
        -------
        list of (label, score)
            With the center's edges, without the leaves' own scores.
        """
        cdef vector[CChoice] best = best_centers(
            _kernels(None)[0], self._star.positions[0], scores._scores.get()[0], self._star.leaves, &labels[0], n_best)
        return [(choice.label, choice.value) for choice in best]


cdef _marginals_of(const CMarginals& own):
    labels, values = np.empty(own.labels.size(), dtype=np.intp), np.empty(own.values.size())
    cdef Py_ssize_t[::1] label = labels
    cdef double[::1] value = values
    cdef size_t k
    for k in range(own.labels.size()):
        label[k], value[k] = own.labels[k], own.values[k]
    return labels, values
