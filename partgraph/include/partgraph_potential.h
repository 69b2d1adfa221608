/* The compiled form of a pairwise potential: what `Pairwise.compiled` gives the addresses of.
 *
 * Both functions work on `count` pairs at once. Positions are stored axis by axis: coordinate d of the k-th x is
 * x[d * x_stride + k], for 0 <= d < dim and 0 <= k < count, and the same for y. x belongs to the edge's first part.
 * `fields` are the numbers that `compiled` handed over.
 *
 * - values: out[k] is the score of the k-th pair, by the operations of `evaluate` in the same order, so that it is the
 *   same number; functions such as log may differ in the last bit. Compile without fast mathematics and without
 *   contraction (-ffp-contract=off).
 * - bounds: lo[k] and hi[k] hold every score, as `values` computes it, between points of the k-th pair of boxes.
 *
 * Called from several threads at once, and without Python's lock.
 */
#ifndef PARTGRAPH_POTENTIAL_H
#define PARTGRAPH_POTENTIAL_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef void (*partgraph_values)(const double* fields, int64_t dim, int64_t count,
                                 const double* x, int64_t x_stride, const double* y, int64_t y_stride,
                                 double* out);

typedef void (*partgraph_bounds)(const double* fields, int64_t dim, int64_t count,
                                 const double* x_lo, const double* x_hi, int64_t x_stride,
                                 const double* y_lo, const double* y_hi, int64_t y_stride,
                                 double* lo, double* hi);

#ifdef __cplusplus
}
#endif

#endif
