# cython: language_level=3
# distutils: language = c++
"""Graphs of quadratic terms: stars that share the score and drop candidates, and moves of single parts.

Private. Callers pass checked, contiguous float64 arrays; `compiled_relaxation` does.
"""

from cython.operator cimport dereference
from libc.stdint cimport int32_t
from libc.string cimport memcpy
from libcpp cimport bool as bool_t
from libcpp.memory cimport make_unique, unique_ptr
from libcpp.vector cimport vector

import numpy as np


cdef extern from "kernel/relaxation.h" namespace "partgraph" nogil:
    cdef cppclass CKernels "partgraph::Kernels":
        pass
    vector[const CKernels*] available_kernels()

    cdef cppclass CPoints "partgraph::Points":
        const double* x
        int count, dim

    cdef cppclass CPull "partgraph::Pull":
        CPull()
        vector[double] slope, center

    cdef cppclass CLink "partgraph::Link":
        CLink()
        int first, second, set
        vector[double] weight, offset

    cdef cppclass CShape "partgraph::Shape":
        CShape()
        vector[int] parts, links
        vector[CPull] pulls

    cdef cppclass CLayout "partgraph::Layout":
        vector[CLink] links
        vector[CShape] shares
        void place(const vector[vector[CPoints]]&) except +

    cdef cppclass CUnaries "partgraph::Unaries":
        CUnaries(const CLayout&, const vector[const double*]&) except +

    cdef cppclass CChoice "partgraph::Choice":
        int32_t label

    double c_score "partgraph::score"(const CLayout&, const CUnaries&, const int32_t*)
    vector[CChoice] c_best_labels "partgraph::best_labels"(
        const CLayout&, const CUnaries&, const CKernels&, int, const int32_t*, int) except +
    void c_complete "partgraph::complete"(const CLayout&, const CUnaries&, const CKernels&, int32_t*) except +
    void c_polish "partgraph::polish"(const CLayout&, const CUnaries&, const CKernels&, int, int32_t*) except +

    cdef cppclass CDeadline "partgraph::Deadline":
        CDeadline(double)

    cdef cppclass CRelaxation "partgraph::Relaxation":
        CRelaxation(const CLayout&, const CUnaries&, const CKernels&) except +
        double bound()
        double rounding(double)
        const vector[vector[int32_t]]& labels()
        vector[int32_t] solve(int, const CDeadline&) except +
        bool_t drop(int, double, const vector[char]&, const CDeadline&) except +
        void keep(int, const vector[int32_t]&) except +
        vector[int32_t] rounded(int, const CDeadline&) except +


cdef const CKernels* _kernels() noexcept nogil:
    return available_kernels()[0]


cdef CPoints _points(const double[:, ::1] points):
    cdef CPoints made
    made.x, made.count, made.dim = &points[0, 0], <int>points.shape[0], <int>points.shape[1]
    return made


cdef _array(const vector[int32_t]& labels):
    made = np.empty(labels.size(), dtype=np.int32)
    cdef int32_t[::1] view = made
    if labels.size():
        memcpy(&view[0], labels.data(), labels.size() * sizeof(int32_t))
    return made.astype(np.intp)


cdef class Layout:
    """All that does not depend on scores: candidates in blocks, quadratic terms, and stars.

    Parameters
    ----------
    points : list of list of array
        For every part its positions (K, D) float64, then the anchors (K, D) of edges that begin there. Kept, and not to
        be changed.
    edges : list of (int, int, int)
        First part, second part, and which of the first one's points the edge begins at.
    weight, offset : array
        (E, D) float64.
    stars : list of (parts, edges)
        Numbers of parts, the center first, and of edges. They partition the edges and hold every part.
    slopes : list of array
        For each star (parts, D) float64, linear terms of its parts.
    """

    cdef CLayout _layout
    cdef list _keep

    def __init__(self, points, edges, const double[:, ::1] weight, const double[:, ::1] offset, stars, slopes):
        cdef vector[vector[CPoints]] sets
        self._keep = points
        for own in points:
            sets.emplace_back()
            for array in own:
                sets.back().push_back(_points(array))
        cdef CLink link
        cdef Py_ssize_t e
        for e, (first, second, number) in enumerate(edges):
            link.first, link.second, link.set = first, second, number
            link.weight.assign(&weight[e, 0], &weight[e, 0] + weight.shape[1])
            link.offset.assign(&offset[e, 0], &offset[e, 0] + offset.shape[1])
            self._layout.links.push_back(link)
        cdef CShape shape
        for (parts, own_edges), slope in zip(stars, slopes):
            shape.parts, shape.links = parts, own_edges
            shape.pulls.clear()
            shape.pulls.resize(shape.parts.size())
            for k, row in enumerate(slope.tolist()):
                if any(row):
                    shape.pulls[k].slope = row
                    shape.pulls[k].center = [0.0] * len(row)
            self._layout.shares.push_back(shape)
        with nogil:
            self._layout.place(sets)


