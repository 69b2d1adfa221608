// Candidates in spatial blocks: the one data structure of the star search.
//
// The candidates of a part are put into an order in which every run of BLOCK consecutive ones is close
// together in space. Each run is a block with a bounding box; nothing is a tree. A block holds its
// coordinates as separate arrays (x..., y..., z...), so that kernels stream them.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace partgraph {

constexpr int BLOCK = 64;  // candidates per block: measured best for one flat level of boxes
constexpr int LANES = 8;   // float64 values handled by one vector operation
constexpr double INF = std::numeric_limits<double>::infinity();

inline int round_up(int count, int step) { return (count + step - 1) / step * step; }

// Sort-tile-recursive order (Leutenegger, Lopez and Edgington, 1997): sort along the first axis, cut into
// slabs, sort each slab along the second axis, cut, and so on. Slabs hold whole blocks. On a regular grid
// whose sides are multiples of four this gives the 4 x 4 x 4 blocks, without being told about the grid.
class SpatialOrder {
  public:
    SpatialOrder(const double* points, int count, int dim)
        : points_(points), dim_(dim), order_(count), next_(count), bin_(static_cast<std::size_t>(count) * dim) {
        for (int k = 0; k < count; ++k) order_[k] = k;
        if (count > BLOCK) {
            measure(count);
            tile(0, count, 0);
        }
    }
    std::vector<int32_t> release() { return std::move(order_); }

  private:
    static constexpr int BINS = 2048;

    // Bins of every coordinate, and slabs per axis in proportion to the extent, so that blocks come out as cubes.
    void measure(int count) {
        std::vector<double> lo(dim_, INF), hi(dim_, -INF), scale(dim_, 0.0);
        for (int k = 0; k < count; ++k)
            for (int d = 0; d < dim_; ++d) {
                const double x = points_[static_cast<std::size_t>(k) * dim_ + d];
                lo[d] = x < lo[d] ? x : lo[d];
                hi[d] = x > hi[d] ? x : hi[d];
            }
        double volume = 1.0;
        int axes = 0;
        for (int d = 0; d < dim_; ++d) {
            scale[d] = BINS * (1.0 - 1e-9) / (hi[d] - lo[d]);
            if (!(hi[d] > lo[d]) || !std::isfinite(scale[d])) {
                scale[d] = 0.0;
                continue;
            }
            volume *= hi[d] - lo[d];
            ++axes;
        }
        const double blocks = std::ceil(static_cast<double>(count) / BLOCK);
        const double side = axes ? std::pow(volume / blocks, 1.0 / axes) : 0.0;
        slabs_.assign(dim_, 1);
        for (int d = 0; d < dim_; ++d)
            if (scale[d] > 0 && side > 0)
                slabs_[d] = static_cast<int>(std::clamp(std::round((hi[d] - lo[d]) / side), 1.0, blocks));
        for (int k = 0; k < count; ++k)
            for (int d = 0; d < dim_; ++d) {
                const std::size_t i = static_cast<std::size_t>(k) * dim_ + d;
                bin_[i] = static_cast<uint16_t>((points_[i] - lo[d]) * scale[d]);
            }
    }

    void tile(int begin, int end, int axis) {
        if (axis > 0 && end - begin <= BLOCK) return;
        sort_along(begin, end, axis);
        if (axis + 1 == dim_) return;
        const int blocks = (end - begin + BLOCK - 1) / BLOCK;
        const int slab = (blocks + slabs_[axis] - 1) / slabs_[axis] * BLOCK;
        for (int k = begin; k < end; k += slab) tile(k, std::min(k + slab, end), axis + 1);
    }

    // Stable counting sort by bin, which is all the order a block needs. Where most points share a bin (far
    // outliers stretch the axis), an ordinary sort by coordinate.
    void sort_along(int begin, int end, int axis) {
        const int count = end - begin;
        int shift = 0;
        while ((BINS >> shift) > 64 && (BINS >> shift) > 2 * count) ++shift;
        const int bins = BINS >> shift;
        const uint16_t* bin = bin_.data() + axis;
        start_.assign(bins + 1, 0);
        for (int k = begin; k < end; ++k) ++start_[(bin[static_cast<std::size_t>(order_[k]) * dim_] >> shift) + 1];
        if (*std::max_element(start_.begin(), start_.end()) > count / 2) {
            std::stable_sort(order_.begin() + begin, order_.begin() + end, [&](int32_t a, int32_t b) {
                return points_[static_cast<std::size_t>(a) * dim_ + axis] < points_[static_cast<std::size_t>(b) * dim_ + axis];
            });
            return;
        }
        for (int b = 0; b < bins; ++b) start_[b + 1] += start_[b];
        for (int k = begin; k < end; ++k)
            next_[begin + start_[bin[static_cast<std::size_t>(order_[k]) * dim_] >> shift]++] = order_[k];
        std::copy(next_.begin() + begin, next_.begin() + end, order_.begin() + begin);
    }

