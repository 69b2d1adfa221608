// The centers of a star that reach a score, as one of its leaves sees them.
#pragma once

#include "problem.h"

namespace partgraph {

// Queries in the place of points, in blocks with boxes, and what a center's configurations score without the leaf.
class Sources {
  public:
    // centers: ascending places in the center's order. others: of each.
    Sources(const Leaf& leaf, const std::vector<int>& centers, const std::vector<double>& others)
        : count_(static_cast<int>(centers.size())), padded_(round_up(count_, BLOCK)), blocks_(padded_ / BLOCK),
          padded_blocks_(round_up(blocks_, LANES)), storage_(size(leaf.size())), runs_(blocks_, leaf.size()) {
        double* score = storage_.data();
        std::copy(others.begin(), others.end(), score);
        std::fill(score + count_, score + padded_, -INF);
        double* most = score + padded_;
        for (int b = 0; b < padded_blocks_; ++b) most[b] = b < blocks_ ? most_of(score + b * BLOCK) : -INF;
        double* next = most + padded_blocks_;
        for (const Coordinate& k : leaf.coordinates) {
            double *query = next, *lo = query + padded_, *hi = lo + padded_blocks_;
            for (int s = 0; s < padded_; ++s) query[s] = k.scale * k.base[centers[std::min(s, count_ - 1)]] + k.shift;
            for (int b = 0; b < padded_blocks_; ++b) {
                const double* run = query + std::min(b, blocks_ - 1) * BLOCK;
                lo[b] = least_of(run);
                hi[b] = most_of(run);
            }
            coordinates_.push_back({k.point, k.point_lo, k.point_hi, query, lo, hi, k.weight, 1.0, 0.0, 0.0, 0.0});
            next = hi + padded_blocks_;
        }
    }
    const Coordinate* coordinates() const { return coordinates_.data(); }
    const double* score() const { return storage_.data(); }
    const double* block_max() const { return score() + padded_; }
    int blocks() const { return blocks_; }
    int padded_blocks() const { return padded_blocks_; }
    Runs runs() { return runs_.runs(); }

  private:
    std::size_t size(std::size_t axes) const {
        const std::size_t scores = static_cast<std::size_t>(padded_) + padded_blocks_;
        return scores + axes * (scores + padded_blocks_);
    }

    const int count_, padded_, blocks_, padded_blocks_;
    Storage storage_;  // scores, maxima of blocks; by axis queries and boxes
    RunBoxes runs_;
    std::vector<Coordinate> coordinates_;
};

}  // namespace partgraph
