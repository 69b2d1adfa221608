// Exact search over few labels per part, with every term in a table.
//
//     S(x) = sum_i theta_i(x_i) + sum_ij theta_ij(x_i, x_j)
//
// Messages move score between the tables without changing any sum (reparametrisation):
//     theta'_i = theta_i + sum_j M_ji,     theta'_ij(x, y) = theta_ij(x, y) - M_ij(y) - M_ji(x).
// Sequential tree-reweighted message passing (TRW-S, Kolmogorov 2006) chooses them such that the sum of all tables'
// maxima, an upper bound of S for any messages, falls. The search assigns one part after the other and drops
// what the bound excludes. Nothing about TRW-S is needed for correctness but that messages are finite.
#pragma once

#include <chrono>

#include "pool.h"

namespace partgraph {

struct DenseOutcome {
    std::vector<Configuration> found;
    double upper_bound = INF;
    bool proven = false;
    long nodes = 0, passes = 0, labels_left = 0;
};

struct Limits {
    int passes;
    long nodes;      // negative: no limit
    double seconds;  // may be infinite
};

class DenseSearch {
  public:
    // unary: every part's scores. edges: pairs i < j, each once; tables row-major (size_i, size_j). Arrays are borrowed.
    DenseSearch(const std::vector<int>& sizes, const std::vector<const double*>& unary, const std::vector<int>& edges,
                const std::vector<const double*>& tables)
        : parts_(static_cast<int>(sizes.size())), nodes_(sizes.size()), unary_(unary) {
        for (int i = 0; i < parts_; ++i) {
            nodes_[i].theta.assign(unary[i], unary[i] + sizes[i]);
            nodes_[i].label.resize(sizes[i]);
            for (int k = 0; k < sizes[i]; ++k) nodes_[i].label[k] = k;
        }
        for (std::size_t e = 0; e < tables.size(); ++e) {
            Edge edge;
            edge.end[0] = edges[2 * e];
            edge.end[1] = edges[2 * e + 1];
            const int rows = sizes[edge.end[0]], columns = sizes[edge.end[1]];
            edge.theta.assign(tables[e], tables[e] + static_cast<std::size_t>(rows) * columns);
            edge.to[0].assign(rows, 0.0);
            edge.to[1].assign(columns, 0.0);
            edge.original = tables[e];
            edge.columns = columns;
            for (int side = 0; side < 2; ++side) {
                nodes_[edge.end[side]].edges.push_back(static_cast<int>(e));
                ++(side ? nodes_[edge.end[1]].backward : nodes_[edge.end[0]].forward);
            }
            edges_.push_back(std::move(edge));
        }
    }

    // Finds all configurations of at least `threshold`, the n best of them, ties by lowest labels.
    DenseOutcome run(int n_best, double threshold, const Limits& limits) {
        threshold_ = threshold;
        n_best_ = n_best;
        max_nodes_ = limits.nodes;
        if (std::isfinite(limits.seconds))
            end_ = std::chrono::steady_clock::now() +
                   std::chrono::duration_cast<std::chrono::steady_clock::duration>(std::chrono::duration<double>(limits.seconds));
        DenseOutcome outcome;
        double before = INF;
        bool feasible = true;
        if (threshold_ == -INF) {  // any n configurations: without a threshold, very low scores would widen all margins
            enough_ = n_best;
            const End end = search();
            if (end == End::enough) {
                threshold_ = nth();
                found_.clear();
            }
            feasible = end != End::done;
        }
        enough_ = n_best + TIES;
        for (int pass = 0; feasible; ++pass) {
            sweep(true);
            settle();
            ++outcome.passes;
            outcome.upper_bound = std::min(outcome.upper_bound, bound_ + margin());
            feasible = bound_ >= cut() && drop_labels();
            if (!feasible) break;
            const bool slow = before - bound_ < 0.02 * (bound_ - cut());
            before = bound_;
            if (pass + 1 >= limits.passes || single() || (pass > 0 && slow && small()) || late()) break;
            sweep(false);
        }
        for (const Node& node : nodes_) outcome.labels_left += static_cast<long>(node.theta.size());
        outcome.proven = !feasible || search_until_done() == End::done;
        outcome.nodes = visited_;
        if (outcome.proven && !found_.empty()) outcome.upper_bound = std::min(outcome.upper_bound, found_[0].value + margin());
        outcome.found = std::move(found_);
        return outcome;
    }

