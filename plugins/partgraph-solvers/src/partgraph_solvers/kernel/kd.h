// The paper's own search of a star (its section 2.2): a KD-tree per part, boxes of centers opened best first.
//
//     S(v, k_1..k_L) = U(v) + sum_l  U_l(k_l) - sum_d w_d (d-th coordinate of a difference)^2
//
// A state is a box of the center's tree and, for every leaf, its supporters: the boxes of the leaf's tree that may hold
// the best answer to a center of the box. Interval arithmetic on both boxes bounds what a supporter can give; the highest
// bound over supporters bounds the leaf's answer, and the sum over leaves bounds the state. Opening a state splits its box
// and all its supporters; a supporter whose upper bound is below another's lower bound is dropped. A single center with
// single supporters has its exact score, and when one comes up first in the queue, nothing left is better.
//
// Linear and proximal terms stay functions of position, bounded where the search gets to: nothing is done to all
// candidates again when only multipliers change, as in ADMM.
//
// Ends of intervals come from the same operations, in the same order, as values at points, and rounding is monotone:
// a bound in this file is never below a value in this file, to the last bit.
#pragma once

#include <cmath>
#include <cstddef>
#include <memory>

#include "kd_tree.h"
#include "pool.h"

namespace partgraph {

struct Range {
    double lower, upper;
};

// The least and the largest x^2 for lo <= x <= hi.
inline Range square(double lo, double hi) {
    const double least = lo > 0 ? lo : hi < 0 ? hi : 0.0, most = std::max(std::fabs(lo), std::fabs(hi));
    return {least * least, most * most};
}

// A unary term: slope . x, or where slope is empty -rho/2 |x - center|^2.
struct KdPull {
    std::vector<double> slope, center;
    double rho = 0;

    Range over(const double* lo, const double* hi) const {
        Range sum{0, 0};
        for (std::size_t d = 0; d < slope.size(); ++d) {
            const double a = slope[d] * lo[d], b = slope[d] * hi[d];
            sum.lower += std::min(a, b);
            sum.upper += std::max(a, b);
        }
        if (!slope.empty()) return sum;
        for (std::size_t d = 0; d < center.size(); ++d) {
            const Range s = square(lo[d] - center[d], hi[d] - center[d]);
            sum.lower += s.lower;
            sum.upper += s.upper;
        }
        return {-(rho / 2) * sum.upper, -(rho / 2) * sum.lower};
    }
};

// An edge, seen from the center: -sum_d weight_d (point_d - base_d - offset_d)^2.
struct KdEdge {
    const KdView *base, *point;  // of the center's candidates, of the leaf's
    std::vector<double> weight, offset;
};

struct KdPart {
    int slot;  // where its label stands in a configuration
    const KdTree* tree;
    const KdView* positions;
    std::vector<KdEdge> edges;  // to the center; none for the center itself
};

// What is added to a part's terms in one solve.
struct KdUnary {
    const KdScores* scores;
    std::vector<KdPull> pulls;
};

struct KdOutcome {
    std::vector<Configuration> found;  // best first: the n best, then near ties
    double upper_bound = INF;
    bool proven = false;
    long states_opened = 0, centers_visited = 0;
};

class KdSearch {
  public:
    // parts and unary: of the center, then of the leaves.
    KdSearch(const std::vector<KdPart>& parts, const std::vector<KdUnary>& unary, int n_best)
        : parts_(parts), unary_(unary), leaves_(static_cast<int>(parts.size()) - 1), pool_(n_best),
          seen_(parts[0].tree->count, false), choices_(parts.size()) {
        for (std::size_t i = 0; i < parts.size(); ++i) {
            summands_ += 1 + parts[i].positions->dim * (unary[i].pulls.size() + parts[i].edges.size());
            magnitude_ += std::fabs(unary[i].scores->max());
            for (const KdPull& pull : unary[i].pulls) {
                const KdView& view = *parts[i].positions;
                for (std::size_t d = 0; d < pull.slope.size(); ++d)
                    magnitude_ += std::fabs(pull.slope[d]) * std::max(std::fabs(view.lo[d]), std::fabs(view.hi[d]));
            }
        }
    }

    // Opens at most max_states states (negative: no limit).
    KdOutcome run(long max_states) {
        KdOutcome outcome;
        for (const KdUnary& unary : unary_)
            if (unary.scores->max() == -INF) {  // nothing is allowed
                outcome.upper_bound = -INF;
                outcome.proven = true;
                return outcome;
            }
        const std::vector<double>& own = unary_[0].scores->value;
        visit(static_cast<int>(std::max_element(own.begin(), own.end()) - own.begin()));  // a first incumbent
        push(root());
        double pending = -INF;
        while (!queue_.empty() && queue_.front()->bound >= cut()) {
            if (max_states >= 0 && outcome.states_opened >= max_states) {
                pending = queue_.front()->bound;
                break;
            }
            const std::unique_ptr<State> state = pop();
            if (state->exact) {
                visit(~state->center);
                continue;
            }
            ++outcome.states_opened;
            open(*state);
        }
        outcome.proven = pending == -INF;
        outcome.upper_bound = outcome.proven ? pool_.best() : std::max(pending, pool_.best()) + margin(pool_.best());
        outcome.centers_visited = std::count(seen_.begin(), seen_.end(), true);
        pool_.drop_below(cut());
        outcome.found = pool_.found();
        return outcome;
    }

