// Exact maximum, and n best, of a star: a center coupled with leaves by quadratics.
//
//     S(v, k_1..k_L) = u(v) + sum_l  u_l(k_l) - sum_c w_c (q_c(v) - y_c(k_l))^2
//
// Given the center's candidate v the leaves are independent: S(v) = u(v) + sum_l m_l(v) with the messages m_l of
// kernels.h. The search bounds m_l over whole blocks of centers, opens blocks in the order of their bound, and
// replaces bounds by exact messages one leaf at a time until eight centers at once fall below the incumbent.
#pragma once

#include <numeric>
#include <queue>

#include "pool.h"
#include "problem.h"

namespace partgraph {

struct Outcome {
    std::vector<Configuration> found;  // best first: the n best, then near ties
    double upper_bound = INF;
    bool proven = false;
    long blocks_opened = 0, centers_visited = 0;
};

// Best value and index over blocks with the given bounds; ties go to the lowest label.
template <class Values>
std::pair<double, int> best_in_blocks(const double* upper, int blocks, const int32_t* order, const Values& values) {
    const int first = static_cast<int>(std::max_element(upper, upper + blocks) - upper);
    double best = -INF, value[BLOCK];
    int arg = -1;
    const auto look = [&](int b) {
        values(b, value);
        for (int k = 0; k < BLOCK; ++k) {
            if (value[k] < best || value[k] == -INF) continue;
            const int index = b * BLOCK + k;
            if (value[k] > best || order[index] < order[arg]) {
                best = value[k];
                arg = index;
            }
        }
    };
    look(first);
    for (int b = 0; b < blocks; ++b)
        if (b != first && upper[b] >= best) look(b);
    return {best, arg};
}

struct Choice {
    double value;
    int32_t label;
};
inline bool before(const Choice& a, const Choice& b) { return a.value != b.value ? a.value > b.value : a.label < b.label; }

// The best choices of a part, at most `capacity` and none below `least`, best first. Blocks are looked at in the order
// of their bounds `upper`; values(block, out) gives the values of one.
template <class Values>
void best_choices(const std::vector<double>& upper, int blocks, const int32_t* order, double least, std::size_t capacity,
                  const Values& values, std::vector<Choice>& choices) {
    std::vector<int> sequence;
    for (int b = 0; b < blocks; ++b)
        if (upper[b] >= least && upper[b] != -INF) sequence.push_back(b);
    std::sort(sequence.begin(), sequence.end(), [&](int a, int b) { return upper[a] > upper[b]; });
    choices.clear();
    double value[BLOCK];
    for (int b : sequence) {
        if (upper[b] < least) break;
        values(b, value);
        for (int k = 0; k < BLOCK; ++k)
            if (value[k] >= least && value[k] != -INF) choices.push_back({value[k], order[b * BLOCK + k]});
        if (choices.size() > capacity) {
            std::nth_element(choices.begin(), choices.begin() + capacity - 1, choices.end(), before);
            choices.resize(capacity);
            least = std::max(least, std::min_element(choices.begin(), choices.end(), [](const Choice& a, const Choice& b) {
                                        return a.value < b.value;
                                    })->value);
        }
    }
    std::sort(choices.begin(), choices.end(), before);
}

// The best center candidates while every leaf keeps its label (labels by slot), with their values but for the leaves'
// own scores.
inline std::vector<Choice> best_centers(const Kernels& kernels, const Blocks& positions, const int32_t* order,
                                        const Scores& scores, const std::vector<Leaf>& leaves, const int32_t* labels,
                                        int capacity) {
    std::vector<Coordinate> coordinates;
    std::vector<double> point, upper(positions.padded_blocks);
    for (const Leaf& leaf : leaves)
        for (const Coordinate& c : leaf.coordinates) {
            coordinates.push_back(c);
            point.push_back(c.point[leaf.positions->rank[labels[leaf.slot]]]);
        }
    const int count = static_cast<int>(coordinates.size());
    kernels.center_upper(count, coordinates.data(), point.data(), scores.block_max.data(), positions.padded_blocks,
                         upper.data());
    const auto values = [&](int block, double* value) {
        kernels.center_values(count, coordinates.data(), point.data(), scores.value.data(), block, value);
    };
    std::vector<Choice> choices;
    best_choices(upper, positions.blocks, order, -INF, capacity, values, choices);
    return choices;
}

struct Marginals {
    std::vector<int32_t> labels;
    std::vector<double> values;
};

class Search {
  public:
    Search(const StarProblem& star, int n_best) : star_(star), kernels_(star.kernels), pool_(n_best) {
        const int leaves = size();
        rest_.assign(leaves + 1, 0.0);
        for (int l = leaves - 1; l >= 0; --l) rest_[l] = rest_[l + 1] + star_.leaf(l).max;
        int most = 0;
        for (const Leaf& leaf : star_.leaves) most = std::max(most, leaf.positions->padded_blocks);
        upper_.resize(std::max(most, star_.positions.padded_blocks));
        processing_.resize(leaves);
        std::iota(processing_.begin(), processing_.end(), 0);
        set_margin();
    }