    const double* points_;
    int dim_;
    std::vector<int32_t> order_, next_;
    std::vector<uint16_t> bin_;  // (K, D)
    std::vector<int> slabs_, start_;
};

inline std::vector<int32_t> spatial_order(const double* points, int count, int dim) {
    return SpatialOrder(points, count, dim).release();
}

// Points of one part, (K, D), in the part's order, with the box of every block.
// The padding repeats the last point; its score is -inf, so it never wins.
struct Blocks {
    int count = 0, dim = 0, padded = 0, blocks = 0, padded_blocks = 0;
    std::vector<double> x;       // (D, padded)
    std::vector<double> lo, hi;  // (D, padded_blocks)
    std::vector<int32_t> rank;   // (count,) where a label stands in the order

    Blocks(const double* points, int count_, int dim_, const int32_t* order) : count(count_), dim(dim_) {
        padded = round_up(count, BLOCK);
        blocks = padded / BLOCK;
        padded_blocks = round_up(blocks, LANES);
        rank.resize(count);
        for (int k = 0; k < count; ++k) rank[order[k]] = k;
        x.resize(static_cast<std::size_t>(dim) * padded);
        for (int k = 0; k < padded; ++k) {
            const double* point = points + static_cast<std::size_t>(order[std::min(k, count - 1)]) * dim;
            for (int d = 0; d < dim; ++d) x[static_cast<std::size_t>(d) * padded + k] = point[d];
        }
        lo.resize(static_cast<std::size_t>(dim) * padded_blocks);
        hi.resize(lo.size());
        for (int d = 0; d < dim; ++d)
            for (int b = 0; b < padded_blocks; ++b) {
                const double* run = axis(d) + static_cast<std::size_t>(std::min(b, blocks - 1)) * BLOCK;
                double low[LANES], high[LANES];
                for (int k = 0; k < LANES; ++k) low[k] = high[k] = run[k];
                for (int j = LANES; j < BLOCK; j += LANES)
                    for (int k = 0; k < LANES; ++k) {
                        low[k] = run[j + k] < low[k] ? run[j + k] : low[k];
                        high[k] = run[j + k] > high[k] ? run[j + k] : high[k];
                    }
                const double least = *std::min_element(low, low + LANES), most = *std::max_element(high, high + LANES);
                lo[static_cast<std::size_t>(d) * padded_blocks + b] = least;
                hi[static_cast<std::size_t>(d) * padded_blocks + b] = most;
            }
    }
    const double* axis(int d) const { return x.data() + static_cast<std::size_t>(d) * padded; }
    const double* axis_lo(int d) const { return lo.data() + static_cast<std::size_t>(d) * padded_blocks; }
    const double* axis_hi(int d) const { return hi.data() + static_cast<std::size_t>(d) * padded_blocks; }

    // Largest absolute coordinate along an axis, for rounding margins.
    double reach(int d) const { return reach(axis_lo(d), axis_hi(d), blocks); }
    static double reach(const double* lo, const double* hi, int blocks) {
        double most = 0;
        for (int b = 0; b < blocks; ++b) most = std::max({most, std::fabs(lo[b]), std::fabs(hi[b])});
        return most;
    }
};

// Unary scores of one part in the part's order, with the maximum of every block.
struct Scores {
    std::vector<double> value;      // (padded,)
    std::vector<double> block_max;  // (padded_blocks,)
    double max = -INF;

    Scores() = default;
    Scores(const double* scores, int count, const int32_t* order) {
        value.assign(round_up(count, BLOCK), -INF);
        for (int k = 0; k < count; ++k) value[k] = scores[order[k]];
        update();
    }
    void update() {
        const int blocks = static_cast<int>(value.size()) / BLOCK;
        block_max.assign(round_up(blocks, LANES), -INF);
        for (int b = 0; b < blocks; ++b) {
            const double* run = value.data() + static_cast<std::size_t>(b) * BLOCK;
            double high[LANES];
            for (int k = 0; k < LANES; ++k) high[k] = run[k];
            for (int j = LANES; j < BLOCK; j += LANES)
                for (int k = 0; k < LANES; ++k) high[k] = run[j + k] > high[k] ? run[j + k] : high[k];
            block_max[b] = *std::max_element(high, high + LANES);
        }
        max = *std::max_element(block_max.begin(), block_max.end());
    }
};

}  // namespace partgraph