  private:
    struct State {
        double bound = 0;
        Place center = 0;
        bool exact = false;              // a single center, and single supporters
        std::vector<double> message;     // (leaves,) the highest bound among a leaf's supporters
        std::vector<Place> supporters;   // leaf after leaf
        std::vector<int32_t> begin{0};   // (leaves + 1,) where each leaf's begin
    };

    // -- rounding ----------------------------------------------------------------------------------------------------
    // Terms here have the bits of the problem's own; only their order of summation differs. With an incumbent T and
    // G = |T| + sum of |maxima of scores| + sum of |slope| |position|, every summand of a configuration that scores at
    // least T lies within 2 G, so n summands carry an error of at most 2 n^2 G u, u = 2^-53. The margin is four such
    // errors: of two configurations, each here and in the problem.
    double margin(double threshold) const {
        constexpr double u = 1.1102230246251565e-16;
        return 8 * u * summands_ * summands_ * (std::fabs(threshold) + magnitude_);
    }
    double cut() const {
        const double nth = pool_.nth();
        return nth == -INF ? -std::numeric_limits<double>::max() : nth - margin(nth);
    }

    // -- bounds ------------------------------------------------------------------------------------------------------
    Range own(int part, Place place) const {
        const double score = unary_[part].scores->at(place);
        Range sum{score, score};
        const KdView& view = *parts_[part].positions;
        for (const KdPull& pull : unary_[part].pulls) {
            const Range more = pull.over(view.low(place), view.high(place));
            sum.lower += more.lower;
            sum.upper += more.upper;
        }
        return sum;
    }

    // What a supporter gives to the centers of a box: the best of the former to each of the latter lies in this range.
    Range answer(int leaf, Place center, Place supporter) const {
        Range sum = own(leaf, supporter);
        for (const KdEdge& edge : parts_[leaf].edges) {
            const double *base_lo = edge.base->low(center), *base_hi = edge.base->high(center);
            const double *point_lo = edge.point->low(supporter), *point_hi = edge.point->high(supporter);
            double near = 0, far = 0;
            for (std::size_t d = 0; d < edge.weight.size(); ++d) {
                const Range s = square(point_lo[d] - base_hi[d] - edge.offset[d], point_hi[d] - base_lo[d] - edge.offset[d]);
                near += edge.weight[d] * s.lower;
                far += edge.weight[d] * s.upper;
            }
            sum.lower -= far;
            sum.upper -= near;
        }
        return sum;
    }

    // -- the search --------------------------------------------------------------------------------------------------
    static bool later(const std::unique_ptr<State>& a, const std::unique_ptr<State>& b) {
        return a->bound != b->bound ? a->bound < b->bound : a->center > b->center;  // points before boxes
    }
    void push(std::unique_ptr<State> state) {
        queue_.push_back(std::move(state));
        std::push_heap(queue_.begin(), queue_.end(), later);
    }
    std::unique_ptr<State> pop() {
        std::pop_heap(queue_.begin(), queue_.end(), later);
        std::unique_ptr<State> state = std::move(queue_.back());
        queue_.pop_back();
        return state;
    }

    std::unique_ptr<State> root() const {
        auto state = std::make_unique<State>();
        state->bound = own(0, 0).upper;
        for (int l = 1; l <= leaves_; ++l) {
            state->message.push_back(answer(l, 0, 0).upper);
            state->bound += state->message.back();
            state->supporters.push_back(0);
            state->begin.push_back(l);
        }
        return state;
    }

    // Splits the centers' box and all supporters. A part of the box is given up as soon as the leaves seen so far, and the
    // whole box's bounds of the others, are below the incumbent.
    void open(const State& state) {
        std::vector<double> rest(leaves_ + 1, 0.0);
        for (int l = leaves_ - 1; l >= 0; --l) rest[l] = rest[l + 1] + state.message[l];
        parts_[0].tree->split(state.center, [&](Place center) {
            auto child = std::make_unique<State>();
            child->center = center;
            child->exact = is_point(center);
            child->bound = own(0, center).upper;
            for (int l = 0; l < leaves_; ++l) {
                if (child->bound + rest[l] < cut() || child->bound == -INF) return;
                child->message.push_back(split_supporters(state, l, *child));
                child->bound += child->message.back();
            }
            if (child->bound >= cut() && child->bound != -INF) push(std::move(child));
        });
    }

