// Pairwise terms other than plain quadratics: values at pairs of points, and bounds over pairs of boxes.
//
// A term works on up to CHUNK pairs at once, axis by axis, so that compilers vectorise its loops. Its operations are those
// of the potential's evaluate() in partgraph/potentials, in the same order: values are the same numbers, and bounds, found
// by the same monotone operations, hold them without a tolerance. log may differ in the last bit and is widened.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <utility>
#include <vector>

#include "partgraph_potential.h"

namespace partgraph {

constexpr int CHUNK = 64;
constexpr int MAX_AXES = 8;

// Points axis by axis: coordinate d of the k-th is at[d * stride + k].
struct Rows {
    const double* at;
    std::int64_t stride;
    double operator()(int d, int k) const { return at[d * stride + k]; }
};
struct RowBoxes {
    Rows lo, hi;
};

class Term {
  public:
    virtual ~Term() = default;
    virtual void values(int count, Rows x, Rows y, double* out) const = 0;
    virtual void bounds(int count, RowBoxes x, RowBoxes y, double* lo, double* hi) const = 0;
};

inline double least(double a, double b) { return a < b ? a : b; }
inline double most(double a, double b) { return a > b ? a : b; }

// The range of e^2 for e in [lo, hi].
inline void square(double lo, double hi, double& low, double& high) {
    const double a = lo * lo, b = hi * hi;
    low = lo <= 0 && hi >= 0 ? 0.0 : least(a, b);
    high = most(a, b);
}

// -(weight * (y - x - offset)^2).sum()
class QuadraticTerm final : public Term {
  public:
    QuadraticTerm(std::vector<double> weight, std::vector<double> offset) : weight_(std::move(weight)), offset_(std::move(offset)) {}

    void values(int count, Rows x, Rows y, double* out) const override {
        for (int k = 0; k < count; ++k) out[k] = 0;
        for (int d = 0; d < dim(); ++d) {
            const double w = weight_[d], o = offset_[d];
            for (int k = 0; k < count; ++k) {
                const double e = y(d, k) - x(d, k) - o;
                out[k] += w * (e * e);
            }
        }
        for (int k = 0; k < count; ++k) out[k] = -out[k];
    }
    void bounds(int count, RowBoxes x, RowBoxes y, double* lo, double* hi) const override {
        for (int k = 0; k < count; ++k) lo[k] = hi[k] = 0;
        for (int d = 0; d < dim(); ++d) {
            const double w = weight_[d], o = offset_[d];
            for (int k = 0; k < count; ++k) {
                double low, high;
                square(y.lo(d, k) - x.hi(d, k) - o, y.hi(d, k) - x.lo(d, k) - o, low, high);
                lo[k] += w * high;
                hi[k] += w * low;
            }
        }
        for (int k = 0; k < count; ++k) lo[k] = -lo[k], hi[k] = -hi[k];
    }

  private:
    int dim() const { return static_cast<int>(weight_.size()); }
    std::vector<double> weight_, offset_;
};

// factor * (|y - x| - length)^2 with factor < 0
class LimbLengthTerm final : public Term {
  public:
    LimbLengthTerm(int dim, double length, double factor) : dim_(dim), length_(length), factor_(factor) {}

    void values(int count, Rows x, Rows y, double* out) const override {
        for (int k = 0; k < count; ++k) out[k] = 0;
        for (int d = 0; d < dim_; ++d)
            for (int k = 0; k < count; ++k) {
                const double e = y(d, k) - x(d, k);
                out[k] += e * e;
            }
        for (int k = 0; k < count; ++k) {
            const double e = std::sqrt(out[k]) - length_;
            out[k] = factor_ * (e * e);
        }
    }
    void bounds(int count, RowBoxes x, RowBoxes y, double* lo, double* hi) const override {
        for (int k = 0; k < count; ++k) lo[k] = hi[k] = 0;
        for (int d = 0; d < dim_; ++d)
            for (int k = 0; k < count; ++k) {
                double low, high;
                square(y.lo(d, k) - x.hi(d, k), y.hi(d, k) - x.lo(d, k), low, high);
                lo[k] += low;
                hi[k] += high;
            }
        for (int k = 0; k < count; ++k) {
            double low, high;
            square(std::sqrt(lo[k]) - length_, std::sqrt(hi[k]) - length_, low, high);
            lo[k] = factor_ * high;
            hi[k] = factor_ * low;
        }
    }

