// One quadratic term, in the arithmetic of the problem: the same operations in the same order as NumPy's, so that for up
// to SAME axes (more are added up pairwise there) it is the same number to the last bit.
#pragma once

namespace partgraph {

constexpr int SAME = 7;

inline double quadratic(const double* x, const double* y, const double* weight, const double* offset, int dim) {
    double sum = 0;
    for (int d = 0; d < dim; ++d) {
        const double away = y[d] - x[d] - offset[d];
        sum += weight[d] * (away * away);
    }
    return -sum;
}

}  // namespace partgraph
