# A look at all numbers of a problem before anything is searched. Included by _star.pyx.


def is_usable(scores, points):
    """Return whether all of `scores`, (K,) float64, have a greatest one and no NaN, and all `points`, (K, D), are finite."""
    cdef vector[CNumbers] tables, others
    cdef CNumbers numbers
    cdef const double[::1] table
    cdef const double[:, ::1] own
    for table in scores:
        numbers.x, numbers.count = &table[0], table.shape[0]
        tables.push_back(numbers)
    for own in points:
        numbers.x, numbers.count = &own[0, 0], own.shape[0] * own.shape[1]
        others.push_back(numbers)
    cdef bool_t usable
    with nogil:
        usable = c_is_usable(tables, others)
    return bool(usable)