  private:
    int dim_;
    double length_, factor_;
};

// -e' P e / 2 with e = y - x - offset; bounds as in partgraph/potentials/quadratic_form.py, which derives them.
class FullQuadraticTerm final : public Term {
  public:
    // faces: for each face of a box D numbers, 0 or 1 for an axis at its low or high end and 2 for a free one, and D x D
    // numbers, the inverse of the system whose rows ask free axes for a slope of zero.
    FullQuadraticTerm(std::vector<double> precision, std::vector<double> offset, std::vector<double> faces)
        : precision_(std::move(precision)), offset_(std::move(offset)), faces_(std::move(faces)) {}

    void values(int count, Rows x, Rows y, double* out) const override {
        const int n = dim();
        for (int k = 0; k < count; ++k) {
            double e[MAX_AXES], total = 0;
            for (int d = 0; d < n; ++d) e[d] = y(d, k) - x(d, k) - offset_[d];
            for (int i = 0; i < n; ++i) {
                double slope = 0;
                for (int j = 0; j < n; ++j) slope += precision_[i * n + j] * e[j];
                total += e[i] * slope;
            }
            out[k] = -0.5 * total;
        }
    }
    void bounds(int count, RowBoxes x, RowBoxes y, double* lo, double* hi) const override {
        const int n = dim();
        for (int k = 0; k < count; ++k) {
            double low[MAX_AXES], high[MAX_AXES];
            for (int d = 0; d < n; ++d) {
                low[d] = y.lo(d, k) - x.hi(d, k) - offset_[d];
                high[d] = y.hi(d, k) - x.lo(d, k) - offset_[d];
            }
            range(low, high, lo[k], hi[k]);
        }
    }

  private:
    int dim() const { return static_cast<int>(offset_.size()); }

    void range(const double* low, const double* high, double& score_lo, double& score_hi) const {
        const int n = dim();
        const double infinity = std::numeric_limits<double>::infinity();
        double form_lo = -infinity, form_hi = -infinity;
        for (const double* face = faces_.data(); face != faces_.data() + faces_.size(); face += n + n * n) {
            double target[MAX_AXES], point[MAX_AXES];
            for (int d = 0; d < n; ++d) target[d] = face[d] == 2 ? 0.0 : face[d] == 1 ? high[d] : low[d];
            for (int d = 0; d < n; ++d) {
                point[d] = target[d];
                if (face[d] != 2) continue;
                point[d] = 0;
                for (int j = 0; j < n; ++j) point[d] += face[n + d * n + j] * target[j];
                point[d] = most(low[d], least(high[d], point[d]));
            }
            double form = 0, descent = 0;
            for (int i = 0; i < n; ++i) {
                double slope = 0;
                for (int j = 0; j < n; ++j) slope += (precision_[i * n + j] + precision_[j * n + i]) * point[j];
                form += point[i] * slope;
                descent += least(slope * (low[i] - point[i]), slope * (high[i] - point[i]));
            }
            form_lo = most(form / 2 + descent, form_lo);
            form_hi = most(form / 2, form_hi);
        }
        double size = 0;
        for (int i = 0; i < n; ++i) {
            double row = 0;
            for (int j = 0; j < n; ++j)
                row += std::fabs(precision_[i * n + j]) * most(std::fabs(low[j]), std::fabs(high[j]));
            size += most(std::fabs(low[i]), std::fabs(high[i])) * row;
        }
        const double margin =
            8 * (n * n + 2 * n + 3) * std::numeric_limits<double>::epsilon() * size + std::numeric_limits<double>::min();
        score_lo = -0.5 * (form_hi + margin);
        score_hi = -0.5 * (form_lo - margin);
    }

    std::vector<double> precision_, offset_, faces_;
};

using TermPointer = std::shared_ptr<const Term>;

// -rho(r), r = max(0, -score of the base); rho rises, so ends go to ends.
template <class Rho>
class RobustTerm final : public Term {
  public:
    RobustTerm(TermPointer base, Rho rho) : base_(std::move(base)), rho_(rho) {}

