// A KD-tree over one part's candidates, and what is known about every node: boxes of points, and the highest score.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <vector>

#include "blocks.h"

namespace partgraph {

// A place in a tree: a node, or ~k for the point that is k-th in the tree's order.
using Place = int32_t;
inline bool is_point(Place place) { return place < 0; }

struct KdTree {
    static constexpr int BUCKET = 8;  // points in a leaf of the tree at most
    struct Node {
        int begin, end, child;  // children are child and child + 1; a bucket has none, 0
    };
    int count, dim;
    std::vector<int32_t> order;
    std::vector<Node> nodes;  // breadth first

    // Splits at the median of the longest side of the points' box.
    KdTree(const double* points, int count_, int dim_) : count(count_), dim(dim_), order(count_) {
        std::iota(order.begin(), order.end(), 0);
        nodes.push_back({0, count, 0});
        for (std::size_t n = 0; n < nodes.size(); ++n) {
            const Node node = nodes[n];
            if (node.end - node.begin <= BUCKET) continue;
            const auto coordinate = [&](int k, int d) { return points[static_cast<std::size_t>(order[k]) * dim + d]; };
            int axis = 0;
            double longest = -1;
            for (int d = 0; d < dim; ++d) {
                double lo = INF, hi = -INF;
                for (int k = node.begin; k < node.end; ++k) {
                    lo = std::min(lo, coordinate(k, d));
                    hi = std::max(hi, coordinate(k, d));
                }
                if (hi - lo > longest) {
                    longest = hi - lo;
                    axis = d;
                }
            }
            const int middle = (node.begin + node.end) / 2;
            std::nth_element(order.begin() + node.begin, order.begin() + middle, order.begin() + node.end,
                             [&](int32_t a, int32_t b) {
                                 const double x = points[static_cast<std::size_t>(a) * dim + axis];
                                 const double y = points[static_cast<std::size_t>(b) * dim + axis];
                                 return x != y ? x < y : a < b;
                             });
            nodes[n].child = static_cast<int>(nodes.size());
            nodes.push_back({node.begin, middle, 0});
            nodes.push_back({middle, node.end, 0});
        }
    }

    template <class Visit>
    void split(Place place, const Visit& visit) const {
        if (is_point(place)) return visit(place);
        const Node& node = nodes[place];
        if (node.child) {
            visit(node.child);
            visit(node.child + 1);
        } else
            for (int k = node.begin; k < node.end; ++k) visit(~k);
    }

    // Something for every node, from points and from children.
    template <class OfPoint, class Join>
    void fold(const OfPoint& of_point, const Join& join) const {
        for (int n = static_cast<int>(nodes.size()) - 1; n >= 0; --n) {
            if (nodes[n].child) {
                join(n, nodes[n].child);
                join(n, nodes[n].child + 1);
            } else
                for (int k = nodes[n].begin; k < nodes[n].end; ++k) of_point(n, k);
        }
    }
};

// Points that belong to a tree's candidates (positions, or anchors), with the box around those of every node.
struct KdView {
    int dim;
    std::vector<double> points;  // (K, D) in the tree's order
    std::vector<double> lo, hi;  // (nodes, D)

    KdView(const double* of_candidates, const KdTree& tree)
        : dim(tree.dim), points(static_cast<std::size_t>(tree.count) * dim), lo(tree.nodes.size() * dim, INF),
          hi(tree.nodes.size() * dim, -INF) {
        for (int k = 0; k < tree.count; ++k)
            std::copy_n(of_candidates + static_cast<std::size_t>(tree.order[k]) * dim, dim, points.data() + at(k));
        const auto grow = [&](int node, const double* low, const double* high) {
            for (int d = 0; d < dim; ++d) {
                lo[at(node) + d] = std::min(lo[at(node) + d], low[d]);
                hi[at(node) + d] = std::max(hi[at(node) + d], high[d]);
            }
        };
        tree.fold([&](int node, int k) { grow(node, points.data() + at(k), points.data() + at(k)); },
                  [&](int node, int child) { grow(node, lo.data() + at(child), hi.data() + at(child)); });
    }
    std::size_t at(int index) const { return static_cast<std::size_t>(index) * dim; }
    const double* low(Place place) const { return is_point(place) ? points.data() + at(~place) : lo.data() + at(place); }
    const double* high(Place place) const { return is_point(place) ? points.data() + at(~place) : hi.data() + at(place); }
};

// Scores of a tree's candidates, with the highest of every node.
struct KdScores {
    std::vector<double> value;    // (K,) in the tree's order
    std::vector<double> highest;  // (nodes,)

    KdScores(const double* of_candidates, const KdTree& tree) : value(tree.count), highest(tree.nodes.size(), -INF) {
        for (int k = 0; k < tree.count; ++k) value[k] = of_candidates[tree.order[k]];
        tree.fold([&](int node, int k) { highest[node] = std::max(highest[node], value[k]); },
                  [&](int node, int child) { highest[node] = std::max(highest[node], highest[child]); });
    }
    double at(Place place) const { return is_point(place) ? value[~place] : highest[place]; }
    double max() const { return highest[0]; }
};

}  // namespace partgraph
