// Max-marginals of a star: how high a configuration with a given candidate can score.
//
// Of the center they are sums of messages. The best configuration with candidate k of leaf l is the best over centers v
//     max_v  [ sum of everything at v but leaf l ]  +  score_k - sum_c w_c (q_c(v) - y_c(k))^2,
// so centers that reach the threshold raise the marginals of all candidates in leaf blocks that may reach it with them.
#pragma once

#include "centers.h"
#include "margin.h"

namespace partgraph {

// Labels of one part, ascending, and their values.
struct Marginals {
    std::vector<int32_t> labels;
    std::vector<double> values;
};

class MaxMarginals {
  public:
    MaxMarginals(const StarProblem& star, const Deadline& deadline)
        : star_(star), deadline_(deadline), centers_(star, deadline), margin_(star) {}

    // For every part (the center, then the leaves) the labels that are in some configuration of at least this value,
    // each with the value of the best such configuration. Some that miss it by rounding may be among them. Nothing at all
    // if time was over before the end.
    std::vector<Marginals> above(double threshold) {
        const int leaves = static_cast<int>(star_.leaves.size());
        std::vector<Marginals> found(leaves + 1);
        if (centers_.none_allowed()) return found;
        least_ = threshold == -INF ? -std::numeric_limits<double>::max() : threshold - margin_.at(threshold);
        std::vector<Rows> rows;
        rows.emplace_back(star_.positions);
        for (const Leaf& leaf : star_.leaves) rows.emplace_back(*leaf.positions);
        others_.resize(leaves);
        for (int b : centers_.bound(least_)) {
            survivors_.clear();
            for (std::vector<double>& own : others_) own.clear();
            const bool complete = centers_.open(
                b, [&] { return least_; },
                [&](int center, const double* score, const double* message) {
                    for (int k = 0; k < LANES; ++k)
                        if (score[k] >= least_) survive(center + k, score[k], message + k, rows[0]);
                });
            if (!complete) return {};
            for (int l = 0; l < leaves && !survivors_.empty(); ++l) {
                if (deadline_.passed()) return {};
                raise(l, rows[l + 1]);
            }
        }
        for (int i = 0; i <= leaves; ++i) rows[i].above(least_, found[i]);
        return found;
    }

  private:
    // Values of one part, for the blocks in which any was raised.
    class Rows {
      public:
        explicit Rows(const Blocks& part) : part_(part), place_(part.blocks, -1) {}

        // The BLOCK values of a block. Pointers from before are void after reserve().
        double* of(int block) {
            if (place_[block] < 0) {
                place_[block] = static_cast<int>(value_.size());
                value_.resize(value_.size() + BLOCK, -INF);
            }
            return value_.data() + place_[block];
        }
        void above(double least, Marginals& found) const {
            std::vector<uint64_t> reached(part_.blocks);  // a bit for each label
            const std::unique_ptr<double[]> value(new double[part_.padded]);  // set where the bit is
            for (int b = 0; b < part_.blocks; ++b)
                for (int k = 0; place_[b] >= 0 && k < BLOCK; ++k)
                    if (value_[place_[b] + k] >= least) {
                        const int32_t label = part_.order[b * BLOCK + k];
                        value[label] = value_[place_[b] + k];
                        reached[label / BLOCK] |= uint64_t{1} << label % BLOCK;
                    }
            for (int word = 0; word < part_.blocks; ++word)
                for (int bit = 0; reached[word] && bit < BLOCK; ++bit)
                    if (reached[word] >> bit & 1) {
                        found.labels.push_back(word * BLOCK + bit);
                        found.values.push_back(value[word * BLOCK + bit]);
                    }
        }

      private:
        const Blocks& part_;
        std::vector<int> place_;
        std::vector<double> value_;
    };

    // Notes a center, and what its configurations score without each of the leaves: sums, never differences.
    void survive(int center, double score, const double* message, Rows& rows) {
        rows.of(center / BLOCK)[center % BLOCK] = score;
        survivors_.push_back(center);
        const int leaves = static_cast<int>(star_.leaves.size());
        double before = star_.center().value()[center], after = 0;
        for (int l = 0; l < leaves; ++l) {
            others_[l].push_back(before);
            before += message[l * LANES];
        }
        for (int l = leaves - 1; l >= 0; --l) {
            others_[l].back() += after;
            after += message[l * LANES];
        }
    }

    // Raises the marginals of leaf l by configurations of the survivors, LANES of them at once.
    void raise(int l, Rows& rows) {
        const Leaf& leaf = star_.leaves[l];
        const Scores& scores = star_.leaf(l);
        const int n = leaf.size(), padded = round_up(static_cast<int>(survivors_.size()), LANES);
        std::vector<double>& others = others_[l];
        double q_lo[MAX_COORDINATES], q_hi[MAX_COORDINATES];
        query_.resize(static_cast<std::size_t>(n) * padded);
        for (int c = 0; c < n; ++c) {
            const Coordinate& k = leaf.coordinates[c];
            double* q = query_.data() + static_cast<std::size_t>(c) * padded;
            for (int s = 0; s < padded; ++s)
                q[s] = k.scale * k.base[survivors_[std::min<std::size_t>(s, survivors_.size() - 1)]] + k.shift;
            q_lo[c] = *std::min_element(q, q + padded);
            q_hi[c] = *std::max_element(q, q + padded);
        }
        const double most = *std::max_element(others.begin(), others.end());
        others.resize(padded, -INF);
        upper_.resize(leaf.positions->padded_blocks);
        star_.kernels.box_upper[leaf.row()](n, leaf.coordinates.data(), q_lo, q_hi, scores.block_max(),
                                            leaf.positions->padded_blocks, upper_.data());
        for (int b = 0; b < leaf.positions->blocks; ++b)
            if (upper_[b] + most >= least_)
                star_.kernels.raise[leaf.row()](n, leaf.coordinates.data(), scores.value(), scores.block_max(), b,
                                                query_.data(), others.data(), padded, least_, rows.of(b));
    }

    const StarProblem& star_;
    const Deadline& deadline_;
    Centers centers_;
    Margin margin_;
    double least_ = 0;
    std::vector<int> survivors_;               // centers of the open block
    std::vector<std::vector<double>> others_;  // by leaf: what each survivor scores without it
    std::vector<double> query_, upper_;
};

inline std::vector<Marginals> max_marginals(const StarProblem& star, double threshold, const Deadline& deadline) {
    return MaxMarginals(star, deadline).above(threshold);
}

}  // namespace partgraph
