// The order in which candidates are cut into blocks: close together in space means close together in the order.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace partgraph {

inline void prefetch(const void* address) {
#if defined(__GNUC__)
    __builtin_prefetch(address);
#else
    (void)address;
#endif
}

constexpr int BLOCK = 64;  // candidates per block: measured best for one flat level of boxes
constexpr double INF = std::numeric_limits<double>::infinity();

// Points of one part, (K, D), row after row.
struct Points {
    const double* x;
    int count, dim;

    const double* row(int label) const { return x + static_cast<std::size_t>(label) * dim; }
};

// How far a set of points spreads along each axis.
struct Extent {
    std::vector<double> lo, hi;

    explicit Extent(int dim) : lo(dim, INF), hi(dim, -INF) {}
    void add(const double* point) {
        for (std::size_t d = 0; d < lo.size(); ++d) {
            lo[d] = std::min(lo[d], point[d]);
            hi[d] = std::max(hi[d], point[d]);
        }
    }
    double along(int d) const { return hi[d] - lo[d]; }

    // The side of `blocks` cubes that fill this space; axes without an extent do not count.
    double side(double blocks) const {
        double volume = 1.0;
        int axes = 0;
        for (std::size_t d = 0; d < lo.size(); ++d)
            if (hi[d] > lo[d] && std::isfinite(hi[d] - lo[d])) {
                volume *= hi[d] - lo[d];
                ++axes;
            }
        return axes ? std::pow(volume / blocks, 1.0 / axes) : 0.0;
    }
};

// Sort-tile-recursive order (Leutenegger, Lopez and Edgington, 1997): sort along the first axis, cut into slabs,
// sort each slab along the second axis, cut, and so on. Slabs hold whole blocks. On a regular grid whose sides are
// multiples of four this gives the 4 x 4 x 4 blocks, without being told about the grid. Of more than three axes the
// three longest are sorted along.
class SpatialOrder {
  public:
    SpatialOrder(Points points, int32_t* order) : points_(points), order_(order) {
        if (points.count <= BLOCK) {
            for (int k = 0; k < points.count; ++k) order[k] = k;
            return;
        }
        start_.resize(BINS + 1);
        spare_.resize(points.count);
        std::vector<uint64_t> keys = measure();
        tile(keys.data(), spare_.data(), 0, points.count, 0);
    }

  private:
    // A candidate is one number: its bin along each axis, and its label.
    static constexpr int AXES = 3, BITS = 10, BINS = 1 << BITS, LABEL_BITS = 31;
    static int32_t label(uint64_t key) { return static_cast<int32_t>(key & ((uint64_t{1} << LABEL_BITS) - 1)); }

    struct Axis {
        int d, slabs;
        double lo, scale;
    };

    // The axes to sort along, with slabs in proportion to their lengths, so that blocks come out as cubes.
    std::vector<uint64_t> measure() {
        Extent extent(points_.dim);
        for (int k = 0; k < points_.count; ++k) extent.add(points_.row(k));
        const double blocks = std::ceil(static_cast<double>(points_.count) / BLOCK), side = extent.side(blocks);
        for (int d = 0; d < points_.dim; ++d) {
            const double scale = BINS * (1.0 - 1e-9) / extent.along(d);
            if (!(extent.along(d) > 0) || !std::isfinite(scale) || scale == 0) continue;
            const double slabs = side > 0 ? std::round(extent.along(d) / side) : 1.0;
            axes_.push_back({d, static_cast<int>(std::clamp(slabs, 1.0, blocks)), extent.lo[d], scale});
        }
        if (axes_.size() > AXES) {
            std::stable_sort(axes_.begin(), axes_.end(), [](const Axis& a, const Axis& b) { return a.scale < b.scale; });
            axes_.resize(AXES);
        }
        std::vector<uint64_t> keys(points_.count);
        for (int k = 0; k < points_.count; ++k) {
            const double* point = points_.row(k);
            keys[k] = k;
            int shift = LABEL_BITS;
            for (const Axis& axis : axes_) {
                keys[k] |= static_cast<uint64_t>((point[axis.d] - axis.lo) * axis.scale) << shift;
                shift += BITS;
            }
        }
        return keys;
    }

    void tile(uint64_t* from, uint64_t* to, int begin, int end, std::size_t axis) {
        if (axis == axes_.size() || (axis > 0 && end - begin <= BLOCK)) {
            for (int k = begin; k < end; k += BLOCK) emit(from + k, std::min(BLOCK, end - k), order_ + k);
            return;
        }
        sort_along(from, to, begin, end, static_cast<int>(axis));
        const int blocks = (end - begin + BLOCK - 1) / BLOCK;
        const int slab = (blocks + axes_[axis].slabs - 1) / axes_[axis].slabs * BLOCK;
        for (int k = begin; k < end; k += slab) tile(to, from, k, std::min(k + slab, end), axis + 1);
    }

