// A star of candidates, and a star with the unary terms of one solve.
#pragma once

#include <memory>

#include "kernels.h"

namespace partgraph {

struct Leaf {
    int slot = 0;  // where its label stands in a configuration
    const Blocks* positions = nullptr;
    std::vector<const Blocks*> points;  // what each edge compares: the leaf's positions or anchors
    std::vector<Coordinate> coordinates;  // the axes of all edges
    int absorbing = -1;  // first of the coordinates that compare the leaf's own position, if any
    double reach = 0;    // sum_c sqrt(w_c) (max |q_c| + max |y_c|), for the rounding margin

    int size() const { return static_cast<int>(coordinates.size()); }
    int row() const { return by_count(size()); }
};

// What does not depend on unary terms. Blocks are borrowed and must outlive the star.
struct Star {
    int slot = 0;
    const Blocks* positions = nullptr;  // of the center
    std::vector<Leaf> leaves;

    void set_center(int slot_, const Blocks* positions_) {
        slot = slot_;
        positions = positions_;
    }
    void add_leaf(int slot_, const Blocks* positions_) {
        leaves.emplace_back();
        leaves.back().slot = slot_;
        leaves.back().positions = positions_;
    }
    // An edge of the last leaf. base: the center's positions or anchors; point: the leaf's.
    void add_edge(const Blocks* base, const Blocks* point, const double* weight, const double* shift) {
        Leaf& leaf = leaves.back();
        if (leaf.absorbing < 0 && point == leaf.positions) leaf.absorbing = leaf.size();
        leaf.points.push_back(point);
        for (int d = 0; d < base->dim; ++d) {
            leaf.coordinates.push_back({base->axis(d), base->axis_lo(d), base->axis_hi(d), point->axis(d), point->axis_lo(d),
                                        point->axis_hi(d), weight[d], 1.0, shift[d], base->reach(d), point->reach(d)});
            leaf.reach += std::sqrt(weight[d]) * (base->reach(d) + std::fabs(shift[d]) + point->reach(d));
        }
    }
};

// slope . x - h |x - center|^2 on top of a part's scores: what ADMM adds. Nothing where slope is empty.
struct Pull {
    std::vector<double> slope, center;
    double h = 0;
};

// A star with unary scores, and with every pull worked into scores and coordinates.
//
// On the center a pull is a number per candidate. On a leaf, adding it to the scores would be right as well, but
// then block bounds take the best score and the best distance from different corners of a box. Instead the square is
// completed: with c, q = base + shift of an edge, a = c + h and m = (c q + h u) / a,
//
//     -c (q - p)^2 - h (p - u)^2 + s p  =  -a (p - (m + s / 2a))^2  +  s m + s^2 / 4a - (c h / a) (q - u)^2,
//
// which is a leaf of the usual form and a parabola in the center's base. No difference of large numbers appears.
//
// Where no edge compares the leaf's position y, but all compare anchors p, a slope is divided: s p is absorbed, and
// s (y - p) added to the scores. Anchors move with positions as a rule, so that what is left varies little in a block.
class StarProblem {
  public:
    // scores and pulls: of the center, then of the leaves.
    StarProblem(const Kernels& kernels_, const Star& star, const std::vector<const Scores*>& scores,
                const std::vector<Pull>& pulls)
        : kernels(kernels_), slot(star.slot), positions(*star.positions), leaves(star.leaves), scores_(scores) {
        for (std::size_t l = 0; l < leaves.size(); ++l) {
            const Pull& pull = pulls[l + 1];
            if (pull.slope.empty()) continue;
            if (leaves[l].absorbing >= 0) {
                absorb(leaves[l], leaves[l].absorbing, pull);
            } else {
                std::vector<Parabola> left = parabolas(*leaves[l].positions, pull, 1.0);
                if (pull.h == 0) {
                    absorb(leaves[l], 0, pull);
                    for (const Parabola& taken : parabolas(*leaves[l].points[0], pull, -1.0)) left.push_back(taken);
                }
                scores_[l + 1] = add(*scores_[l + 1], *leaves[l].positions, left, 0.0);
            }
        }
        if (!pulls[0].slope.empty())
            for (const Parabola& parabola : parabolas(positions, pulls[0], 1.0)) join(parabola);
        if (!on_center_.empty() || constant_ != 0) scores_[0] = add(*scores_[0], positions, on_center_, constant_);
    }
    const Scores& center() const { return *scores_[0]; }
    const Scores& leaf(int l) const { return *scores_[l + 1]; }
    double magnitude() const { return magnitude_; }  // of the pulls' terms, for the rounding margin

    const Kernels& kernels;
    const int slot;
    const Blocks& positions;
    std::vector<Leaf> leaves;

  private:
    std::vector<Parabola> parabolas(const Blocks& of, const Pull& pull, double sign) {
        std::vector<Parabola> made;
        for (int d = 0; d < of.dim; ++d) {
            made.push_back({of.axis(d), sign * pull.slope[d], sign * pull.h, pull.center[d]});
            const double far = of.reach(d) + std::fabs(pull.center[d]);
            magnitude_ += std::fabs(pull.slope[d]) * of.reach(d) + pull.h * far * far;
        }
        return made;
    }

    // Into the coordinates from `first` on, those of one edge.
    void absorb(Leaf& leaf, int first, const Pull& pull) {
        const double h = pull.h;
        leaf.reach = 0;
        for (int d = 0; d < positions.dim; ++d) {
            Coordinate& k = leaf.coordinates[first + d];
            const double c = k.weight, a = c + h, s = pull.slope[d], u = pull.center[d], shift = k.shift;
            k.weight = a;
            k.scale = c / a;
            k.shift = (c * shift + h * u) / a + s / (2 * a);
            join({k.base, s * c / a, c * h / a, u - shift});
            constant_ += s * (c * shift + h * u) / a + s * s / (4 * a);
            const double far = k.base_reach + std::fabs(shift) + std::fabs(u) + k.point_reach;
            magnitude_ += std::fabs(s) * far + s * s / (4 * a) + h * far * far;
        }
        for (const Coordinate& k : leaf.coordinates)
            leaf.reach += std::sqrt(k.weight) * (k.scale * k.base_reach + std::fabs(k.shift) + k.point_reach);
    }

    // Adds a parabola to those on the center; two on the same array are one:
    // k1 (x - c1)^2 + k2 (x - c2)^2 = (k1 + k2) (x - c)^2 + (k1 k2 / (k1 + k2)) (c1 - c2)^2, c their weighted mean.
    void join(const Parabola& more) {
        for (Parabola& p : on_center_) {
            if (p.x != more.x) continue;
            p.slope += more.slope;
            const double k = p.curvature + more.curvature;
            if (k > 0) {
                const double apart = p.center - more.center;
                constant_ -= p.curvature * more.curvature / k * apart * apart;
                p.center = (p.curvature * p.center + more.curvature * more.center) / k;
                p.curvature = k;
            }
            return;
        }
        on_center_.push_back(more);
    }

    const Scores* add(const Scores& scores, const Blocks& of, const std::vector<Parabola>& terms, double constant) {
        owned_.push_back(std::make_unique<Scores>(scores));
        Scores& sum = *owned_.back();
        kernels.add_parabolas(static_cast<int>(terms.size()), terms.data(), constant, of.padded, sum.value());
        sum.update();
        return &sum;
    }

    std::vector<const Scores*> scores_;
    std::vector<std::unique_ptr<Scores>> owned_;
    std::vector<Parabola> on_center_;
    double constant_ = 0, magnitude_ = 0;
};

}  // namespace partgraph