    void values(int count, Rows x, Rows y, double* out) const override {
        base_->values(count, x, y, out);
        for (int k = 0; k < count; ++k) out[k] = -rho_(most(-out[k], 0.0));
    }
    void bounds(int count, RowBoxes x, RowBoxes y, double* lo, double* hi) const override {
        base_->bounds(count, x, y, lo, hi);
        for (int k = 0; k < count; ++k) {
            lo[k] = -rho_.above(most(-lo[k], 0.0));
            hi[k] = -rho_.below(most(-hi[k], 0.0));
        }
    }

  private:
    TermPointer base_;
    Rho rho_;
};

struct TruncatedRho {
    double limit;
    double operator()(double r) const { return least(r, limit); }
    double above(double r) const { return (*this)(r); }
    double below(double r) const { return (*this)(r); }
};

struct HuberRho {
    double delta;
    double operator()(double r) const { return least(r, delta * delta) + 2 * delta * most(std::sqrt(r) - delta, 0.0); }
    double above(double r) const { return (*this)(r); }
    double below(double r) const { return (*this)(r); }
};

struct CauchyRho {
    double scale;
    double operator()(double r) const { return scale * logarithm(r); }
    double above(double r) const { return scale * (logarithm(r) + WIDER * std::fabs(logarithm(r))); }
    double below(double r) const { return scale * (logarithm(r) - WIDER * std::fabs(logarithm(r))); }

  private:
    static constexpr double WIDER = 4 * std::numeric_limits<double>::epsilon();
    double logarithm(double r) const { return std::log(1.0 + r * (1.0 / scale)); }
};

// The best of several terms, each with a number added.
class MixtureTerm final : public Term {
  public:
    MixtureTerm(std::vector<TermPointer> modes, std::vector<double> bias) : modes_(std::move(modes)), bias_(std::move(bias)) {}

    void values(int count, Rows x, Rows y, double* out) const override {
        double own[CHUNK];
        for (std::size_t m = 0; m < modes_.size(); ++m) {
            modes_[m]->values(count, x, y, own);
            for (int k = 0; k < count; ++k) out[k] = m ? most(own[k] + bias_[m], out[k]) : own[k] + bias_[m];
        }
    }
    void bounds(int count, RowBoxes x, RowBoxes y, double* lo, double* hi) const override {
        double low[CHUNK], high[CHUNK];
        for (std::size_t m = 0; m < modes_.size(); ++m) {
            modes_[m]->bounds(count, x, y, low, high);
            for (int k = 0; k < count; ++k) {
                lo[k] = m ? most(low[k] + bias_[m], lo[k]) : low[k] + bias_[m];
                hi[k] = m ? most(high[k] + bias_[m], hi[k]) : high[k] + bias_[m];
            }
        }
    }

  private:
    std::vector<TermPointer> modes_;
    std::vector<double> bias_;
};

// A potential's own compiled form.
class ForeignTerm final : public Term {
  public:
    ForeignTerm(std::uintptr_t values, std::uintptr_t bounds, std::vector<double> fields, int dim)
        : values_(reinterpret_cast<partgraph_values>(values)),
          bounds_(reinterpret_cast<partgraph_bounds>(bounds)),
          fields_(std::move(fields)),
          dim_(dim) {}

    void values(int count, Rows x, Rows y, double* out) const override {
        values_(fields_.data(), dim_, count, x.at, x.stride, y.at, y.stride, out);
    }
    void bounds(int count, RowBoxes x, RowBoxes y, double* lo, double* hi) const override {
        bounds_(fields_.data(), dim_, count, x.lo.at, x.hi.at, x.lo.stride, y.lo.at, y.hi.at, y.lo.stride, lo, hi);
    }