    // Replaces the supporters of a leaf by their parts, but for those that support no center of the child's box.
    double split_supporters(const State& state, int l, State& child) {
        double floor = -INF, message = -INF;
        kept_.clear();
        for (int i = state.begin[l]; i < state.begin[l + 1]; ++i) {
            const Place supporter = state.supporters[i];
            if (floor != -INF && answer(l + 1, child.center, supporter).upper < floor) continue;
            parts_[l + 1].tree->split(supporter, [&](Place part) {
                const Range range = answer(l + 1, child.center, part);
                floor = std::max(floor, range.lower);
                message = std::max(message, range.upper);
                if (range.upper >= floor && range.upper != -INF) kept_.push_back({range.upper, part});
            });
        }
        // The strongest first: at the next split the floor is high from the beginning.
        std::sort(kept_.begin(), kept_.end(), [](const Bounded& a, const Bounded& b) { return a.upper > b.upper; });
        for (const Bounded& kept : kept_) {
            if (kept.upper < floor) break;
            child.supporters.push_back(kept.place);
            child.exact = child.exact && is_point(kept.place);
        }
        child.begin.push_back(static_cast<int32_t>(child.supporters.size()));
        return message;
    }

    // -- one center --------------------------------------------------------------------------------------------------
    struct Bounded {
        double upper;
        Place place;
    };
    struct Choice {
        double value;
        int32_t label;
    };

    // The best candidates of a leaf for one center, down to `least`, at most `capacity`, best first, ties by lowest label.
    void collect(int part, Place center, double least, std::size_t capacity, std::vector<Choice>& choices) const {
        const KdTree& tree = *parts_[part].tree;
        const auto later = [](const Bounded& a, const Bounded& b) { return a.upper < b.upper; };
        std::vector<Bounded> queue{{answer(part, center, 0).upper, 0}};
        choices.clear();
        while (!queue.empty()) {
            const Bounded top = queue.front();
            if (top.upper < least || top.upper == -INF) break;
            if (choices.size() >= capacity && top.upper < choices[capacity - 1].value) break;
            std::pop_heap(queue.begin(), queue.end(), later);
            queue.pop_back();
            if (is_point(top.place)) {
                choices.push_back({top.upper, tree.order[~top.place]});
                continue;
            }
            tree.split(top.place, [&](Place place) {
                queue.push_back({answer(part, center, place).upper, place});
                std::push_heap(queue.begin(), queue.end(), later);
            });
        }
        std::sort(choices.begin(), choices.end(),
                  [](const Choice& a, const Choice& b) { return a.value != b.value ? a.value > b.value : a.label < b.label; });
        if (choices.size() > capacity) choices.resize(capacity);
    }

    // Enumerates the configurations of one center that can enter the pool, in order of value (Lawler, 1972).
    void visit(int k) {
        const Place center = ~k;
        const double score = own(0, center).upper;
        if (seen_[k] || score == -INF) return;
        seen_[k] = true;
        std::vector<double> most(leaves_);
        double total = score;
        for (int l = 0; l < leaves_; ++l) {
            collect(l + 1, center, -INF, 1, choices_[l]);
            most[l] = choices_[l][0].value;
            total += most[l];
        }
        const double least = pool_.n_best() == 1 ? std::max(cut(), total - margin(total)) : cut();
        if (total < least) return;
        const double slack = total - least + margin(total);
        for (int l = 0; l < leaves_; ++l) collect(l + 1, center, most[l] - slack, pool_.capacity(), choices_[l]);

        struct Node {
            Configuration configuration;
            std::vector<int> rank;
            int last;
        };
        const auto make = [&](std::vector<int> rank, int last) {
            Node node{{score, std::vector<int32_t>(leaves_ + 1)}, std::move(rank), last};
            node.configuration.labels[parts_[0].slot] = parts_[0].tree->order[k];
            for (int l = 0; l < leaves_; ++l) {
                const Choice& choice = choices_[l][node.rank[l]];
                node.configuration.value += choice.value;
                node.configuration.labels[parts_[l + 1].slot] = choice.label;
            }
            return node;
        };
        const auto later = [](const Node& a, const Node& b) { return better(b.configuration, a.configuration); };
        std::vector<Node> queue;
        queue.push_back(make(std::vector<int>(leaves_, 0), 0));
        for (int popped = 0; !queue.empty() && popped < pool_.capacity(); ++popped) {
            std::pop_heap(queue.begin(), queue.end(), later);
            Node node = std::move(queue.back());
            queue.pop_back();
            if (node.configuration.value < cut()) return;
            for (int l = node.last; l < leaves_; ++l) {
                if (node.rank[l] + 1 >= static_cast<int>(choices_[l].size())) continue;
                std::vector<int> rank = node.rank;
                ++rank[l];
                queue.push_back(make(std::move(rank), l));
                std::push_heap(queue.begin(), queue.end(), later);
            }
            pool_.insert(std::move(node.configuration));
        }
    }

    const std::vector<KdPart>& parts_;
    const std::vector<KdUnary>& unary_;
    const int leaves_;
    Pool pool_;
    std::vector<std::unique_ptr<State>> queue_;  // a heap
    std::vector<bool> seen_;                     // centers, in the tree's order
    std::vector<Bounded> kept_;
    std::vector<std::vector<Choice>> choices_;
    double summands_ = 0, magnitude_ = 0;
};

}  // namespace partgraph