    // Opens at most max_blocks blocks of the center (negative: no limit).
    Outcome run(long max_blocks) {
        Outcome outcome;
        if (star_.center().max == -INF || !std::isfinite(rest_[0])) {  // nothing is allowed
            outcome.upper_bound = -INF;
            outcome.proven = true;
            return outcome;
        }
        seed();
        bound_blocks();
        double pending = -INF;
        for (int b : live_) {
            if (bound_[b] < cut()) break;
            if (max_blocks >= 0 && outcome.blocks_opened >= max_blocks) {
                pending = bound_[b];
                break;
            }
            ++outcome.blocks_opened;
            open(b);
        }
        outcome.proven = pending == -INF;
        outcome.upper_bound = outcome.proven ? pool_.best() : std::max(pending, pool_.best()) + margin(pool_.best());
        outcome.centers_visited = static_cast<long>(visited_.size());
        pool_.drop_below(cut());
        outcome.found = pool_.found();
        return outcome;
    }

    // For every part (the center, then the leaves) the labels that are in some configuration of at least this value, each
    // with the value of the best such configuration (its max-marginal).
    std::vector<Marginals> marginals(double threshold) {
        std::vector<Marginals> found(size() + 1);
        if (star_.center().max == -INF || !std::isfinite(rest_[0])) return found;
        threshold_ = threshold == -INF ? -std::numeric_limits<double>::max() : threshold - margin(threshold);
        bound_blocks();
        for (int b : live_) open(b);
        std::vector<std::vector<double>> best(size() + 1);
        best[0].assign(star_.positions.padded, -INF);
        for (int l = 0; l < size(); ++l) best[l + 1].assign(star_.leaves[l].positions->padded, -INF);
        for (int center : visited_) raise_marginals(center, best);
        for (int i = 0; i <= size(); ++i) {
            const Blocks& positions = i ? *star_.leaves[i - 1].positions : star_.positions;
            for (int label = 0; label < positions.count; ++label) {
                const double value = best[i][positions.rank[label]];
                if (value == -INF) continue;
                found[i].labels.push_back(label);
                found[i].values.push_back(value);
            }
        }
        return found;
    }

  private:
    int size() const { return static_cast<int>(star_.leaves.size()); }

    // -- rounding ----------------------------------------------------------------------------------------------------
    // Let u = 2^-53. With the incumbent T and G = |T| + sum of |unary maxima|, every summand of a configuration that
    // scores at least T lies within 2 G, so n summands, in whatever order, carry an error of at most 2 n^2 G u.
    // A squared difference with weight w and coordinates rounded by at most delta <= 4 u (|q| + |y|) errs by
    // 2 w |d| delta <= 2 sqrt(w 2 G) sqrt(w) delta, plus w delta^2. The margin is four such errors: of two
    // configurations, each in the arithmetic of this file and in that of the problem.
    void set_margin() {
        summands_ = 2.0 * size() + 2;
        reach_ = reach_squared_ = 0;
        unary_ = std::fabs(star_.center().max);
        for (int l = 0; l < size(); ++l) {
            const Leaf& leaf = star_.leaves[l];
            summands_ += leaf.size();
            reach_ += leaf.reach;
            reach_squared_ += leaf.reach * leaf.reach;
            unary_ += std::fabs(star_.leaf(l).max);
        }
    }
    double margin(double threshold) const {
        constexpr double u = 1.1102230246251565e-16;
        const double g = std::fabs(threshold) + unary_ + star_.magnitude();
        return 4 * u * (2 * summands_ * summands_ * g + 8 * std::sqrt(2 * g) * reach_ + 16 * u * reach_squared_);
    }
    // What a center must reach to be looked at. Finite, so that differences of bounds never become inf - inf.
    double cut() const {
        if (threshold_ != -INF) return threshold_;
        const double nth = pool_.nth();
        return nth == -INF ? -std::numeric_limits<double>::max() : nth - margin(nth);
    }

