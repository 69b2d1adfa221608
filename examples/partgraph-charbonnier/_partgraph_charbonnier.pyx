# cython: language_level=3, cdivision=True
"""The two functions that partgraph_potential.h declares: the operations of `Charbonnier.evaluate`, in the same order."""

from libc.math cimport sqrt
from libc.stdint cimport int64_t, uintptr_t


cdef void values(const double* fields, int64_t dim, int64_t count, const double* x, int64_t x_stride,
                 const double* y, int64_t y_stride, double* out) noexcept nogil:
    cdef int64_t d, k
    cdef double offset, e, delta = fields[dim]
    for k in range(count):
        out[k] = 0
    for d in range(dim):  # axis by axis, so that the compiler can work on several pairs at once
        offset = fields[d]
        for k in range(count):
            e = y[d * y_stride + k] - x[d * x_stride + k] - offset
            out[k] += e * e
    for k in range(count):
        out[k] = -delta * (sqrt(out[k] + delta * delta) - delta)


cdef void bounds(const double* fields, int64_t dim, int64_t count,
                 const double* x_lo, const double* x_hi, int64_t x_stride,
                 const double* y_lo, const double* y_hi, int64_t y_stride,
                 double* lo, double* hi) noexcept nogil:
    cdef int64_t d, k
    cdef double offset, low, high, near, far, delta = fields[dim]
    for k in range(count):
        lo[k] = hi[k] = 0
    for d in range(dim):
        offset = fields[d]
        for k in range(count):
            low = y_lo[d * y_stride + k] - x_hi[d * x_stride + k] - offset
            high = y_hi[d * y_stride + k] - x_lo[d * x_stride + k] - offset
            near, far = low * low, high * high
            lo[k] += far if far > near else near
            hi[k] += 0 if low <= 0 <= high else (near if near < far else far)
    for k in range(count):  # the score falls as the distance rises
        lo[k] = -delta * (sqrt(lo[k] + delta * delta) - delta)
        hi[k] = -delta * (sqrt(hi[k] + delta * delta) - delta)


VALUES, BOUNDS = <uintptr_t>&values, <uintptr_t>&bounds
