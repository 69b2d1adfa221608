// Are numbers such that scores mean anything? Looked at in one pass, many arrays in one call.
#pragma once

#include <cstddef>
#include <vector>

#include "order.h"

namespace partgraph {

struct Numbers {
    const double* x;
    std::size_t count;
};

// Whether no number is NaN or infinite.
inline bool all_finite(Numbers own) {
    constexpr int WIDE = 8;  // independent sums, so that any compiler vectorises them
    double sum[WIDE] = {};
    std::size_t k = 0;
    for (; k + WIDE <= own.count; k += WIDE)
        for (int j = 0; j < WIDE; ++j) sum[j] += own.x[k + j] - own.x[k + j];  // 0, or NaN
    for (; k < own.count; ++k) sum[0] += own.x[k] - own.x[k];
    for (int j = 1; j < WIDE; ++j) sum[0] += sum[j];
    return sum[0] == 0;
}

// Whether scores have a greatest one that is a finite number, and none is NaN.
inline bool has_best(Numbers own) {
    bool proper = true, allowed = false;
    for (std::size_t k = 0; k < own.count; ++k) {
        proper &= own.x[k] < INF;
        allowed |= own.x[k] > -INF;
    }
    return proper && allowed;
}

inline bool all_finite(const std::vector<Numbers>& arrays) {
    for (const Numbers& own : arrays)
        if (!all_finite(own)) return false;
    return true;
}

inline bool all_have_best(const std::vector<Numbers>& arrays) {
    for (const Numbers& own : arrays)
        if (!has_best(own)) return false;
    return true;
}

}  // namespace partgraph
