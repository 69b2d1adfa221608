// Exact search over few labels per part, with every term in a table.
//
// Messages lower a bound first (reparametrisation.h), and labels that it excludes are dropped. Then one part after the
// other is assigned, and what the bound excludes is not looked at.
#pragma once

#include <chrono>

#include "pool.h"
#include "reparametrisation.h"

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
        : tables_(sizes, unary, edges, tables), unary_(unary) {}

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
            tables_.sweep(true);
            tables_.settle();
            ++outcome.passes;
            outcome.upper_bound = std::min(outcome.upper_bound, tables_.bound() + tables_.margin());
            feasible = tables_.bound() >= cut() && tables_.drop_labels(cut());
            if (!feasible) break;
            const bool slow = before - tables_.bound() < 0.02 * (tables_.bound() - cut());
            before = tables_.bound();
            if (pass + 1 >= limits.passes || tables_.single() || (pass > 0 && slow && tables_.small()) || late()) break;
            tables_.sweep(false);
        }
        for (const Reparametrisation::Node& node : tables_.nodes()) outcome.labels_left += static_cast<long>(node.theta.size());
        outcome.proven = !feasible || search_until_done() == End::done;
        outcome.nodes = visited_;
        if (outcome.proven && !found_.empty())
            outcome.upper_bound = std::min(outcome.upper_bound, found_[0].value + tables_.margin());
        outcome.found = std::move(found_);
        return outcome;
    }

  private:
    double nth() const { return static_cast<int>(found_.size()) < n_best_ ? -INF : found_[n_best_ - 1].value; }
    double cut() const { return std::max(threshold_, nth()) - tables_.margin(); }
    bool late() const { return end_ != NEVER && std::chrono::steady_clock::now() >= end_; }

    enum class End { done, limit, enough };

    // All configurations that tie with the n-th best but for rounding are kept, up to TIES of them: the caller scores them
    // with the problem's own arithmetic. Where there are more, margins may be wide because of very low scores, which are
    // dropped then. If that changes little, such scores count as equal: a last search in the order of labels looks for
    // the lowest ones only.
    End search_until_done() {
        End end = search();
        while (end == End::enough) {
            const double wide = tables_.margin();
            threshold_ = std::max(threshold_, nth());
            found_.clear();
            if (!tables_.drop_labels(cut())) return End::done;
            tables_.settle();
            in_order_ = tables_.margin() >= 0.5 * wide;
            end = search();
        }
        return end;
    }

    // Assigns the part with the fewest labels first, or one part after the other if `in_order_`.
    End search() {
        tables_.settle();
        std::vector<std::vector<double>> h(tables_.parts());
        double rest = 0;
        for (int i = 0; i < tables_.parts(); ++i) h[i] = tables_.nodes()[i].settled;
        for (const Reparametrisation::Edge& edge : tables_.edges()) rest += edge.most;
        chosen_.assign(tables_.parts(), -1);
        return assign(0, h, 0.0, rest);
    }

    // depth: parts assigned. h: what each label of the parts still open adds, given those. done: the assigned parts' own
    // share. rest: maxima of the edges between open parts.
    End assign(int depth, const std::vector<std::vector<double>>& h, double done, double rest) {
        std::vector<double> most(tables_.parts(), 0.0);
        double bound = done + rest;
        for (int i = 0; i < tables_.parts(); ++i)
            if (chosen_[i] < 0) bound += most[i] = *std::max_element(h[i].begin(), h[i].end());
        if (bound < cut() || (in_order_ && bound <= nth() + tables_.margin() && behind(depth))) return End::done;
        if (depth == tables_.parts()) return keep_configuration();
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
            for (int e : tables_.nodes()[part].edges) {
                const Reparametrisation::Edge& edge = tables_.edges()[e];
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
        for (int i = 0; i < tables_.parts(); ++i) {
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
            const int32_t label = tables_.nodes()[i].label[chosen_[i]];
            if (label != last[i]) return label > last[i];
        }
        return false;
    }

    End keep_configuration() {
        Configuration own{0.0, std::vector<int32_t>(tables_.parts())};
        for (int i = 0; i < tables_.parts(); ++i) {
            own.labels[i] = tables_.nodes()[i].label[chosen_[i]];
            own.value += unary_[i][own.labels[i]];
        }
        for (const Reparametrisation::Edge& edge : tables_.edges())
            own.value += edge.original[static_cast<std::size_t>(own.labels[edge.end[0]]) * edge.columns + own.labels[edge.end[1]]];
        if (own.value < cut()) return End::done;
        const double equal = in_order_ ? tables_.margin() : 0.0;
        const auto before = [equal](const Configuration& a, const Configuration& b) {
            return std::fabs(a.value - b.value) > equal ? a.value > b.value : a.labels < b.labels;
        };
        found_.insert(std::upper_bound(found_.begin(), found_.end(), own, before), std::move(own));
        while (static_cast<int>(found_.size()) > n_best_ && (in_order_ || found_.back().value < cut())) found_.pop_back();
        return !in_order_ && static_cast<int>(found_.size()) >= enough_ ? End::enough : End::done;
    }

    static constexpr int TIES = 1000;
    static constexpr auto NEVER = std::chrono::steady_clock::time_point::max();

    Reparametrisation tables_;
    std::vector<const double*> unary_;
    std::vector<Configuration> found_;  // best first: the n best, then near ties
    int n_best_ = 1, enough_ = 1;
    bool in_order_ = false;  // second search: assign parts and labels in their order
    double threshold_ = -INF;
    long max_nodes_ = -1, visited_ = 0;
    std::chrono::steady_clock::time_point end_ = NEVER;
    std::vector<int> chosen_;
};

}  // namespace partgraph
