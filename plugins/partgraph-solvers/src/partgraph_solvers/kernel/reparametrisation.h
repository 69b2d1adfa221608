// Terms of a graph in tables, and messages that move score between them without changing any sum (reparametrisation).
//
//     S(x) = sum_i theta_i(x_i) + sum_ij theta_ij(x_i, x_j)
//     theta'_i = theta_i + sum_j M_ji,     theta'_ij(x, y) = theta_ij(x, y) - M_ij(y) - M_ji(x)
//
// Sequential tree-reweighted message passing (TRW-S, Kolmogorov 2006) chooses them such that the sum of all tables'
// maxima, an upper bound of S for any messages, falls. Nothing about it is needed for correctness but that messages are
// finite.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "order.h"

namespace partgraph {

class Reparametrisation {
  public:
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

    // unary: every part's scores. edges: pairs i < j, each once; tables row-major (size_i, size_j). Arrays are borrowed.
    Reparametrisation(const std::vector<int>& sizes, const std::vector<const double*>& unary, const std::vector<int>& edges,
                      const std::vector<const double*>& tables)
        : parts_(static_cast<int>(sizes.size())), nodes_(sizes.size()) {
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

    int parts() const { return parts_; }
    const std::vector<Node>& nodes() const { return nodes_; }
    const std::vector<Edge>& edges() const { return edges_; }
    double bound() const { return bound_; }  // after settle()

    // Passes messages to later parts, or to earlier ones.
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

    bool single() const {
        return std::all_of(nodes_.begin(), nodes_.end(), [](const Node& node) { return node.theta.size() == 1; });
    }
    bool small() const {
        return std::all_of(nodes_.begin(), nodes_.end(), [](const Node& node) { return node.theta.size() <= 64; });
    }

    // Drops labels whose bound, the sum of maxima with this label fixed, is below `cut`. False if a part has none left.
    bool drop_labels(double cut) {
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
                keep[i][k] = bound[k] >= cut;
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

  private:
    template <class T>
    static void filter(std::vector<T>& values, const std::vector<char>& keep) {
        std::size_t to = 0;
        for (std::size_t k = 0; k < keep.size(); ++k)
            if (keep[k]) values[to++] = values[k];
        values.resize(to);
    }

    void add_up(Node& node) {
        node.sum = node.theta;
        for (int e : node.edges) {
            const Edge& edge = edges_[e];
            const std::vector<double>& message = edge.to[&nodes_[edge.end[1]] == &node];
            for (std::size_t k = 0; k < node.sum.size(); ++k) node.sum[k] += message[k];
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

    int parts_;
    std::vector<Node> nodes_;
    std::vector<Edge> edges_;
    double bound_ = INF, largest_ = 0;
};

}  // namespace partgraph
