# Points of parts in blocks that are close together in space. Included by _star.pyx.


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