  private:
    partgraph_values values_;
    partgraph_bounds bounds_;
    std::vector<double> fields_;
    int dim_;
};

inline TermPointer quadratic_term(std::vector<double> w, std::vector<double> o) { return std::make_shared<QuadraticTerm>(w, o); }
inline TermPointer limb_length_term(int dim, double length, double factor) {
    return std::make_shared<LimbLengthTerm>(dim, length, factor);
}
inline TermPointer full_quadratic_term(std::vector<double> p, std::vector<double> o, std::vector<double> faces) {
    return std::make_shared<FullQuadraticTerm>(p, o, faces);
}
inline TermPointer truncated_term(TermPointer base, double limit) {
    return std::make_shared<RobustTerm<TruncatedRho>>(base, TruncatedRho{limit});
}
inline TermPointer huber_term(TermPointer base, double delta) {
    return std::make_shared<RobustTerm<HuberRho>>(base, HuberRho{delta});
}
inline TermPointer cauchy_term(TermPointer base, double scale) {
    return std::make_shared<RobustTerm<CauchyRho>>(base, CauchyRho{scale});
}
inline TermPointer mixture_term(std::vector<TermPointer> modes, std::vector<double> bias) {
    return std::make_shared<MixtureTerm>(modes, bias);
}
inline TermPointer foreign_term(std::uintptr_t values, std::uintptr_t bounds, std::vector<double> fields, int dim) {
    return std::make_shared<ForeignTerm>(values, bounds, fields, dim);
}

// Repeats point `row` of points (., D), stored point by point, CHUNK times.
inline Rows repeated(const double* points, std::int64_t row, int dim, double* storage) {
    for (int d = 0; d < dim; ++d) std::fill_n(storage + d * CHUNK, CHUNK, points[row * dim + d]);
    return {storage, CHUNK};
}

// out[i, k] = the score of x_i (stored point by point) and y_k (axis by axis); swapped: of y_k and x_i.
inline void outer_values(const Term& term, bool swapped, int dim, std::int64_t rows, const double* x, std::int64_t columns,
                         const double* y, double* out) {
    double storage[MAX_AXES * CHUNK];
    for (std::int64_t i = 0; i < rows; ++i) {
        const Rows own = repeated(x, i, dim, storage);
        for (std::int64_t k = 0; k < columns; k += CHUNK) {
            const int count = static_cast<int>(std::min<std::int64_t>(CHUNK, columns - k));
            const Rows other{y + k, columns};
            term.values(count, swapped ? other : own, swapped ? own : other, out + i * columns + k);
        }
    }
}

// The same for boxes.
inline void outer_bounds(const Term& term, bool swapped, int dim, std::int64_t rows, const double* x_lo, const double* x_hi,
                         std::int64_t columns, const double* y_lo, const double* y_hi, double* lo, double* hi) {
    double low[MAX_AXES * CHUNK], high[MAX_AXES * CHUNK];
    for (std::int64_t i = 0; i < rows; ++i) {
        const RowBoxes own{repeated(x_lo, i, dim, low), repeated(x_hi, i, dim, high)};
        for (std::int64_t k = 0; k < columns; k += CHUNK) {
            const int count = static_cast<int>(std::min<std::int64_t>(CHUNK, columns - k));
            const RowBoxes other{{y_lo + k, columns}, {y_hi + k, columns}};
            const std::int64_t at = i * columns + k;
            term.bounds(count, swapped ? other : own, swapped ? own : other, lo + at, hi + at);
        }
    }
}

// best[i] = max over k of the score of x_i and y_k, plus score_k.
inline void outer_best(const Term& term, bool swapped, int dim, std::int64_t rows, const double* x, std::int64_t columns,
                       const double* y, const double* score, double* best) {
    double storage[MAX_AXES * CHUNK], value[CHUNK];
    for (std::int64_t i = 0; i < rows; ++i) {
        const Rows own = repeated(x, i, dim, storage);
        double top = -std::numeric_limits<double>::infinity();
        for (std::int64_t k = 0; k < columns; k += CHUNK) {
            const int count = static_cast<int>(std::min<std::int64_t>(CHUNK, columns - k));
            const Rows other{y + k, columns};
            term.values(count, swapped ? other : own, swapped ? own : other, value);
            for (int c = 0; c < count; ++c) top = most(value[c] + score[k + c], top);
        }
        best[i] = top;
    }
}

}  // namespace partgraph
