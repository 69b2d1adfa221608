# cython: language_level=3
# distutils: language = c++
"""The compiled star search: blocks of candidates, stars over them, and the n best configurations.

Private. Callers pass checked, contiguous float64 arrays; `branch_and_bound` does.
"""

from libc.stdint cimport int32_t
from libcpp cimport bool as bool_t
from libcpp.memory cimport unique_ptr, make_unique
from libcpp.utility cimport move
from libcpp.vector cimport vector

from math import inf as INF

import numpy as np


cdef extern from "kernel/star.h" namespace "partgraph" nogil:
    cdef cppclass CKernels "partgraph::Kernels":
        const char* name
    vector[const CKernels*] available_kernels()

    cdef cppclass CPoints "partgraph::Points":
        const double* x
        int count, dim

    void c_spatial_order "partgraph::spatial_order"(CPoints, int32_t*) except +
    bool_t c_is_compact "partgraph::is_compact"(CPoints, const int32_t*) except +

    cdef cppclass CBlocks "partgraph::Blocks":
        CBlocks(CPoints, const int32_t*) except +
        const int blocks

    cdef cppclass CScores "partgraph::Scores":
        CScores(const double*, const CBlocks&) except +

    cdef cppclass CLeaf "partgraph::Leaf":
        int size()

    cdef cppclass CStar "partgraph::Star":
        vector[CLeaf] leaves
        const CBlocks* positions
        void set_center(int, const CBlocks*)
        void add_leaf(int, const CBlocks*) except +
        void add_edge(const CBlocks*, const CBlocks*, const double*, const double*) except +

    cdef cppclass CPull "partgraph::Pull":
        CPull() except +
        vector[double] slope, center
        double h

    cdef cppclass CStarProblem "partgraph::StarProblem":
        CStarProblem(const CKernels&, const CStar&, const vector[const CScores*]&, const vector[CPull]&) except +

    cdef cppclass CConfiguration "partgraph::Configuration":
        double value
        vector[int32_t] labels

    cdef cppclass COutcome "partgraph::Outcome":
        vector[CConfiguration] found
        double upper_bound
        bool_t proven
        long blocks_opened, centers_visited

    cdef cppclass CDeadline "partgraph::Deadline":
        CDeadline(double)

    cdef cppclass CSearch "partgraph::Search":
        CSearch(const CStarProblem&, int, const CDeadline&) except +
        COutcome run(long) except +

    cdef cppclass CChoice "partgraph::Choice":
        double value
        int32_t label

    vector[CChoice] best_centers(const CKernels&, const CBlocks&, const CScores&, const vector[CLeaf]&, const int32_t*,
                                 int) except +

cdef extern from "kernel/sites.h" namespace "partgraph" nogil:
    void c_make_blocks "partgraph::make_blocks"(
        const vector[CPoints]&, const vector[int32_t*]&, vector[int]&, vector[unique_ptr[CBlocks]]&) except +
    void c_make_scores "partgraph::make_scores"(
        const vector[const double*]&, const vector[const CBlocks*]&, vector[unique_ptr[CScores]]&) except +

cdef extern from "kernel/marginals.h" namespace "partgraph" nogil:
    cdef cppclass CMarginals "partgraph::Marginals":
        vector[int32_t] labels
        vector[double] values

    vector[CMarginals] max_marginals(const CStarProblem&, double, const CDeadline&) except +

MAX_COORDINATES = 32  # of one leaf: axes times parallel edges


def instruction_sets():
    """Return the names of the kernels this processor can run, fastest first."""
    return tuple(kernels.name.decode() for kernels in available_kernels())


cdef const CKernels* _kernels(name) except NULL:
    cdef vector[const CKernels*] available = available_kernels()
    return available[0 if name is None else instruction_sets().index(name)]


cdef CPoints _points(const double[:, ::1] points):
    cdef CPoints made
    made.x, made.count, made.dim = &points[0, 0], <int>points.shape[0], <int>points.shape[1]
    return made