    // -- one center ----------------------------------------------------------------------------------------------------
    void query(const Leaf& leaf, int center, double* q) const {
        for (int c = 0; c < leaf.size(); ++c) {
            const Coordinate& k = leaf.coordinates[c];
            q[c] = k.scale * k.base[center] + k.shift;
        }
    }

    std::pair<double, int> best_of_leaf(int l, const double* q) {
        const Leaf& leaf = star_.leaves[l];
        const Scores& scores = star_.leaf(l);
        kernels_.box_upper[leaf.row()](leaf.size(), leaf.coordinates.data(), q, q, scores.block_max.data(),
                                       leaf.positions->padded_blocks, upper_.data());
        const auto values = [&](int block, double* value) {
            kernels_.leaf_values[leaf.row()](leaf.size(), leaf.coordinates.data(), scores.value.data(), q, block, value);
        };
        return best_in_blocks(upper_.data(), leaf.positions->blocks, leaf.order, values);
    }

    // The best candidates of a leaf at q, down to `least`, at most the pool's capacity, best first.
    void collect(int l, const double* q, double least, std::vector<Choice>& choices) {
        const Leaf& leaf = star_.leaves[l];
        const Scores& scores = star_.leaf(l);
        kernels_.box_upper[leaf.row()](leaf.size(), leaf.coordinates.data(), q, q, scores.block_max.data(),
                                       leaf.positions->padded_blocks, upper_.data());
        const auto values = [&](int block, double* value) {
            kernels_.leaf_values[leaf.row()](leaf.size(), leaf.coordinates.data(), scores.value.data(), q, block, value);
        };
        best_choices(upper_, leaf.positions->blocks, leaf.order, least, pool_.capacity(), values, choices);
    }

    // Raises the marginals of this center, and of the leaves' candidates, by configurations of this center with the
    // best choice of all leaves but one.
    void raise_marginals(int center, std::vector<std::vector<double>>& best) {
        double q[MAX_COORDINATES], value[BLOCK];
        std::vector<double> most(size());
        double total = star_.center().value[center];
        for (int l = 0; l < size(); ++l) {
            query(star_.leaves[l], center, q);
            most[l] = best_of_leaf(l, q).first;
            total += most[l];
        }
        best[0][center] = total;
        for (int l = 0; l < size(); ++l) {
            const Leaf& leaf = star_.leaves[l];
            const Scores& scores = star_.leaf(l);
            const double others = total - most[l];
            query(leaf, center, q);
            kernels_.box_upper[leaf.row()](leaf.size(), leaf.coordinates.data(), q, q, scores.block_max.data(),
                                           leaf.positions->padded_blocks, upper_.data());
            for (int b = 0; b < leaf.positions->blocks; ++b) {
                if (upper_[b] + others < threshold_) continue;
                kernels_.leaf_values[leaf.row()](leaf.size(), leaf.coordinates.data(), scores.value.data(), q, b, value);
                for (int k = 0; k < BLOCK; ++k)
                    if (value[k] + others >= threshold_)
                        best[l + 1][b * BLOCK + k] = std::max(best[l + 1][b * BLOCK + k], value[k] + others);
            }
        }
    }

