// The best candidates of one part while all others keep theirs.
#pragma once

#include "problem.h"

namespace partgraph {

struct Choice {
    double value;
    int32_t label;
    int index;  // in the part's order
};

// Higher value first, ties by lowest label.
inline bool before(const Choice& a, const Choice& b) { return a.value != b.value ? a.value > b.value : a.label < b.label; }

// The best choice; upper: bounds by block; values(block, out) gives the values of one block.
template <class Values>
Choice best_choice(const double* upper, const Blocks& part, const Values& values) {
    const int first = static_cast<int>(std::max_element(upper, upper + part.blocks) - upper);
    Choice best{-INF, 0, -1};
    double value[BLOCK];
    const auto look = [&](int b) {
        values(b, value);
        for (int k = 0; k < BLOCK; ++k) {
            if (value[k] < best.value || value[k] == -INF) continue;
            const Choice choice{value[k], part.order[b * BLOCK + k], b * BLOCK + k};
            if (best.index < 0 || before(choice, best)) best = choice;
        }
    };
    look(first);
    for (int b = 0; b < part.blocks; ++b)
        if (b != first && upper[b] >= best.value) look(b);
    return best;
}

// The best choices, at most `capacity` and none below `least`, best first. Blocks are looked at in the order of their
// bounds.
class BestChoices {
  public:
    template <class Values>
    void collect(const double* upper, const Blocks& part, double least, std::size_t capacity, const Values& values,
                 std::vector<Choice>& choices) {
        sequence_.clear();
        for (int b = 0; b < part.blocks; ++b)
            if (upper[b] >= least && upper[b] != -INF) sequence_.push_back(b);
        std::sort(sequence_.begin(), sequence_.end(), [&](int a, int b) { return upper[a] > upper[b]; });
        choices.clear();
        double value[BLOCK];
        for (int b : sequence_) {
            if (upper[b] < least) break;
            values(b, value);
            for (int k = 0; k < BLOCK; ++k)
                if (value[k] >= least && value[k] != -INF)
                    choices.push_back({value[k], part.order[b * BLOCK + k], b * BLOCK + k});
            if (choices.size() > capacity) {
                std::nth_element(choices.begin(), choices.begin() + capacity - 1, choices.end(), before);
                choices.resize(capacity);
                least = std::max(least, choices.back().value);
            }
        }
        std::sort(choices.begin(), choices.end(), before);
    }

  private:
    std::vector<int> sequence_;
};

// The best center candidates while every leaf keeps its label (labels by slot, negative where it has none), with their
// values but for the leaves' own scores.
inline std::vector<Choice> best_centers(const Kernels& kernels, const Blocks& positions, const Scores& scores,
                                        const std::vector<Leaf>& leaves, const int32_t* labels, int capacity) {
    std::vector<Coordinate> coordinates;
    std::vector<double> point, upper(positions.padded_blocks);
    for (const Leaf& leaf : leaves) {
        if (labels[leaf.slot] < 0) continue;
        coordinates.insert(coordinates.end(), leaf.coordinates.begin(), leaf.coordinates.end());
        for (const Blocks* compared : leaf.points) {
            const double* row = compared->points.row(labels[leaf.slot]);
            point.insert(point.end(), row, row + compared->dim);
        }
    }
    const int count = static_cast<int>(coordinates.size());
    kernels.center_upper(count, coordinates.data(), point.data(), scores.block_max(), positions.padded_blocks, upper.data());
    const auto values = [&](int block, double* value) {
        kernels.center_values(count, coordinates.data(), point.data(), scores.value(), block, value);
    };
    std::vector<Choice> choices;
    if (capacity == 1) {
        choices.push_back(best_choice(upper.data(), positions, values));
        if (choices[0].index < 0) choices.clear();
    } else {
        BestChoices().collect(upper.data(), positions, -INF, capacity, values, choices);
    }
    return choices;
}

}  // namespace partgraph
