# cython: language_level=3
# distutils: language = c++
"""The compiled search of the paper's own variant: a KD-tree per part, boxes of centers opened best first.

Private. Callers pass checked, contiguous float64 arrays; `kd_branch_and_bound` does.
"""

from libc.stdint cimport int32_t
from libcpp cimport bool as bool_t
from libcpp.memory cimport make_unique, unique_ptr
from libcpp.utility cimport move
from libcpp.vector cimport vector

import numpy as np


cdef extern from "kernel/kd.h" namespace "partgraph" nogil:
    cdef cppclass CTree "partgraph::KdTree":
        CTree(const double*, int, int) except +
        int count

    cdef cppclass CView "partgraph::KdView":
        CView(const double*, const CTree&) except +

    cdef cppclass CScores "partgraph::KdScores":
        CScores(const double*, const CTree&) except +

    cdef cppclass CPull "partgraph::KdPull":
        vector[double] slope, center
        double rho

    cdef cppclass CEdge "partgraph::KdEdge":
        const CView* base
        const CView* point
        vector[double] weight, offset

    cdef cppclass CPart "partgraph::KdPart":
        int slot
        const CTree* tree
        const CView* positions
        vector[CEdge] edges

    cdef cppclass CUnary "partgraph::KdUnary":
        CUnary() except +
        const CScores* scores
        vector[CPull] pulls

    cdef cppclass CConfiguration "partgraph::Configuration":
        vector[int32_t] labels

    cdef cppclass COutcome "partgraph::KdOutcome":
        vector[CConfiguration] found
        double upper_bound
        bool_t proven
        long states_opened, centers_visited

    cdef cppclass CSearch "partgraph::KdSearch":
        CSearch(const vector[CPart]&, const vector[CUnary]&, int) except +
        COutcome run(long) except +


cdef class Tree:
    """A KD-tree over the positions (K, D) float64 of one part."""

    cdef unique_ptr[CTree] _tree

    def __init__(self, const double[:, ::1] positions not None):
        cdef int count = positions.shape[0], dim = positions.shape[1]
        cdef const double* data = &positions[0, 0]
        with nogil:
            self._tree = make_unique[CTree](data, count, dim)


cdef class View:
    """Points (K, D) float64 of a tree's candidates: their positions, or anchors."""

    cdef unique_ptr[CView] _view

    def __init__(self, const double[:, ::1] points not None, Tree tree not None):
        if points.shape[0] != tree._tree.get().count:
            raise ValueError(f"{points.shape[0]} points for a tree of {tree._tree.get().count}")
        cdef const double* data = &points[0, 0]
        with nogil:
            self._view = make_unique[CView](data, tree._tree.get()[0])


cdef class Scores:
    """Scores (K,) float64 of a tree's candidates."""

    cdef unique_ptr[CScores] _scores

    def __init__(self, const double[::1] scores not None, Tree tree not None):
        if scores.shape[0] != tree._tree.get().count:
            raise ValueError(f"{scores.shape[0]} scores for a tree of {tree._tree.get().count}")
        cdef const double* data = &scores[0]
        with nogil:
            self._scores = make_unique[CScores](data, tree._tree.get()[0])


cdef class Star:
    """A star over trees: first the center is added, then the leaves."""

    cdef vector[CPart] _parts
    cdef list _keep

    def __init__(self):
        self._keep = []

    def add(self, int slot, Tree tree not None, View positions not None, edges=()):
        """Add a part whose label stands at `slot`, with its edges to the center.

        An edge is (base, point, weight (D,), offset (D,)) for the term ``-(weight * (point - base - offset)**2).sum()``,
        base seen from the center's candidate and point from the leaf's.
        """
        cdef View base, point
        cdef CPart part
        cdef CEdge edge
        part.slot, part.tree, part.positions = slot, tree._tree.get(), positions._view.get()
        for base, point, weight, offset in edges:
            edge.base, edge.point = base._view.get(), point._view.get()
            edge.weight, edge.offset = weight, offset
            part.edges.push_back(edge)
            self._keep += [base, point]
        self._keep += [tree, positions]
        self._parts.push_back(part)

    def solve(self, scores, pulls, int n_best, long max_boxes):
        """Return the n best configurations and what is known about the rest.

        Parameters
        ----------
        scores : list of Scores
            Of the center, then of the leaves.
        pulls : list of list of (slope (D,), center (D,), rho)
            For each of these parts terms ``slope . x``, or where slope is empty ``-rho/2 |x - center|^2``.
        n_best : int
            Number of configurations. A few more come back where scores differ by less than rounding.
        max_boxes : int
            Boxes of centers to open at most; negative for no limit.

        Returns
        -------
        labels : array
            (M, parts) intp, best first.
        upper_bound : float
            No configuration has a higher score.
        proven : bool
            Whether the search ended by itself.
        boxes_opened, centers_visited : int
        """
        if len(scores) != <Py_ssize_t>self._parts.size() or len(pulls) != len(scores):
            raise ValueError("one entry for the center and for every leaf is needed")
        cdef vector[CUnary] unary
        cdef CPull pull
        cdef Scores own
        for own, terms in zip(scores, pulls):
            unary.push_back(CUnary())
            unary.back().scores = own._scores.get()
            for slope, center, rho in terms:
                pull.slope, pull.center, pull.rho = slope, center, rho
                unary.back().pulls.push_back(pull)
        cdef unique_ptr[CSearch] search
        cdef COutcome outcome
        with nogil:
            search = make_unique[CSearch](self._parts, unary, n_best)
            outcome = search.get().run(max_boxes)
        labels = np.array([found.labels for found in outcome.found], dtype=np.intp).reshape(-1, self._parts.size())
        return labels, outcome.upper_bound, bool(outcome.proven), outcome.states_opened, outcome.centers_visited
