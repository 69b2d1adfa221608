// Where the candidates of a part are: their positions, and the anchors of the edges that begin there.
//
// All these sets of points share one spatial order, and are cut into blocks once for all stars that meet in the part.
#pragma once

#include <memory>
#include <numeric>

#include "blocks.h"

namespace partgraph {

using Order = std::shared_ptr<const std::vector<int32_t>>;

// Writes a spatial order of the points, unless `known`, that of another part, does for these as well. Whether it wrote.
inline bool write_order(Points points, const int32_t* known, int32_t* order) {
    if (known && is_compact(points, known)) return false;
    if (is_compact(points, nullptr))
        std::iota(order, order + points.count, 0);
    else
        spatial_order(points, order);
    return true;
}

inline Order order_of(Points points, const Order& known) {
    std::vector<int32_t> order(points.count);
    const bool fits = known && static_cast<int>(known->size()) == points.count;
    if (!write_order(points, fits ? known->data() : nullptr, order.data())) return known;
    return std::make_shared<const std::vector<int32_t>>(std::move(order));
}

// The blocks of several parts. Orders are written to `order`, (K,) each; source: whose order each of them has.
inline void make_blocks(const std::vector<Points>& points, const std::vector<int32_t*>& order, std::vector<int>& source,
                        std::vector<std::unique_ptr<Blocks>>& blocks) {
    for (int k = 0; k < static_cast<int>(points.size()); ++k) {
        const bool fits = k > 0 && points[k - 1].count == points[k].count;
        source.push_back(write_order(points[k], fits ? order[source[k - 1]] : nullptr, order[k]) ? k : source[k - 1]);
        blocks.push_back(std::make_unique<Blocks>(points[k], order[source[k]]));
    }
}

// The scores of several parts, (K,) each, along their blocks.
inline void make_scores(const std::vector<const double*>& values, const std::vector<const Blocks*>& blocks,
                        std::vector<std::unique_ptr<Scores>>& scores) {
    for (std::size_t k = 0; k < values.size(); ++k) scores.push_back(std::make_unique<Scores>(values[k], *blocks[k]));
}

class Sites {
  public:
    // sets: the positions, then anchors; the arrays are borrowed.
    Sites(std::vector<Points> sets, const Order& known) : sets_(std::move(sets)), order_(order_of(sets_[0], known)) { cut(); }

    // Some candidates of a part, by their numbers there.
    Sites(const Sites& all, const std::vector<int32_t>& kept) {
        const int count = static_cast<int>(kept.size()), dim = all.sets_[0].dim;
        rows_.resize(all.sets_.size() * count * dim);
        double* rows = rows_.data();
        for (const Points& from : all.sets_) {
            sets_.push_back({rows, count, dim});
            for (int32_t k : kept) rows = std::copy_n(from.row(k), dim, rows);
        }
        order_ = order_of(sets_[0], nullptr);
        cut();
    }
    Sites(const Sites&) = delete;
    Sites& operator=(const Sites&) = delete;

    int count() const { return sets_[0].count; }
    const Order& order() const { return order_; }
    const Points& points(int set) const { return sets_[set]; }
    const Blocks& positions() const { return blocks(0); }
    const Blocks& blocks(int set) const { return *blocks_[set]; }

    // The largest coordinate of a set, in size.
    double reach(int set) const {
        double most = 0;
        for (int d = 0; d < blocks(set).dim; ++d) most = std::max(most, blocks(set).reach(d));
        return most;
    }

  private:
    void cut() {
        for (const Points& points : sets_) blocks_.push_back(std::make_unique<const Blocks>(points, order_->data()));
    }

    std::vector<double> rows_;  // of some candidates; of all they are borrowed
    std::vector<Points> sets_;
    Order order_;
    std::vector<std::unique_ptr<const Blocks>> blocks_;
};

}  // namespace partgraph