    // Enumerates the configurations of one center that can enter the pool, in order of value (Lawler, 1972).
    void visit(int center) {
        if (std::find(visited_.begin(), visited_.end(), center) != visited_.end()) return;
        const double own = star_.center().value[center];
        if (own == -INF) return;
        visited_.push_back(center);
        const int leaves = size();
        double q[MAX_COORDINATES];
        last_visited_.assign(leaves + 1, 0);
        std::vector<double> most(leaves);
        double total = own;
        for (int l = 0; l < leaves; ++l) {
            query(star_.leaves[l], center, q);
            const auto [value, index] = best_of_leaf(l, q);
            if (index < 0) return;
            most[l] = value;
            last_visited_[star_.leaves[l].slot] = star_.leaves[l].order[index];
            total += value;
        }
        const bool single = pool_.n_best() == 1;
        const double least = single ? std::max(cut(), total - margin(total)) : cut();
        if (total < least) return;
        const double slack = total - least + margin(total);
        choices_.resize(leaves);
        for (int l = 0; l < leaves; ++l) {
            query(star_.leaves[l], center, q);
            collect(l, q, most[l] - slack, choices_[l]);
        }

        struct Node {
            Configuration configuration;
            std::vector<int> rank;
            int last;
        };
        const auto make = [&](std::vector<int> rank, int last) {
            Node node{{own, std::vector<int32_t>(leaves + 1)}, std::move(rank), last};
            node.configuration.labels[star_.slot] = star_.order[center];
            for (int l = 0; l < leaves; ++l) {
                const Choice& choice = choices_[l][node.rank[l]];
                node.configuration.value += choice.value;
                node.configuration.labels[star_.leaves[l].slot] = choice.label;
            }
            return node;
        };
        const auto later = [](const Node& a, const Node& b) { return better(b.configuration, a.configuration); };
        std::priority_queue<Node, std::vector<Node>, decltype(later)> queue(later);
        queue.push(make(std::vector<int>(leaves, 0), 0));
        for (int popped = 0; !queue.empty() && popped < pool_.capacity(); ++popped) {
            Node node = queue.top();
            queue.pop();
            if (node.configuration.value < cut()) break;
            for (int l = node.last; l < leaves; ++l)
                if (node.rank[l] + 1 < static_cast<int>(choices_[l].size())) {
                    std::vector<int> rank = node.rank;
                    ++rank[l];
                    Node child = make(std::move(rank), l);
                    if (child.configuration.value >= cut()) queue.push(std::move(child));
                }
            pool_.insert(std::move(node.configuration));
        }
    }

    // First incumbents: the center's best candidate, then the center and its leaves in turn.
    void seed() {
        const auto& value = star_.center().value;
        int center = static_cast<int>(std::max_element(value.begin(), value.end()) - value.begin());
        for (int round = 0; round < 3; ++round) {
            const std::size_t before = visited_.size();
            visit(center);
            if (visited_.size() == before || pool_.found().empty() || size() == 0) break;
            const auto best = best_centers(kernels_, star_.positions, star_.order, star_.center(), star_.leaves,
                                           last_visited_.data(), 1);
            if (best.empty()) break;
            center = star_.positions.rank[best[0].label];
        }
    }

    // -- blocks of centers ---------------------------------------------------------------------------------------------
    void query_box(const Leaf& leaf, int block, double* q_lo, double* q_hi) const {
        for (int c = 0; c < leaf.size(); ++c) {
            const Coordinate& k = leaf.coordinates[c];
            q_lo[c] = k.scale * k.base_lo[block] + k.shift;
            q_hi[c] = k.scale * k.base_hi[block] + k.shift;
        }
    }

    void bound_blocks() {
        const int leaves = size();
        bound_.assign(star_.positions.blocks, -INF);
        leaf_bound_.assign(static_cast<std::size_t>(star_.positions.blocks) * leaves, 0.0);
        std::vector<double> deficit(leaves, 0.0);
        const double least = cut();
        for (int b = 0; b < star_.positions.blocks; ++b) {
            double bound = star_.center().block_max[b];
            int l = 0;
            for (; l < leaves && bound + rest_[l] >= least; ++l) {
                const Leaf& leaf = star_.leaves[l];
                double q_lo[MAX_COORDINATES], q_hi[MAX_COORDINATES];
                query_box(leaf, b, q_lo, q_hi);
                const double message = kernels_.box_upper[leaf.row()](leaf.size(), leaf.coordinates.data(), q_lo, q_hi,
                                                                      star_.leaf(l).block_max.data(), leaf.positions->padded_blocks,
                                                                      upper_.data());
                leaf_bound_[static_cast<std::size_t>(b) * leaves + l] = message;
                bound += message;
            }
            if (l < leaves || bound < least || bound == -INF) continue;
            bound_[b] = bound;
            live_.push_back(b);
            for (l = 0; l < leaves; ++l)
                deficit[l] += star_.leaf(l).max - leaf_bound_[static_cast<std::size_t>(b) * leaves + l];
        }
        std::stable_sort(live_.begin(), live_.end(), [&](int a, int b) { return bound_[a] > bound_[b]; });
        // Leaves that cost the most come first: they decide soonest.
        std::stable_sort(processing_.begin(), processing_.end(), [&](int a, int b) { return deficit[a] > deficit[b]; });
    }