def spatial_order(const double[:, ::1] points not None, const int32_t[::1] known=None):
    """Return an order of `points` (K, D) in which runs of 64 are close together: (K,) int32.

    `known`, an order of as many other points, is returned itself where it does for these as well.
    """
    cdef CPoints own = _points(points)
    if known is not None and known.shape[0] == own.count and c_is_compact(own, &known[0]):
        return np.asarray(known)
    if c_is_compact(own, NULL):
        return np.arange(own.count, dtype=np.int32)
    order = np.empty(own.count, dtype=np.int32)
    cdef int32_t[::1] view = order
    with nogil:
        c_spatial_order(own, &view[0])
    return order


cdef class Blocks:
    """Points of one part, (K, D) float64, in blocks along `order`, (K,) int32. Both are kept, and not to be changed."""

    cdef unique_ptr[CBlocks] _blocks
    cdef const double[:, ::1] _points
    cdef const int32_t[::1] _order

    def __init__(self, const double[:, ::1] points not None, const int32_t[::1] order not None):
        if points.shape[0] != order.shape[0] or points.shape[0] == 0:
            raise ValueError(f"{points.shape[0]} points, but an order of {order.shape[0]}")
        self._points, self._order = points, order
        cdef CPoints own = _points(points)
        with nogil:
            self._blocks = make_unique[CBlocks](own, &order[0])

    @property
    def order(self):
        """(K,) int32, labels in spatial order."""
        return np.asarray(self._order)

    @property
    def count(self):
        """Number of blocks."""
        return self._blocks.get().blocks


def blocks_of(points):
    """Return the blocks of several parts, points (K, D) float64 each; those of one grid share an order."""
    cdef vector[CPoints] sets
    cdef vector[int32_t*] orders
    cdef vector[int] source
    cdef vector[unique_ptr[CBlocks]] made
    cdef const double[:, ::1] own
    cdef int32_t[::1] order
    arrays = []  # the orders
    for own in points:
        order = np.empty(own.shape[0], dtype=np.int32)
        arrays.append(order.base)
        sets.push_back(_points(own))
        orders.push_back(&order[0])
    with nogil:
        c_make_blocks(sets, orders, source, made)
    found = []
    cdef Blocks blocks
    cdef size_t k
    for k in range(sets.size()):
        blocks = Blocks.__new__(Blocks)
        blocks._points, blocks._order = points[k], arrays[source[k]]
        blocks._blocks = move(made[k])
        found.append(blocks)
    return found


cdef class Scores:
    """Unary scores of one part, (K,) float64, along the order of its `blocks`."""

    cdef unique_ptr[CScores] _scores

    def __init__(self, const double[::1] scores not None, Blocks blocks not None):
        if scores.shape[0] != blocks._order.shape[0]:
            raise ValueError(f"{scores.shape[0]} scores for {blocks._order.shape[0]} candidates")
        cdef const CBlocks* along = blocks._blocks.get()
        with nogil:
            self._scores = make_unique[CScores](&scores[0], along[0])


def scores_of(tables, blocks):
    """Return the scores of several parts, (K,) float64 each, along their blocks."""
    cdef vector[const double*] values
    cdef vector[const CBlocks*] along
    cdef vector[unique_ptr[CScores]] made
    cdef const double[::1] own
    cdef Blocks where
    for own, where in zip(tables, blocks):
        if own.shape[0] != where._order.shape[0]:
            raise ValueError(f"{own.shape[0]} scores for {where._order.shape[0]} candidates")
        values.push_back(&own[0])
        along.push_back(where._blocks.get())
    cdef size_t k
    with nogil:
        c_make_scores(values, along, made)
    found = []
    cdef Scores scores
    for k in range(values.size()):
        scores = Scores.__new__(Scores)
        scores._scores = move(made[k])
        found.append(scores)
    return found


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