  private:
    struct Node {
        std::vector<int> edges;
        int forward = 0, backward = 0;  // edges to later and to earlier parts
        std::vector<double> theta;      // without messages
        std::vector<double> sum;        // theta'
        std::vector<double> settled;    // what is left of theta' when edges have taken their shares
        std::vector<int32_t> label;
        double share() const { return 1.0 / std::max({1, forward, backward}); }
    };
    struct Edge {
        int end[2] = {0, 0};
        std::vector<double> theta;     // (rows, columns)
        std::vector<double> to[2];     // messages M_ji to end 0 and M_ij to end 1
        std::vector<double> settled;   // theta' and the shares of both ends
        const double* original;        // with all labels
        int columns = 0;               // of original
        double most = 0;               // max of settled
    };

    // -- messages ------------------------------------------------------------------------------------------------
    void add_up(Node& node) {
        node.sum = node.theta;
        for (int e : node.edges) {
            const Edge& edge = edges_[e];
            const std::vector<double>& message = edge.to[&nodes_[edge.end[1]] == &node];
            for (std::size_t k = 0; k < node.sum.size(); ++k) node.sum[k] += message[k];
        }
    }

    void sweep(bool forward) {
        for (int step = 0; step < parts_; ++step) {
            const int i = forward ? step : parts_ - 1 - step;
            Node& node = nodes_[i];
            add_up(node);
            for (int e : node.edges) {
                Edge& edge = edges_[e];
                const int side = edge.end[1] == i;  // where this part stands
                if ((side == 0) == forward) send(edge, side, node);
            }
        }
    }

    // M(y) = max_x [share theta'_i(x) - M_ji(x) + theta_ij(x, y)], shifted so that its maximum is 0.
    void send(Edge& edge, int side, const Node& node) {
        const double share = node.share();
        const int rows = static_cast<int>(edge.to[0].size()), columns = static_cast<int>(edge.to[1].size());
        const std::vector<double>& back = edge.to[side];
        std::vector<double>& out = edge.to[1 - side];
        std::fill(out.begin(), out.end(), -INF);
        for (int x = 0; x < rows; ++x) {
            const double* row = edge.theta.data() + static_cast<std::size_t>(x) * columns;
            if (side == 0) {
                const double own = share * node.sum[x] - back[x];
                for (int y = 0; y < columns; ++y) out[y] = out[y] > own + row[y] ? out[y] : own + row[y];
            } else {
                double best = -INF;
                for (int y = 0; y < columns; ++y) best = std::max(best, share * node.sum[y] - back[y] + row[y]);
                out[x] = best;
            }
        }
        const double most = *std::max_element(out.begin(), out.end());
        for (double& value : out) value -= most;
    }

    // Tables after reparametrisation, where an edge takes its share of the earlier part's theta'; and the bound.
    void settle() {
        bound_ = 0;
        largest_ = 0;
        for (Node& node : nodes_) {
            add_up(node);
            const double left = 1.0 - node.share() * node.forward;
            node.settled.resize(node.sum.size());
            for (std::size_t k = 0; k < node.sum.size(); ++k) {
                node.settled[k] = left * node.sum[k];
                largest_ = std::max({largest_, std::fabs(node.sum[k]), std::fabs(node.theta[k])});
            }
            bound_ += *std::max_element(node.settled.begin(), node.settled.end());
        }
        for (Edge& edge : edges_) {
            const Node& first = nodes_[edge.end[0]];
            const std::size_t rows = edge.to[0].size(), columns = edge.to[1].size();
            edge.settled.resize(edge.theta.size());
            edge.most = -INF;
            for (std::size_t x = 0; x < rows; ++x)
                for (std::size_t y = 0; y < columns; ++y) {
                    const std::size_t k = x * columns + y;
                    edge.settled[k] = edge.theta[k] - edge.to[0][x] - edge.to[1][y] + first.share() * first.sum[x];
                    edge.most = std::max(edge.most, edge.settled[k]);
                    largest_ = std::max(largest_, std::fabs(edge.theta[k]));
                }
            for (const auto& message : edge.to)
                for (double value : message) largest_ = std::max(largest_, std::fabs(value));
            bound_ += edge.most;
        }
    }