    // Leaf blocks that can hold the best answer to some center of block b, in order of their bound.
    struct Supporters {
        bool known = false;
        std::vector<int> block;
        std::vector<double> upper;  // by leaf block
    };
    void find_supporters(int l, int b, Supporters& supporters) {
        const Leaf& leaf = star_.leaves[l];
        double q_lo[MAX_COORDINATES], q_hi[MAX_COORDINATES];
        query_box(leaf, b, q_lo, q_hi);
        supporters.upper.resize(leaf.positions->padded_blocks);
        const double* block_max = star_.leaf(l).block_max.data();
        kernels_.box_upper[leaf.row()](leaf.size(), leaf.coordinates.data(), q_lo, q_hi, block_max, leaf.positions->padded_blocks,
                                       supporters.upper.data());
        const double floor =
            kernels_.box_lower[leaf.row()](leaf.size(), leaf.coordinates.data(), q_lo, q_hi, block_max, leaf.positions->padded_blocks);
        supporters.block.clear();
        for (int c = 0; c < leaf.positions->blocks; ++c)
            if (supporters.upper[c] >= floor && supporters.upper[c] != -INF) supporters.block.push_back(c);
        std::sort(supporters.block.begin(), supporters.block.end(),
                  [&](int a, int c) { return supporters.upper[a] > supporters.upper[c]; });
        supporters.known = true;
    }

    void open(int b) {
        const int leaves = size();
        supporters_.resize(leaves);
        for (Supporters& s : supporters_) s.known = false;
        std::vector<double> remaining(leaves + 1, 0.0);  // bounds of the leaves not yet processed
        for (int i = leaves - 1; i >= 0; --i)
            remaining[i] = remaining[i + 1] + leaf_bound_[static_cast<std::size_t>(b) * leaves + processing_[i]];
        for (int center = b * BLOCK; center < (b + 1) * BLOCK; center += LANES) {
            double reached[LANES], need[LANES], best[LANES];
            double least = cut();
            std::copy_n(star_.center().value.data() + center, LANES, reached);
            const auto alive = [&](int processed) {
                for (int k = 0; k < LANES; ++k)
                    if (reached[k] + remaining[processed] >= least) return true;
                return false;
            };
            bool reaches = alive(0);
            for (int i = 0; i < leaves && reaches; ++i) {
                const Leaf& leaf = star_.leaves[processing_[i]];
                Supporters& supporters = supporters_[processing_[i]];
                if (!supporters.known) find_supporters(processing_[i], b, supporters);
                for (int k = 0; k < LANES; ++k) need[k] = least - reached[k] - remaining[i + 1];
                kernels_.message[leaf.row()](leaf.size(), leaf.coordinates.data(), star_.leaf(processing_[i]).value.data(),
                                             star_.leaf(processing_[i]).block_max.data(), center, supporters.block.data(),
                                             supporters.upper.data(), static_cast<int>(supporters.block.size()), need, best);
                for (int k = 0; k < LANES; ++k) reached[k] += best[k];
                reaches = alive(i + 1);
            }
            if (!reaches) continue;
            for (int k = 0; k < LANES; ++k)
                if (center + k < star_.positions.count && reached[k] >= cut()) {
                    if (threshold_ == -INF)
                        visit(center + k);
                    else
                        visited_.push_back(center + k);
                }
        }
    }

    const StarProblem& star_;
    const Kernels& kernels_;
    Pool pool_;
    double threshold_ = -INF;  // fixed, where all configurations above it are wanted
    double summands_ = 0, reach_ = 0, reach_squared_ = 0, unary_ = 0;
    std::vector<double> rest_;  // sum of the maxima of leaves l, l + 1, ...
    std::vector<double> upper_, bound_, leaf_bound_;
    std::vector<int> live_, processing_, visited_;
    std::vector<int32_t> last_visited_;  // labels by slot
    std::vector<std::vector<Choice>> choices_;
    std::vector<Supporters> supporters_;
};

}  // namespace partgraph
