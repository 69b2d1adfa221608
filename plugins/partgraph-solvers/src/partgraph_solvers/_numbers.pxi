# A look at all numbers of a problem before anything is searched. Included by _star.pyx.


def all_finite(points):
    """Return whether all of `points`, (K, D) float64 each, are finite."""
    cdef vector[CNumbers] arrays
    cdef CNumbers numbers
    cdef const double[:, ::1] own
    for own in points:
        numbers.x, numbers.count = &own[0, 0], own.shape[0] * own.shape[1]
        arrays.push_back(numbers)
    cdef bool_t finite
    with nogil:
        finite = c_all_finite(arrays)
    return bool(finite)


def all_have_best(tables):
    """Return whether each of `tables` of scores, (K,) float64, has a greatest one, which is finite, and no NaN."""
    cdef vector[CNumbers] arrays
    cdef CNumbers numbers
    cdef const double[::1] own
    for own in tables:
        numbers.x, numbers.count = &own[0], own.shape[0]
        arrays.push_back(numbers)
    cdef bool_t best
    with nogil:
        best = c_all_have_best(arrays)
    return bool(best)
