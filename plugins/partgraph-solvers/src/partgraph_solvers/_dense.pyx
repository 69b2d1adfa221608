# cython: language_level=3
# distutils: language = c++
"""The compiled exact search over few labels per part, with every term in a table. Private; `exact` calls it."""

from libc.stdint cimport int32_t
from libcpp cimport bool as bool_t
from libcpp.memory cimport make_unique, unique_ptr
from libcpp.vector cimport vector

from math import inf as INF

import numpy as np


cdef extern from "kernel/dense.h" namespace "partgraph" nogil:
    cdef cppclass CConfiguration "partgraph::Configuration":
        double value
        vector[int32_t] labels

    cdef cppclass COutcome "partgraph::DenseOutcome":
        vector[CConfiguration] found
        double upper_bound
        bool_t proven
        long nodes, passes, labels_left

    cdef cppclass CLimits "partgraph::Limits":
        int passes
        long nodes
        double seconds

    cdef cppclass CSearch "partgraph::DenseSearch":
        CSearch(const vector[int]&, const vector[const double*]&, const vector[int]&, const vector[const double*]&) except +
        COutcome run(int, double, const CLimits&) except +


cdef extern from "kernel/quadratic.h" namespace "partgraph" nogil:
    const int SAME
    double quadratic(const double*, const double*, const double*, const double*, int)

MAX_AXES = SAME
cdef Py_ssize_t FEW_PAIRS = 10_000  # takes less time than it takes to give up Python's lock and get it back from another thread


def add_quadratic(double[:, :] table, const double[:, ::1] x, const double[:, ::1] y, const double[::1] weight,
                  const double[::1] offset):
    """Add ``Quadratic(weight, offset).evaluate(x[:, None], y[None])`` to a table, the same bits up to `MAX_AXES` axes.

    Parameters
    ----------
    table : array
        (n, m) float64, changed.
    x, y : array
        (n, D) and (m, D) float64.
    weight, offset : array
        (D,) float64.
    """
    if x.shape[0] * y.shape[0] < FEW_PAIRS:
        _add_quadratic(table, x, y, weight, offset)
    else:
        with nogil:
            _add_quadratic(table, x, y, weight, offset)


cdef void _add_quadratic(double[:, :] table, const double[:, ::1] x, const double[:, ::1] y, const double[::1] weight,
                         const double[::1] offset) noexcept nogil:
    cdef Py_ssize_t i, j
    cdef int dim = <int>weight.shape[0]
    for i in range(x.shape[0]):
        for j in range(y.shape[0]):
            table[i, j] += quadratic(&x[i, 0], &y[j, 0], &weight[0], &offset[0], dim)


def lowest(tables):
    """Return the smallest number in `tables`, (n, m) float64 each; inf where there is none."""
    cdef const double[:, :] table
    cdef double least = INF
    cdef Py_ssize_t i, j
    for table in tables:
        for i in range(table.shape[0]):
            for j in range(table.shape[1]):
                least = min(least, table[i, j])
    return least


cdef vector[const double*] _pointers(arrays):
    cdef vector[const double*] pointers
    cdef const double[::1] own
    for array in arrays:
        own = array.reshape(-1)
        pointers.push_back(&own[0])
    return pointers


def search(unary, edges, tables, int n_best, double threshold, int max_passes, long max_nodes, double max_seconds):
    """Return the n best configurations of at least `threshold`, and what is known about the rest.

    Parameters
    ----------
    unary : list of array
        (n_i,) float64 for every part, finite.
    edges : list of (i, j)
        Pairs of parts, i < j, each once.
    tables : list of array
        (n_i, n_j) float64 for every edge, finite.
    n_best : int
        Number of configurations. A few more come back where scores differ by less than rounding.
    threshold : float
        Lower configurations are of no interest.
    max_passes : int
        Rounds of message passing at most.
    max_nodes : int
        Labels to try in the search at most; negative for no limit.
    max_seconds : float
        Time at most, looked at now and then; inf for no limit.

    Returns
    -------
    labels : array
        (M, N) intp, best first.
    upper_bound : float
        No configuration has a higher score.
    proven : bool
        Whether the search ended by itself.
    stats : dict
        Counts.
    """
    cdef vector[int] sizes, ends
    for own in unary:
        sizes.push_back(len(own))
    for i, j in edges:
        ends.push_back(i)
        ends.push_back(j)
    unary, tables = ([np.ascontiguousarray(own, dtype=np.float64) for own in arrays] for arrays in (unary, tables))
    cdef vector[const double*] nodes = _pointers(unary), pairs = _pointers(tables)
    cdef CLimits limits
    limits.passes, limits.nodes, limits.seconds = max_passes, max_nodes, max_seconds
    cdef unique_ptr[CSearch] dense
    cdef COutcome outcome
    with nogil:
        dense = make_unique[CSearch](sizes, nodes, ends, pairs)
        outcome = dense.get().run(n_best, threshold, limits)
    labels = np.array([own.labels for own in outcome.found], dtype=np.intp).reshape(-1, sizes.size())
    stats = {"nodes": outcome.nodes, "passes": outcome.passes, "labels_left": outcome.labels_left}
    return labels, outcome.upper_bound, bool(outcome.proven), stats
