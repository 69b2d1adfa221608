// Max-marginals of a star: how high a configuration with a given candidate can score.
//
// Of the center they are sums of messages. The best configuration with candidate k of leaf l is
//     score_k + max_v  [ sum of everything at v but leaf l ] - sum_c w_c (q_c(v) - y_c(k))^2,
// a message as well, from centers to the leaf. Only centers that reach the threshold matter to it; they are put into
// blocks of their own.
#pragma once

#include "centers.h"
#include "margin.h"
#include "sources.h"

namespace partgraph {

// Labels of one part, ascending, and their values.
struct Marginals {
    std::vector<int32_t> labels;
    std::vector<double> values;
};

class MaxMarginals {
  public:
    MaxMarginals(const StarProblem& star, const Deadline& deadline)
        : star_(star), deadline_(deadline), centers_(star, deadline), margin_(star), message_(star.leaves.size()) {}

    // For every part (the center, then the leaves) the labels that are in some configuration of at least this value,
    // each with the value of the best such configuration. Some that miss it by rounding may be among them. Nothing at all
    // if time was over before the end.
    std::vector<Marginals> above(double threshold) {
        const int leaves = static_cast<int>(star_.leaves.size());
        std::vector<Marginals> found(leaves + 1);
        if (centers_.none_allowed()) return found;
        least_ = threshold == -INF ? -std::numeric_limits<double>::max() : threshold - margin_.at(threshold);
        value_.assign(star_.positions.padded, -INF);
        for (int b : centers_.bound(least_)) {
            const bool complete = centers_.open(
                b, [&] { return least_; },
                [&](int center, const double* score, const double* message) {
                    for (int k = 0; k < LANES; ++k)
                        if (score[k] >= least_) note(center + k, score[k], message + k);
                });
            if (!complete) return {};
        }
        found[0] = reached(star_.positions);
        if (survivors_.empty()) return found;
        sum_up();
        for (int l = 0; l < leaves; ++l) {
            if (!send(l)) return {};
            found[l + 1] = reached(*star_.leaves[l].positions);
        }
        return found;
    }

  private:
    void note(int center, double score, const double* message) {
        value_[center] = score;
        survivors_.push_back(center);
        for (std::size_t l = 0; l < message_.size(); ++l) message_[l].push_back(message[l * LANES]);
    }

    // Puts in the place of every message what its center's configurations score without that leaf: sums, never
    // differences. In the center's order, in which blocks are close together.
    void sum_up() {
        const std::size_t count = survivors_.size();
        std::vector<int> place(count);
        std::iota(place.begin(), place.end(), 0);
        std::sort(place.begin(), place.end(), [&](int a, int b) { return survivors_[a] < survivors_[b]; });
        const auto sort = [&](auto& values) {
            auto sorted = values;
            for (std::size_t s = 0; s < count; ++s) sorted[s] = values[place[s]];
            values.swap(sorted);
        };
        sort(survivors_);
        for (std::vector<double>& own : message_) sort(own);
        std::vector<double> before(count), after(count, 0.0);
        for (std::size_t s = 0; s < count; ++s) before[s] = star_.center().value()[survivors_[s]];
        std::vector<std::vector<double>> others(message_.size(), before);
        for (std::size_t l = 0; l + 1 < message_.size(); ++l)
            for (std::size_t s = 0; s < count; ++s) others[l + 1][s] = others[l][s] + message_[l][s];
        for (std::size_t l = message_.size(); l-- > 0;)
            for (std::size_t s = 0; s < count; ++s) {
                others[l][s] += after[s];
                after[s] += message_[l][s];
            }
        message_.swap(others);
    }

    // The values of leaf l, in its order. False if time was over before the end.
    bool send(int l) {
        const Leaf& leaf = star_.leaves[l];
        const Blocks& part = *leaf.positions;
        const Scores& scores = star_.leaf(l);
        Sources sources(leaf, survivors_, message_[l]);
        const int n = leaf.size();
        const Coordinate* coordinates = sources.coordinates();
        value_.assign(part.padded, -INF);
        upper_.resize(sources.padded_blocks());
        for (int b = 0; b < part.blocks; ++b) {
            if (deadline_.passed()) return false;
            double lo[MAX_COORDINATES], hi[MAX_COORDINATES], need[LANES];
            for (int c = 0; c < n; ++c) {
                lo[c] = coordinates[c].base_lo[b];
                hi[c] = coordinates[c].base_hi[b];
            }
            const double floor = least_ - scores.block_max()[b];
            if (floor == INF) continue;
            const double most = star_.kernels.box_upper[leaf.row()](n, coordinates, lo, hi, sources.block_max(),
                                                                    sources.padded_blocks(), upper_.data());
            if (most < floor) continue;
            supporters_.clear();
            for (int source = 0; source < sources.blocks(); ++source)
                if (upper_[source] >= floor) supporters_.push_back({upper_[source], source});
            std::sort(supporters_.begin(), supporters_.end(),
                      [](const Supporter& a, const Supporter& c) { return a.upper > c.upper; });
            for (int k = b * BLOCK; k < (b + 1) * BLOCK; k += LANES) {
                const double* score = scores.value() + k;
                for (int lane = 0; lane < LANES; ++lane) need[lane] = least_ - score[lane];
                star_.kernels.message[leaf.row()](n, coordinates, sources.score(), sources.block_max(), k, supporters_.data(),
                                                  static_cast<int>(supporters_.size()), need, sources.runs(), value_.data() + k);
                for (int lane = 0; lane < LANES; ++lane) value_[k + lane] += score[lane];
            }
        }
        return true;
    }

    // The labels of a part with a value of at least `least_`.
    Marginals reached(const Blocks& part) const {
        Marginals found;
        std::vector<uint64_t> is_reached(part.blocks);  // a bit for each label
        std::vector<double> value(part.padded);         // by label
        for (int k = 0; k < part.points.count; ++k)
            if (value_[k] >= least_) {
                const int32_t label = part.order[k];
                value[label] = value_[k];
                is_reached[label / BLOCK] |= uint64_t{1} << label % BLOCK;
            }
        for (int word = 0; word < part.blocks; ++word)
            for (int bit = 0; is_reached[word] && bit < BLOCK; ++bit)
                if (is_reached[word] >> bit & 1) {
                    found.labels.push_back(word * BLOCK + bit);
                    found.values.push_back(value[word * BLOCK + bit]);
                }
        return found;
    }

    const StarProblem& star_;
    const Deadline& deadline_;
    Centers centers_;
    Margin margin_;
    double least_ = 0;
    std::vector<int> survivors_;                // centers
    std::vector<std::vector<double>> message_;  // by leaf: to each survivor; then what it scores without the leaf
    std::vector<double> value_, upper_;
    std::vector<Supporter> supporters_;
};

inline std::vector<Marginals> max_marginals(const StarProblem& star, double threshold, const Deadline& deadline) {
    return MaxMarginals(star, deadline).above(threshold);
}

}  // namespace partgraph
