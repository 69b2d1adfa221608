# cython: language_level=3
# distutils: language = c++
"""Pairwise terms in compiled code: scores and bounds of all pairs of two lists.

Private. Callers pass contiguous float64 arrays; `terms` does.
"""

from libc.stdint cimport int64_t, uintptr_t
from libcpp cimport bool as bool_t
from libcpp.vector cimport vector

import numpy as np


cdef extern from "kernel/terms.h" namespace "partgraph" nogil:
    cdef cppclass CTerm "partgraph::Term":
        pass

    cdef cppclass TermPointer:
        TermPointer()
        const CTerm* get()

    TermPointer quadratic_term(vector[double], vector[double]) except +
    TermPointer limb_length_term(int, double, double) except +
    TermPointer full_quadratic_term(vector[double], vector[double], vector[double]) except +
    TermPointer truncated_term(TermPointer, double) except +
    TermPointer huber_term(TermPointer, double) except +
    TermPointer cauchy_term(TermPointer, double) except +
    TermPointer mixture_term(vector[TermPointer], vector[double]) except +
    TermPointer foreign_term(uintptr_t, uintptr_t, vector[double], int) except +

    void outer_values(const CTerm&, bool_t, int, int64_t, const double*, int64_t, const double*, double*)
    void outer_bounds(const CTerm&, bool_t, int, int64_t, const double*, const double*, int64_t, const double*,
                      const double*, double*, double*)
    void outer_best(const CTerm&, bool_t, int, int64_t, const double*, int64_t, const double*, const double*, double*)

MAX_AXES = 8


cdef class Term:
    """A pairwise term over positions of D axes; the functions below make them.

    `x` is (a, D), point by point; `y` is (D, b), axis by axis. `swapped`: y is at the first part of the edge.
    """

    cdef TermPointer _term
    cdef int _dim
    cdef object _keep

    def values(self, const double[:, ::1] x not None, const double[:, ::1] y not None, bint swapped):
        """Return the scores of all pairs: (a, b) float64."""
        cdef int64_t rows = x.shape[0], columns = y.shape[1]
        self._check(x.shape[1], y.shape[0])
        made = np.empty((rows, columns))
        cdef double[:, ::1] out = made
        if rows and columns:
            with nogil:
                outer_values(self._term.get()[0], swapped, self._dim, rows, &x[0, 0], columns, &y[0, 0], &out[0, 0])
        return made

    def bounds(self, const double[:, ::1] x_lo not None, const double[:, ::1] x_hi not None,
               const double[:, ::1] y_lo not None, const double[:, ::1] y_hi not None, bint swapped):
        """Return bounds of the scores of all pairs of boxes: (a, b) float64 twice."""
        cdef int64_t rows = x_lo.shape[0], columns = y_lo.shape[1]
        self._check(x_lo.shape[1], y_lo.shape[0])
        lows, highs = np.empty((rows, columns)), np.empty((rows, columns))
        cdef double[:, ::1] lo = lows, hi = highs
        if rows and columns:
            with nogil:
                outer_bounds(self._term.get()[0], swapped, self._dim, rows, &x_lo[0, 0], &x_hi[0, 0], columns,
                             &y_lo[0, 0], &y_hi[0, 0], &lo[0, 0], &hi[0, 0])
        return lows, highs

    def best(self, const double[:, ::1] x not None, const double[:, ::1] y not None, bint swapped,
             const double[::1] scores not None):
        """Return for every x the highest score with any y, ``scores`` (b,) added: (a,) float64."""
        cdef int64_t rows = x.shape[0], columns = y.shape[1]
        self._check(x.shape[1], y.shape[0])
        made = np.empty(rows)
        cdef double[::1] out = made
        if rows and columns:
            with nogil:
                outer_best(self._term.get()[0], swapped, self._dim, rows, &x[0, 0], columns, &y[0, 0], &scores[0], &out[0])
        else:
            made.fill(-np.inf)
        return made

    cdef _check(self, Py_ssize_t first, Py_ssize_t second):
        if first != self._dim or second != self._dim:
            raise ValueError(f"a term for {self._dim} axes was given positions of {first} and {second}")


cdef Term _made(TermPointer term, int dim, object keep=None):
    cdef Term made = Term.__new__(Term)
    made._term, made._dim, made._keep = term, dim, keep
    return made


def quadratic(weight, offset):
    """Return ``-(weight * (y - x - offset)**2).sum(-1)``; (D,) float64 each."""
    return _made(quadratic_term(weight, offset), len(weight))


def limb_length(int dim, double length, double factor):
    """Return ``factor * (|y - x| - length)**2``, factor < 0."""
    return _made(limb_length_term(dim, length, factor), dim)


def full_quadratic(precision, offset, faces):
    """Return ``-e' precision e / 2``, e = y - x - offset; `faces` as `FullQuadraticTerm` in kernel/terms.h needs them."""
    return _made(full_quadratic_term(precision, offset, faces), len(offset))


def truncated(Term base not None, double limit):
    """Return ``-min(r, limit)``, r minus the score of the base."""
    return _made(truncated_term(base._term, limit), base._dim, base)


def huber(Term base not None, double delta):
    """Return Huber's function of the base."""
    return _made(huber_term(base._term, delta), base._dim, base)


def cauchy(Term base not None, double scale):
    """Return Cauchy's function of the base."""
    return _made(cauchy_term(base._term, scale), base._dim, base)


def mixture(modes, bias):
    """Return the best of `modes`, a sequence of terms, with `bias` (M,) float64 added."""
    cdef vector[TermPointer] terms
    cdef Term mode
    for mode in modes:
        terms.push_back(mode._term)
    return _made(mixture_term(terms, bias), (<Term>modes[0])._dim, tuple(modes))


def foreign(uintptr_t values, uintptr_t bounds, fields, int dim, keep):
    """Return a term by addresses of functions as ``partgraph_potential.h`` declares them; `keep` outlives them."""
    return _made(foreign_term(values, bounds, fields, dim), dim, keep)
