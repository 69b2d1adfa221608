// The best configurations found so far, and the score a further one needs.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "blocks.h"

namespace partgraph {

struct Configuration {
    double value;
    std::vector<int32_t> labels;  // of the parts in the problem's order
};

// Higher value first, ties by lowest labels.
inline bool better(const Configuration& a, const Configuration& b) {
    return a.value != b.value ? a.value > b.value : a.labels < b.labels;
}

// Keeps the n best and, behind them, runners-up within the rounding margin: the caller scores all of them
// with the problem's own arithmetic and decides there. More than SPARE of them only matter when they tie
// exactly, and exact ties are already in order.
class Pool {
  public:
    static constexpr int SPARE = 32;

    explicit Pool(int n_best) : n_best_(n_best) {}

    int capacity() const { return n_best_ + SPARE; }
    int n_best() const { return n_best_; }
    double nth() const { return static_cast<int>(found_.size()) < n_best_ ? -INF : found_[n_best_ - 1].value; }
    double best() const { return found_.empty() ? -INF : found_[0].value; }
    const std::vector<Configuration>& found() const { return found_; }

    void insert(Configuration&& configuration) {
        found_.insert(std::upper_bound(found_.begin(), found_.end(), configuration, better), std::move(configuration));
        if (static_cast<int>(found_.size()) > capacity()) found_.pop_back();
    }
    void drop_below(double cut) {
        while (!found_.empty() && static_cast<int>(found_.size()) > n_best_ && found_.back().value < cut) found_.pop_back();
    }

  private:
    int n_best_;
    std::vector<Configuration> found_;
};

}  // namespace partgraph
