// Exact maximum, and n best, of a star: a center coupled with leaves by quadratics.
//
//     S(v, k_1..k_L) = u(v) + sum_l  u_l(k_l) - sum_c w_c (q_c(v) - y_c(k_l))^2
//
// Given the center's candidate v the leaves are independent: S(v) = u(v) + sum_l m_l(v) with the messages m_l of
// kernels.h. First incumbents come from moving the center and its leaves in turn; centers that may surpass them come
// from centers.h; configurations of one center are enumerated in the order of their scores.
#pragma once

#include <queue>

#include "centers.h"
#include "choices.h"
#include "margin.h"
#include "pool.h"

namespace partgraph {

struct Outcome {
    std::vector<Configuration> found;  // best first: the n best, then near ties
    double upper_bound = INF;
    bool proven = false;
    long blocks_opened = 0, centers_visited = 0;
};

class Search {
  public:
    Search(const StarProblem& star, int n_best, const Deadline& deadline)
        : star_(star),
          kernels_(star.kernels),
          centers_(star, deadline),
          margin_(star),
          pool_(n_best),
          upper_(size()),
          choices_(size()) {
        for (int l = 0; l < size(); ++l) upper_[l].resize(star_.leaves[l].positions->padded_blocks);
    }

    // Opens at most max_blocks blocks of the center (negative: no limit), and none when time is over.
    Outcome run(long max_blocks) {
        Outcome outcome;
        if (centers_.none_allowed()) {
            outcome.upper_bound = -INF;
            outcome.proven = true;
            return outcome;
        }
        seed();
        double pending = -INF;
        for (int b : centers_.bound(cut())) {
            if (centers_.upper(b) < cut()) break;
            if (max_blocks >= 0 && outcome.blocks_opened >= max_blocks) {
                pending = centers_.upper(b);
                break;
            }
            if (!open(b)) {
                pending = centers_.upper(b);
                break;
            }
            ++outcome.blocks_opened;
        }
        outcome.proven = pending == -INF;
        outcome.upper_bound = outcome.proven ? pool_.best() : std::max(pending, pool_.best()) + margin_.at(pool_.best());
        outcome.centers_visited = visited_;
        pool_.drop_below(cut());
        outcome.found = pool_.found();
        return outcome;
    }

  private:
    int size() const { return static_cast<int>(star_.leaves.size()); }

    // What a center must reach to be looked at. Finite, so that differences of bounds never become inf - inf.
    double cut() const {
        const double nth = pool_.nth();
        return nth == -INF ? -std::numeric_limits<double>::max() : nth - margin_.at(nth);
    }

    // First incumbents: the center's best candidate, then the center and its leaves in turn.
    void seed() {
        const double* value = star_.center().value();
        int center = static_cast<int>(std::max_element(value, value + star_.positions.padded) - value);
        std::vector<int32_t> labels(size() + 1);
        for (int round = 0; round < 3; ++round) {
            if (std::find(seeds_.begin(), seeds_.end(), center) != seeds_.end()) break;
            seeds_.push_back(center);
            visit(center, nullptr);
            if (pool_.found().empty() || size() == 0) break;
            for (int l = 0; l < size(); ++l) labels[star_.leaves[l].slot] = choices_[l][0].label;
            const auto best = best_centers(kernels_, star_.positions, star_.center(), star_.leaves, labels.data(), 1);
            if (best.empty()) break;
            center = best[0].index;
        }
    }

    bool open(int b) {
        return centers_.open(
            b, [&] { return cut(); },
            [&](int center, const double* score, const double* message) {
                for (int k = 0; k < LANES; ++k)
                    if (score[k] >= cut() && std::find(seeds_.begin(), seeds_.end(), center + k) == seeds_.end())
                        visit(center + k, message + k);
            });
    }

