// How far rounding can move a score: what is closer than this is decided elsewhere, in the problem's own arithmetic.
#pragma once

#include "problem.h"

namespace partgraph {

// Let u = 2^-53. With a score T and G = |T| + sum of |unary maxima|, every summand of a configuration that scores at
// least T lies within 2 G, so n summands, in whatever order, carry an error of at most 2 n^2 G u. A squared difference
// with weight w and coordinates rounded by at most delta <= 4 u (|q| + |y|) errs by 2 w |d| delta <= 2 sqrt(w 2 G)
// sqrt(w) delta, plus w delta^2. The margin is four such errors: of two configurations, each in the arithmetic of this
// folder and in that of the problem. It is positive even where all numbers are zero: bounds that only just reach a score
// count as reaching it.
class Margin {
  public:
    explicit Margin(const StarProblem& star) : summands_(2), magnitude_(std::fabs(star.center().max()) + star.magnitude()) {
        for (std::size_t l = 0; l < star.leaves.size(); ++l) {
            const Leaf& leaf = star.leaves[l];
            summands_ += 2 + leaf.size();
            reach_ += leaf.reach;
            reach_squared_ += leaf.reach * leaf.reach;
            magnitude_ += std::fabs(star.leaf(static_cast<int>(l)).max());
        }
    }
    double at(double score) const {
        constexpr double u = 1.1102230246251565e-16;
        const double g = std::fabs(score) + magnitude_;
        return 4 * u * (2 * summands_ * summands_ * g + 8 * std::sqrt(2 * g) * reach_ + 16 * u * reach_squared_) +
               std::numeric_limits<double>::min();
    }

  private:
    double summands_, magnitude_, reach_ = 0, reach_squared_ = 0;
};

}  // namespace partgraph