    // Every settled entry is a sum of at most N + 4 numbers of size at most `largest`, and a bound adds up N + E of them.
    // Twice that, as scores are rounded as well.
    double margin() const {
        const double terms = 2.0 * parts_ + edges_.size() + 4;
        return 4 * terms * terms * 1.1102230246251565e-16 * largest_;
    }
    double nth() const { return static_cast<int>(found_.size()) < n_best_ ? -INF : found_[n_best_ - 1].value; }
    double cut() const { return std::max(threshold_, nth()) - margin(); }
    bool late() const { return end_ != NEVER && std::chrono::steady_clock::now() >= end_; }

    bool single() const {
        return std::all_of(nodes_.begin(), nodes_.end(), [](const Node& node) { return node.theta.size() == 1; });
    }
    bool small() const {
        return std::all_of(nodes_.begin(), nodes_.end(), [](const Node& node) { return node.theta.size() <= 64; });
    }

    // Drops labels whose bound, the sum of maxima with this label fixed, is below the cut. False if a part has none left.
    bool drop_labels() {
        std::vector<std::vector<char>> keep(parts_);
        for (int i = 0; i < parts_; ++i) {
            const Node& node = nodes_[i];
            std::vector<double> bound(node.settled.size());
            const double most = *std::max_element(node.settled.begin(), node.settled.end());
            for (std::size_t k = 0; k < bound.size(); ++k) bound[k] = bound_ - most + node.settled[k];
            for (int e : node.edges) {
                const Edge& edge = edges_[e];
                const std::size_t rows = edge.to[0].size(), columns = edge.to[1].size();
                const bool second = edge.end[1] == i;
                std::vector<double> best(bound.size(), -INF);
                for (std::size_t x = 0; x < rows; ++x)
                    for (std::size_t y = 0; y < columns; ++y) {
                        double& own = best[second ? y : x];
                        own = std::max(own, edge.settled[x * columns + y]);
                    }
                for (std::size_t k = 0; k < bound.size(); ++k) bound[k] += best[k] - edge.most;
            }
            keep[i].resize(bound.size());
            bool any = false;
            for (std::size_t k = 0; k < bound.size(); ++k) {
                keep[i][k] = bound[k] >= cut();
                any |= keep[i][k] != 0;
            }
            if (!any) return false;
        }
        for (int i = 0; i < parts_; ++i) {
            filter(nodes_[i].theta, keep[i]);
            filter(nodes_[i].label, keep[i]);
        }
        for (Edge& edge : edges_) {
            const auto &rows = keep[edge.end[0]], &columns = keep[edge.end[1]];
            std::size_t to = 0, from = 0;
            for (char row : rows)
                for (char column : columns) {
                    if (row && column) edge.theta[to++] = edge.theta[from];
                    ++from;
                }
            edge.theta.resize(to);
            filter(edge.to[0], rows);
            filter(edge.to[1], columns);
        }
        return true;
    }
    template <class T>
    static void filter(std::vector<T>& values, const std::vector<char>& keep) {
        std::size_t to = 0;
        for (std::size_t k = 0; k < keep.size(); ++k)
            if (keep[k]) values[to++] = values[k];
        values.resize(to);
    }

    // -- search --------------------------------------------------------------------------------------------------
    enum class End { done, limit, enough };

    // All configurations that tie with the n-th best but for rounding are kept, up to TIES of them: the caller scores them
    // with the problem's own arithmetic. Where there are more, margins may be wide because of very low scores, which are
    // dropped then. If that changes little, such scores count as equal: a last search in the order of labels looks for
    // the lowest ones only.
    End search_until_done() {
        End end = search();
        while (end == End::enough) {
            const double wide = margin();
            threshold_ = std::max(threshold_, nth());
            found_.clear();
            if (!drop_labels()) return End::done;
            settle();
            in_order_ = margin() >= 0.5 * wide;
            end = search();
        }
        return end;
    }

    // Assigns the part with the fewest labels first, or one part after the other if `in_order_`.
    End search() {
        settle();
        std::vector<std::vector<double>> h(parts_);
        double rest = 0;
        for (int i = 0; i < parts_; ++i) h[i] = nodes_[i].settled;
        for (const Edge& edge : edges_) rest += edge.most;
        chosen_.assign(parts_, -1);
        return assign(0, h, 0.0, rest);
    }

