// Inner loops of the star search, compiled for several instruction sets; the processor chooses at run time.
//
// The leaf's message to a center candidate v is
//     m(v) = max_k  score_k - sum_c weight_c (q_c(v) - point_c,k)^2,       q_c(v) = scale_c base_c,v + shift_c,
// where c runs over the axes of all edges between the two parts, so parallel edges are one longer vector.
// base is the center's position (or its anchor), point the leaf's position (or its anchor); scale is 1 but where
// a penalty on the leaf's position has been absorbed.
#pragma once

#include "runs.h"

#if defined(__GNUC__) && !defined(PARTGRAPH_NO_VECTOR_TYPES)
#define PARTGRAPH_VECTOR_TYPES
#if defined(__x86_64__)
#define PARTGRAPH_X86
#include <immintrin.h>
#endif
#endif

namespace partgraph {

constexpr int MAX_COORDINATES = 32;  // of one leaf

struct Coordinate {
    const double *base, *base_lo, *base_hi;     // center's order: (padded,), (padded_blocks,) twice
    const double *point, *point_lo, *point_hi;  // leaf's order, the same
    double weight, scale, shift;     // scale > 0
    double base_reach, point_reach;  // max |base|, max |point|, for rounding margins
};

// slope * x - curvature (x - center)^2, added to a score.
struct Parabola {
    const double* x;
    double slope, curvature, center;
};

// A block of a leaf that may hold the best answer, and the bound of what it holds. Given best first.
struct Supporter {
    double upper;
    int block;
};

struct Kernels {
    const char* name;
    // Bounds of the message for all q in a box, one per block of the leaf; returns the largest.
    double (*box_upper[5])(int, const Coordinate*, const double* q_lo, const double* q_hi, const double* block_max, int blocks,
                           double* upper);
    // Exact messages to LANES center candidates; a lane that cannot reach `need` may get less. Measures runs.
    void (*message[5])(int, const Coordinate*, const double* score, const double* block_max, int center,
                       const Supporter* supporter, int supporters, const double* need, Runs runs, double* best);
    // Values of the candidates of one leaf block at the query point q.
    void (*leaf_values[5])(int, const Coordinate*, const double* score, const double* q, int block, double* value);
    // The same seen from the leaves: center blocks and candidates given a point of every leaf.
    void (*center_upper)(int, const Coordinate*, const double* point, const double* block_max, int blocks, double* upper);
    void (*center_values)(int, const Coordinate*, const double* point, const double* score, int block, double* value);
    void (*add_parabolas)(int, const Parabola*, double constant, int size, double* score);
};

inline int by_count(int coordinates) {
    switch (coordinates) {
        case 2: return 1;
        case 3: return 2;
        case 4: return 3;
        case 6: return 4;
        default: return 0;
    }
}

// The baseline of x86-64 (SSE2) and of 64-bit ARM (NEON) has registers of two float64.
#define PARTGRAPH_TARGET baseline
#define PARTGRAPH_NAME "baseline"
#define PARTGRAPH_SIMD static inline
#if defined(PARTGRAPH_VECTOR_TYPES)
#define PARTGRAPH_WIDTH 2
#define PARTGRAPH_INLINE static inline __attribute__((always_inline))
#else
#define PARTGRAPH_WIDTH 1
#define PARTGRAPH_INLINE static inline
#endif
#include "kernels.inc"

#if defined(PARTGRAPH_X86)
#define PARTGRAPH_TARGET avx2
#define PARTGRAPH_NAME "avx2"
#define PARTGRAPH_WIDTH 4
#define PARTGRAPH_SIMD __attribute__((target("avx2"))) static inline
#define PARTGRAPH_INLINE __attribute__((target("avx2"), always_inline)) static inline
#include "kernels.inc"

#define PARTGRAPH_TARGET avx512
#define PARTGRAPH_NAME "avx512"
#define PARTGRAPH_WIDTH 8
#define PARTGRAPH_SIMD __attribute__((target("avx512f,avx512dq,avx512vl"))) static inline
#define PARTGRAPH_INLINE __attribute__((target("avx512f,avx512dq,avx512vl"), always_inline)) static inline
#include "kernels.inc"
#endif

// Instruction sets of this build that the processor has, best first.
inline std::vector<const Kernels*> available_kernels() {
    std::vector<const Kernels*> found;
#if defined(PARTGRAPH_X86)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
        found.push_back(&avx512::kernels);
    if (__builtin_cpu_supports("avx2")) found.push_back(&avx2::kernels);
#endif
    found.push_back(&baseline::kernels);
    return found;
}

}  // namespace partgraph
