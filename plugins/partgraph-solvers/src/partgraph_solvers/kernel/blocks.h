// Candidates in spatial blocks: the one data structure of the star search.
//
// The candidates of a part are put into an order in which every run of BLOCK consecutive ones is close
// together in space. Each run is a block with a bounding box; nothing is a tree. A block holds its
// coordinates as separate arrays (x..., y..., z...), so that kernels stream them.
#pragma once

#include "order.h"
#include "storage.h"

namespace partgraph {

constexpr int LANES = 8;  // float64 values handled by one vector operation
constexpr int AHEAD = 2 * BLOCK;  // candidates whose values are on their way from memory; measured

inline int round_up(int count, int step) { return (count + step - 1) / step * step; }

// Least and largest of the BLOCK values from `run`, in independent lanes so that any compiler vectorises it.
inline double least_of(const double* run) {
    double low[LANES];
    std::fill_n(low, LANES, INF);
    for (int j = 0; j < BLOCK; j += LANES)
        for (int k = 0; k < LANES; ++k) low[k] = run[j + k] < low[k] ? run[j + k] : low[k];
    return *std::min_element(low, low + LANES);
}
inline double most_of(const double* run) {
    double high[LANES];
    std::fill_n(high, LANES, -INF);
    for (int j = 0; j < BLOCK; j += LANES)
        for (int k = 0; k < LANES; ++k) high[k] = run[j + k] > high[k] ? run[j + k] : high[k];
    return *std::max_element(high, high + LANES);
}

// Points of one part, (K, D), in the part's order, with the box of every block. Points and order are borrowed.
// The padding repeats the last point; its score is -inf, so it never wins.
class Blocks {
  public:
    const Points points;
    const int32_t* const order;  // (K,) labels
    const int dim, padded, blocks, padded_blocks;

    Blocks(Points points_, const int32_t* order_)
        : points(points_),
          order(order_),
          dim(points.dim),
          padded(round_up(points.count, BLOCK)),
          blocks(padded / BLOCK),
          padded_blocks(round_up(blocks, LANES)),
          storage_(static_cast<std::size_t>(dim) * (padded + 2 * padded_blocks + 1)) {
        switch (dim) {
            case 2: gather<2>(); break;
            case 3: gather<3>(); break;
            default: gather<0>();
        }
        for (int d = 0; d < dim; ++d) {
            std::fill(lo(d) + blocks, lo(d) + padded_blocks, lo(d)[blocks - 1]);
            std::fill(hi(d) + blocks, hi(d) + padded_blocks, hi(d)[blocks - 1]);
            double most = 0;
            for (int b = 0; b < blocks; ++b) most = std::max({most, std::fabs(lo(d)[b]), std::fabs(hi(d)[b])});
            hi(dim - 1)[padded_blocks + d] = most;
        }
    }
    const double* axis(int d) const { return storage_.data() + static_cast<std::size_t>(d) * padded; }
    const double* axis_lo(int d) const { return axis(dim) + static_cast<std::size_t>(2 * d) * padded_blocks; }
    const double* axis_hi(int d) const { return axis_lo(d) + padded_blocks; }

    // Largest absolute coordinate along an axis, for rounding margins.
    double reach(int d) const { return axis_hi(dim - 1)[padded_blocks + d]; }

  private:
    double* lo(int d) { return storage_.data() + (axis_lo(d) - storage_.data()); }
    double* hi(int d) { return lo(d) + padded_blocks; }

    // Block by block, so that boxes are found while their points are in the nearest cache.
    template <int D>
    void gather() {
        const int n = D ? D : dim;
        for (int b = 0; b < blocks; ++b) {
            double* run = storage_.data() + static_cast<std::size_t>(b) * BLOCK;
            for (int j = 0; j < BLOCK; ++j) {
                const int k = b * BLOCK + j;
                prefetch(points.row(order[std::min(k + AHEAD, points.count - 1)]));
                const double* point = points.row(order[std::min(k, points.count - 1)]);
                for (int d = 0; d < n; ++d) run[static_cast<std::size_t>(d) * padded + j] = point[d];
            }
            for (int d = 0; d < n; ++d) {
                lo(d)[b] = least_of(run + static_cast<std::size_t>(d) * padded);
                hi(d)[b] = most_of(run + static_cast<std::size_t>(d) * padded);
            }
        }
    }

    Storage storage_;  // (D, padded) coordinates, (D, 2, padded_blocks) boxes, (D,) reaches
};

// Unary scores of one part in the part's order, with the maximum of every block.
class Scores {
  public:
    Scores(const double* scores, const Blocks& blocks) : Scores(blocks.points.count) {
        const int count = blocks.points.count;
        for (int k = 0; k < count; ++k) {
            prefetch(scores + blocks.order[std::min(k + AHEAD, count - 1)]);
            value()[k] = scores[blocks.order[k]];
        }
        std::fill(value() + count, value() + padded_, -INF);
        update();
    }
    // Those of another part with as many candidates, divided.
    Scores(const Scores& other, double divisor) : Scores(other) {
        for (int k = 0; k < padded_; ++k) value()[k] /= divisor;
        update();
    }
    // A copy with terms added; update() must follow.
    Scores(const Scores& other) : Scores(other.padded_) { std::copy_n(other.value(), padded_, value()); }

    double* value() { return storage_.data(); }              // (padded,)
    const double* value() const { return storage_.data(); }
    const double* block_max() const { return value() + padded_; }  // (padded_blocks,)
    double max() const { return max_; }

    void update() {
        const int blocks = padded_ / BLOCK;
        double* most = value() + padded_;
        for (int b = 0; b < blocks; ++b) most[b] = most_of(value() + static_cast<std::size_t>(b) * BLOCK);
        std::fill(most + blocks, most + round_up(blocks, LANES), -INF);
        max_ = *std::max_element(most, most + blocks);
    }

  private:
    explicit Scores(int count)
        : padded_(round_up(count, BLOCK)), storage_(static_cast<std::size_t>(padded_) + round_up(padded_ / BLOCK, LANES)) {}

    int padded_;
    Storage storage_;  // values, then block maxima
    double max_ = -INF;
};

}  // namespace partgraph