    // Stable counting sort by bin, which is all the order a block needs. Where most points share a bin (far
    // outliers stretch the axis), an ordinary sort by coordinate.
    void sort_along(uint64_t* from, uint64_t* to, int begin, int end, int axis) {
        const int count = end - begin;
        int bits = BITS;
        while (bits > 6 && (1 << bits) > count) --bits;
        const int bins = 1 << bits, shift = LABEL_BITS + BITS * (axis + 1) - bits;
        const auto bin = [&](uint64_t key) { return static_cast<int>(key >> shift) & (bins - 1); };
        std::fill_n(start_.begin(), bins + 1, 0);
        for (int k = begin; k < end; ++k) ++start_[bin(from[k]) + 1];
        if (*std::max_element(start_.begin(), start_.begin() + bins + 1) > count / 2) {
            const int d = axes_[axis].d;
            std::copy(from + begin, from + end, to + begin);
            std::stable_sort(to + begin, to + end, [&](uint64_t a, uint64_t b) {
                return points_.row(label(a))[d] < points_.row(label(b))[d];
            });
            return;
        }
        for (int b = 0; b < bins; ++b) start_[b + 1] += start_[b];
        for (int k = begin; k < end; ++k) to[begin + start_[bin(from[k])]++] = from[k];
    }

    // Inside a block, cells of its box in Morton order: runs of eight are close together as well.
    void emit(const uint64_t* block, int count, int32_t* order) const {
        const int axes = static_cast<int>(axes_.size()), bits = axes == 3 ? 2 : axes == 2 ? 3 : 6;
        int cell[BLOCK] = {}, place[BLOCK + 1] = {};
        for (int axis = 0; axis < axes; ++axis) {
            const auto bin = [&](int k) { return static_cast<int>(block[k] >> (LABEL_BITS + BITS * axis)) & (BINS - 1); };
            int lo = BINS, hi = 0;
            for (int k = 0; k < count; ++k) {
                lo = std::min(lo, bin(k));
                hi = std::max(hi, bin(k));
            }
            for (int k = 0; k < count; ++k) {
                const int along = ((bin(k) - lo) << bits) / (hi - lo + 1);
                for (int bit = 0; bit < bits; ++bit) cell[k] |= (along >> bit & 1) << (bit * axes + axis);
            }
        }
        for (int k = 0; k < count; ++k) ++place[cell[k] + 1];
        for (int c = 0; c < BLOCK; ++c) place[c + 1] += place[c];
        for (int k = 0; k < count; ++k) order[place[cell[k]]++] = label(block[k]);
    }

    Points points_;
    int32_t* order_;
    std::vector<Axis> axes_;
    std::vector<int> start_;
    std::vector<uint64_t> spare_;
};

// Whether runs of this order (null: of the points as they come) are about as small as blocks should be. Looks at a
// few runs and at as many points from everywhere: a wrong answer costs time, nothing else.
inline bool is_compact(Points points, const int32_t* order) {
    constexpr int RUNS = 4;
    const int blocks = points.count / BLOCK;
    if (blocks < 2 * RUNS) return false;
    int sample[RUNS + 1][BLOCK];  // the runs, and points from everywhere
    for (int run = 0; run < RUNS; ++run)
        for (int k = 0; k < BLOCK; ++k) sample[run][k] = (2 * run + 1) * blocks / (2 * RUNS) * BLOCK + k;
    for (int k = 0; k < BLOCK; ++k)  // multiples of the golden ratio: equal steps would all meet the same plane of a grid
        sample[RUNS][k] = static_cast<int>(std::fmod(k * 0.6180339887498949, 1.0) * points.count);
    for (auto& run : sample)
        for (int& label : run) {
            if (order) label = order[label];
            prefetch(points.row(label));
        }
    Extent all(points.dim);
    for (int label : sample[RUNS]) all.add(points.row(label));
    const double side = all.side(static_cast<double>(points.count) / BLOCK);
    double found = 0, ideal = 0;
    for (int d = 0; d < points.dim; ++d) ideal += std::min(side, all.along(d));
    for (int run = 0; run < RUNS; ++run) {
        Extent extent(points.dim);
        for (int label : sample[run]) extent.add(points.row(label));
        for (int d = 0; d < points.dim; ++d) found += extent.along(d) / RUNS;
    }
    return found <= 1.5 * ideal;
}

// The same blocks for points that come row by row from a square or a cube, without sorting them. False where they do not.
inline bool raster_order(Points points, int32_t* order) {
    constexpr int SIDE = 4;
    const int axes = std::min(points.dim, 3), side = static_cast<int>(std::lround(std::pow(points.count, 1.0 / axes)));
    if (axes < 2 || side < 2 * SIDE || (axes == 2 ? side * side : side * side * side) != points.count) return false;
    const int tile = axes == 2 ? 2 * SIDE : SIDE;  // candidates along each axis of a block
    int cells[BLOCK][3] = {};
    for (int cell = 0; cell < BLOCK; ++cell)  // Morton order
        for (int bit = 0; bit < 6; ++bit) cells[cell][3 - axes + bit % axes] |= (cell >> bit & 1) << (bit / axes);
    for (int x = 0; x < (axes == 3 ? side : 1); x += tile)
        for (int y = 0; y < side; y += tile)
            for (int z = 0; z < side; z += tile)
                for (const int* cell : cells)
                    if ((axes == 2 || x + cell[0] < side) && y + cell[1] < side && z + cell[2] < side)
                        *order++ = ((x + cell[0]) * side + y + cell[1]) * side + z + cell[2];
    return is_compact(points, order - points.count);
}

inline void spatial_order(Points points, int32_t* order) {
    if (!raster_order(points, order)) SpatialOrder(points, order);
}

}  // namespace partgraph
