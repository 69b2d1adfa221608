// The centers of a star that may reach a score: whole blocks are bounded, then opened in the order of their bounds.
//
// In an open block the bounds of the leaves are replaced by exact messages (kernels.h), one leaf at a time and for
// eight centers at once, until none of the eight can reach what is needed.
#pragma once

#include <numeric>

#include "deadline.h"
#include "problem.h"

namespace partgraph {

class Centers {
  public:
    Centers(const StarProblem& star, const Deadline& deadline) : star_(star), kernels_(star.kernels), deadline_(deadline) {
        const int leaves = size();
        rest_.assign(leaves + 1, 0.0);
        for (int l = leaves - 1; l >= 0; --l) rest_[l] = rest_[l + 1] + star_.leaf(l).max();
        int most = 0;
        for (const Leaf& leaf : star_.leaves) most = std::max(most, leaf.positions->padded_blocks);
        upper_.resize(most);
        message_.resize(static_cast<std::size_t>(leaves) * LANES);
        remaining_.resize(leaves + 1);
        supporters_.resize(leaves);
        processing_.resize(leaves);
        std::iota(processing_.begin(), processing_.end(), 0);
        for (const Leaf& leaf : star_.leaves) runs_.push_back(std::make_unique<RunBoxes>(leaf.positions->blocks, leaf.size()));
    }
    bool none_allowed() const { return star_.center().max() == -INF || !std::isfinite(rest_[0]); }
    double upper(int block) const { return bound_[block]; }

    // Bounds all blocks; returns those that may hold a center of at least `least` (finite), best first. Bounds of blocks
    // that no time is left for are coarse.
    const std::vector<int>& bound(double least) {
        const int leaves = size(), blocks = star_.positions.blocks;
        bound_.assign(blocks, -INF);
        leaf_bound_.resize(static_cast<std::size_t>(blocks) * leaves);
        std::vector<double> deficit(leaves, 0.0);
        for (int b = 0; b < blocks; ++b) {
            double bound = star_.center().block_max()[b];
            double* leaf_bound = leaf_bounds(b);
            int l = 0;
            if (deadline_.passed()) {
                for (; l < leaves; ++l) bound += leaf_bound[l] = star_.leaf(l).max();
                bound_[b] = bound;
                live_.push_back(b);
                continue;
            }
            for (; l < leaves && bound + rest_[l] >= least; ++l) {
                const Leaf& leaf = star_.leaves[l];
                double q_lo[MAX_COORDINATES], q_hi[MAX_COORDINATES];
                query_box(leaf, b, q_lo, q_hi);
                leaf_bound[l] = kernels_.box_upper[leaf.row()](leaf.size(), leaf.coordinates.data(), q_lo, q_hi,
                                                               star_.leaf(l).block_max(), leaf.positions->padded_blocks,
                                                               upper_.data());
                bound += leaf_bound[l];
            }
            if (l < leaves || bound < least || bound == -INF) continue;
            bound_[b] = bound;
            live_.push_back(b);
            for (l = 0; l < leaves; ++l) deficit[l] += star_.leaf(l).max() - leaf_bound[l];
        }
        std::stable_sort(live_.begin(), live_.end(), [&](int a, int b) { return bound_[a] > bound_[b]; });
        // Leaves that cost the most come first: they decide soonest.
        std::stable_sort(processing_.begin(), processing_.end(), [&](int a, int b) { return deficit[a] > deficit[b]; });
        return live_;
    }

    // Calls visit(center, score, message) for every LANES centers of an open block of which one may reach least():
    // their scores, below it if they cannot reach it, and for each leaf LANES messages, exact for those that can.
    // False if time was over before the end.
    template <class Least, class Visit>
    bool open(int b, const Least& least, const Visit& visit) {
        const int leaves = size();
        for (std::vector<Supporter>& own : supporters_) own.clear();
        remaining_[leaves] = 0;  // bounds of the leaves not yet processed
        for (int i = leaves - 1; i >= 0; --i) remaining_[i] = remaining_[i + 1] + leaf_bounds(b)[processing_[i]];
        for (int center = b * BLOCK; center < (b + 1) * BLOCK; center += LANES) {
            if (deadline_.passed()) return false;
            double reached[LANES], need[LANES];
            const double needed = least();
            std::copy_n(star_.center().value() + center, LANES, reached);
            const auto alive = [&](int processed) {
                return std::any_of(reached, reached + LANES, [&](double r) { return r + remaining_[processed] >= needed; });
            };
            bool reaches = alive(0);
            for (int i = 0; i < leaves && reaches; ++i) {
                const int l = processing_[i];
                const Leaf& leaf = star_.leaves[l];
                double* message = message_.data() + static_cast<std::size_t>(l) * LANES;
                const std::vector<Supporter>& supporters = supporters_[l];
                if (supporters.empty()) find_supporters(l, b, needed);
                for (int k = 0; k < LANES; ++k) need[k] = needed - reached[k] - remaining_[i + 1];
                kernels_.message[leaf.row()](leaf.size(), leaf.coordinates.data(), star_.leaf(l).value(),
                                             star_.leaf(l).block_max(), center, supporters.data(),
                                             static_cast<int>(supporters.size()), need, runs_[l]->runs(), message);
                for (int k = 0; k < LANES; ++k) reached[k] += message[k];
                reaches = alive(i + 1);
            }
            if (reaches) visit(center, reached, message_.data());
        }
        return true;
    }

  private:
    int size() const { return static_cast<int>(star_.leaves.size()); }
    double* leaf_bounds(int b) { return leaf_bound_.data() + static_cast<std::size_t>(b) * size(); }

    void query_box(const Leaf& leaf, int block, double* q_lo, double* q_hi) const {
        for (int c = 0; c < leaf.size(); ++c) {
            const Coordinate& k = leaf.coordinates[c];
            q_lo[c] = k.scale * k.base_lo[block] + k.shift;
            q_hi[c] = k.scale * k.base_hi[block] + k.shift;
        }
    }

    // Leaf blocks with which a center of block b may reach what is needed, if all other leaves reach their bounds.
    void find_supporters(int l, int b, double needed) {
        const Leaf& leaf = star_.leaves[l];
        std::vector<Supporter>& found = supporters_[l];
        double q_lo[MAX_COORDINATES], q_hi[MAX_COORDINATES];
        query_box(leaf, b, q_lo, q_hi);
        kernels_.box_upper[leaf.row()](leaf.size(), leaf.coordinates.data(), q_lo, q_hi, star_.leaf(l).block_max(),
                                       leaf.positions->padded_blocks, upper_.data());
        const double floor = needed - (bound_[b] - leaf_bounds(b)[l]);
        for (int c = 0; c < leaf.positions->blocks; ++c)
            if (upper_[c] >= floor && upper_[c] != -INF) found.push_back({upper_[c], c});
        std::sort(found.begin(), found.end(), [](const Supporter& a, const Supporter& c) { return a.upper > c.upper; });
    }

    const StarProblem& star_;
    const Kernels& kernels_;
    const Deadline& deadline_;
    std::vector<double> rest_;         // sum of the maxima of leaves l, l + 1, ...
    std::vector<double> bound_;        // of each block of centers
    std::vector<double> leaf_bound_;   // (blocks, L) of the messages
    std::vector<double> upper_, message_, remaining_;
    std::vector<int> live_, processing_;
    std::vector<std::unique_ptr<RunBoxes>> runs_;     // by leaf
    std::vector<std::vector<Supporter>> supporters_;  // of the open block, by leaf; none where not yet looked for
};

}  // namespace partgraph