    // depth: parts assigned. h: what each label of the parts still open adds, given those. done: the assigned parts' own
    // share. rest: maxima of the edges between open parts.
    End assign(int depth, const std::vector<std::vector<double>>& h, double done, double rest) {
        std::vector<double> most(parts_, 0.0);
        double bound = done + rest;
        for (int i = 0; i < parts_; ++i)
            if (chosen_[i] < 0) bound += most[i] = *std::max_element(h[i].begin(), h[i].end());
        if (bound < cut() || (in_order_ && bound <= nth() + margin() && behind(depth))) return End::done;
        if (depth == parts_) return keep_configuration();
        const int part = in_order_ ? depth : narrowest(h, most, bound);
        std::vector<int> sequence(h[part].size());
        for (std::size_t k = 0; k < sequence.size(); ++k) sequence[k] = static_cast<int>(k);
        if (!in_order_)
            std::stable_sort(sequence.begin(), sequence.end(), [&](int a, int b) { return h[part][a] > h[part][b]; });
        for (int x : sequence) {
            if (bound - most[part] + h[part][x] < cut()) {
                if (in_order_) continue;
                break;
            }
            if (max_nodes_ >= 0 && visited_ >= max_nodes_) return End::limit;
            if (++visited_ % 256 == 0 && late()) return End::limit;
            chosen_[part] = x;
            std::vector<std::vector<double>> next = h;
            double left = rest;
            for (int e : nodes_[part].edges) {
                const Edge& edge = edges_[e];
                const int side = edge.end[1] == part, other = edge.end[1 - side];
                if (chosen_[other] >= 0) continue;
                const std::size_t columns = edge.to[1].size();
                for (std::size_t y = 0; y < next[other].size(); ++y)
                    next[other][y] += side ? edge.settled[y * columns + x] : edge.settled[x * columns + y];
                left -= edge.most;
            }
            const End end = assign(depth + 1, next, done + h[part][x], left);
            chosen_[part] = -1;
            if (end != End::done) return end;
        }
        return End::done;
    }

    // The open part with the fewest labels that can reach the cut.
    int narrowest(const std::vector<std::vector<double>>& h, const std::vector<double>& most, double bound) const {
        int part = -1;
        std::size_t fewest = 0;
        for (int i = 0; i < parts_; ++i) {
            if (chosen_[i] >= 0) continue;
            std::size_t alive = 0;
            for (double value : h[i]) alive += bound - most[i] + value >= cut();
            if (part < 0 || alive < fewest) {
                part = i;
                fewest = alive;
            }
        }
        return part;
    }

    // Whether every configuration that begins with the labels of the first `depth` parts comes after the n-th best.
    bool behind(int depth) const {
        if (static_cast<int>(found_.size()) < n_best_) return false;
        const std::vector<int32_t>& last = found_[n_best_ - 1].labels;
        for (int i = 0; i < depth; ++i) {
            const int32_t label = nodes_[i].label[chosen_[i]];
            if (label != last[i]) return label > last[i];
        }
        return false;
    }

    End keep_configuration() {
        Configuration own{0.0, std::vector<int32_t>(parts_)};
        for (int i = 0; i < parts_; ++i) {
            own.labels[i] = nodes_[i].label[chosen_[i]];
            own.value += unary_[i][own.labels[i]];
        }
        for (const Edge& edge : edges_)
            own.value += edge.original[static_cast<std::size_t>(own.labels[edge.end[0]]) * edge.columns + own.labels[edge.end[1]]];
        if (own.value < cut()) return End::done;
        const double equal = in_order_ ? margin() : 0.0;
        const auto before = [equal](const Configuration& a, const Configuration& b) {
            return std::fabs(a.value - b.value) > equal ? a.value > b.value : a.labels < b.labels;
        };
        found_.insert(std::upper_bound(found_.begin(), found_.end(), own, before), std::move(own));
        while (static_cast<int>(found_.size()) > n_best_ && (in_order_ || found_.back().value < cut())) found_.pop_back();
        return !in_order_ && static_cast<int>(found_.size()) >= enough_ ? End::enough : End::done;
    }

    static constexpr int TIES = 1000;
    static constexpr auto NEVER = std::chrono::steady_clock::time_point::max();

    int parts_;
    std::vector<Node> nodes_;
    std::vector<Edge> edges_;
    std::vector<const double*> unary_;
    std::vector<Configuration> found_;  // best first: the n best, then near ties
    int n_best_ = 1, enough_ = 1;
    bool in_order_ = false;  // second search: assign parts and labels in their order
    double threshold_ = -INF, bound_ = INF, largest_ = 0;
    long max_nodes_ = -1, visited_ = 0;
    std::chrono::steady_clock::time_point end_ = NEVER;
    std::vector<int> chosen_;
};

}  // namespace partgraph