    void query(const Leaf& leaf, int center) {
        for (int c = 0; c < leaf.size(); ++c) {
            const Coordinate& k = leaf.coordinates[c];
            query_[c] = k.scale * k.base[center] + k.shift;
        }
    }
    void bound_leaf(int l, int center) {
        const Leaf& leaf = star_.leaves[l];
        query(leaf, center);
        kernels_.box_upper[leaf.row()](leaf.size(), leaf.coordinates.data(), query_, query_, star_.leaf(l).block_max(),
                                       leaf.positions->padded_blocks, upper_[l].data());
    }
    auto values_of_leaf(int l) const {
        return [this, l](int block, double* value) {
            const Leaf& leaf = star_.leaves[l];
            kernels_.leaf_values[leaf.row()](leaf.size(), leaf.coordinates.data(), star_.leaf(l).value(), query_, block, value);
        };
    }

    // Adds the configurations of one center that can enter the pool. message: of every leaf, LANES apart, if known.
    void visit(int center, const double* message) {
        ++visited_;
        const int leaves = size();
        std::vector<double> most(leaves);
        double total = star_.center().value()[center];
        for (int l = 0; l < leaves; ++l) {
            bound_leaf(l, center);
            most[l] = message ? message[l * LANES]
                              : best_choice(upper_[l].data(), *star_.leaves[l].positions, values_of_leaf(l)).value;
            total += most[l];
        }
        const double least = pool_.n_best() == 1 ? std::max(cut(), total - margin_.at(total)) : cut();
        if (total < least) return;
        const double slack = total - least + margin_.at(total);
        for (int l = 0; l < leaves; ++l) {
            query(star_.leaves[l], center);
            best_choices_.collect(upper_[l].data(), *star_.leaves[l].positions, most[l] - slack, pool_.capacity(),
                                  values_of_leaf(l), choices_[l]);
        }
        enumerate(center);
    }

    // Which of its choices each leaf takes; children of a node change one of the leaves from `last` on.
    struct Node {
        double value;
        std::vector<int> rank;
        int last;
    };
    double value_of(int center, const std::vector<int>& rank) const {
        double value = star_.center().value()[center];
        for (int l = 0; l < size(); ++l) value += choices_[l][rank[l]].value;
        return value;
    }
    Configuration configuration(int center, const Node& node) const {
        Configuration made{node.value, std::vector<int32_t>(size() + 1)};
        made.labels[star_.slot] = star_.positions.order[center];
        for (int l = 0; l < size(); ++l) made.labels[star_.leaves[l].slot] = choices_[l][node.rank[l]].label;
        return made;
    }

    // The configurations of one center from the leaves' choices, in order, as long as they can enter the pool (Lawler,
    // 1972).
    void enumerate(int center) {
        const auto later = [&](const Node& a, const Node& b) {
            if (a.value != b.value) return a.value < b.value;
            return configuration(center, b).labels < configuration(center, a).labels;
        };
        std::priority_queue<Node, std::vector<Node>, decltype(later)> queue(later);
        std::vector<int> rank(size(), 0);
        queue.push({value_of(center, rank), rank, 0});
        for (int popped = 0; !queue.empty() && popped < pool_.capacity(); ++popped) {
            const Node node = queue.top();
            queue.pop();
            if (node.value < cut()) break;
            rank = node.rank;
            for (int l = node.last; l < size(); ++l) {
                if (rank[l] + 1 == static_cast<int>(choices_[l].size())) continue;
                ++rank[l];
                const double value = value_of(center, rank);
                if (value >= cut()) queue.push({value, rank, l});
                --rank[l];
            }
            pool_.insert(configuration(center, node));
        }
    }

    const StarProblem& star_;
    const Kernels& kernels_;
    Centers centers_;
    Margin margin_;
    Pool pool_;
    long visited_ = 0;
    std::vector<int> seeds_;
    double query_[MAX_COORDINATES] = {};
    std::vector<std::vector<double>> upper_;    // by leaf and block, for the center visited
    std::vector<std::vector<Choice>> choices_;  // by leaf, best first
    BestChoices best_choices_;
};

}  // namespace partgraph