cdef class Unaries:
    """Scores of all candidates of a layout's parts, (K,) float64 each. Kept, and not to be changed."""

    cdef unique_ptr[CUnaries] _unaries
    cdef Layout _layout
    cdef list _keep

    def __init__(self, Layout layout not None, scores):
        cdef vector[const double*] raw
        cdef const double[::1] own
        self._layout, self._keep = layout, list(scores)
        for own in self._keep:
            raw.push_back(&own[0])
        with nogil:
            self._unaries = make_unique[CUnaries](layout._layout, raw)

    def score(self, labels):
        """Return the scores of configurations (M, N), but for rounding: (M,) float64."""
        cdef const int32_t[:, ::1] rows = np.ascontiguousarray(labels, dtype=np.int32)
        scores = np.empty(rows.shape[0])
        cdef double[::1] view = scores
        cdef Py_ssize_t row
        for row in range(rows.shape[0]):
            view[row] = c_score(self._layout._layout, dereference(self._unaries), &rows[row, 0])
        return scores

    def complete(self, labels):
        """Return `labels` (N,) intp with labels for parts that have none (-1), best beside those of their neighbours."""
        completed = np.array(labels, dtype=np.int32)
        cdef int32_t[::1] view = completed
        with nogil:
            c_complete(self._layout._layout, dereference(self._unaries), dereference(_kernels()), &view[0])
        return completed.astype(np.intp)

    def polish(self, labels, int max_sweeps):
        """Return `labels` (N,) intp after moves of single parts, as long as they help, at most `max_sweeps` * N."""
        moved = np.array(labels, dtype=np.int32)
        cdef int32_t[::1] view = moved
        cdef int most = max_sweeps * <int>view.shape[0]
        with nogil:
            c_polish(self._layout._layout, dereference(self._unaries), dereference(_kernels()), most, &view[0])
        return moved.astype(np.intp)

    def best_labels(self, int part, labels, int n_best):
        """Return the best labels of `part` while the others, (N,), stay; best first, ties by lowest label."""
        cdef const int32_t[::1] view = np.asarray(labels, dtype=np.int32)
        cdef vector[CChoice] best
        with nogil:
            best = c_best_labels(
                self._layout._layout, dereference(self._unaries), dereference(_kernels()), part, &view[0], n_best)
        return [choice.label for choice in best]


cdef class Relaxation:
    """Stars that share the score: see `relaxation.Relaxation`, whose methods these are.

    Where time is over before the end, stars of `solve_all` and `rounded` return an empty list, and `drop` returns False.
    """

    cdef unique_ptr[CRelaxation] _relaxation
    cdef Unaries _unaries

    def __init__(self, Unaries unaries not None):
        self._unaries = unaries
        with nogil:
            self._relaxation = make_unique[CRelaxation](
                unaries._layout._layout, dereference(unaries._unaries), dereference(_kernels()))

    @property
    def bound(self):
        """The sum of the stars' maxima; inf before all of them were solved."""
        return self._relaxation.get().bound()

    @property
    def sizes(self):
        """How many candidates of each part are left: (N,)."""
        cdef size_t part
        cdef CRelaxation* own = self._relaxation.get()
        return tuple([own.labels()[part].size() for part in range(own.labels().size())])

    @property
    def labels(self):
        """Which candidates of each part are left: N arrays (K_i,) intp, ascending."""
        cdef size_t part
        cdef CRelaxation* own = self._relaxation.get()
        return tuple([_array(own.labels()[part]) for part in range(own.labels().size())])

    def rounding(self, double score):
        """Bound the rounding errors of all shares and of scores of the problem, together."""
        return self._relaxation.get().rounding(score)

    def solve_all(self, int count, double max_seconds):
        """Maximise the shares of all stars, of which there are `count`; return the labels of each."""
        cdef vector[vector[int32_t]] found
        cdef unique_ptr[CDeadline] deadline = make_unique[CDeadline](max_seconds)
        cdef int s
        with nogil:
            for s in range(count):
                found.push_back(self._relaxation.get().solve(s, dereference(deadline)))
        return found

    def drop(self, int s, double score, ahead, double max_seconds):
        """Drop what star `s` excludes from configurations of this score; `ahead` (stars,) says which are to come."""
        cdef vector[char] later = ahead
        cdef bool_t complete
        with nogil:
            complete = self._relaxation.get().drop(s, score, later, CDeadline(max_seconds))
        return complete

    def keep(self, int part, kept):
        """Keep these candidates of a part, ascending numbers among those that are left."""
        self._relaxation.get().keep(part, kept)

    def rounded(self, int first, double max_seconds):
        """Return a configuration, (N,) numbers among what is left, from the best of one star and then of the others."""
        cdef vector[int32_t] found
        with nogil:
            found = self._relaxation.get().rounded(first, CDeadline(max_seconds))
        return found
