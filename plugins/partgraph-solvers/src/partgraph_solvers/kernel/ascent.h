// Complete and polish a configuration: one part at a time takes its best candidate while the others stay (ICM, Besag 1986).
#pragma once

#include <set>

#include "choices.h"
#include "layout.h"
#include "quadratic.h"

namespace partgraph {

// Scores of all candidates of a problem, along the order of their sites. The arrays are borrowed.
class Unaries {
  public:
    Unaries(const Layout& layout, const std::vector<const double*>& scores) : raw_(scores) {
        for (std::size_t part = 0; part < scores.size(); ++part)
            own_.push_back(std::make_shared<const Scores>(scores[part], layout.sites[part]->positions()));
    }
    const std::shared_ptr<const Scores>& of(int part) const { return own_[part]; }
    const double* raw(int part) const { return raw_[part]; }  // (K,), by label

  private:
    std::vector<const double*> raw_;
    std::vector<std::shared_ptr<const Scores>> own_;
};

// The score of a configuration (N,), but for rounding.
inline double score(const Layout& layout, const Unaries& unaries, const int32_t* labels) {
    double sum = 0;
    for (std::size_t part = 0; part < layout.sites.size(); ++part) sum += unaries.raw(static_cast<int>(part))[labels[part]];
    for (const Link& link : layout.links) {
        const Points& x = layout.sites[link.first]->points(link.set);
        const Points& y = layout.sites[link.second]->points(0);
        sum += quadratic(x.row(labels[link.first]), y.row(labels[link.second]), link.weight.data(), link.offset.data(), x.dim);
    }
    return sum;
}

// The best labels of `part` while all others keep theirs, (N,), or have none (-1).
inline std::vector<Choice> best_labels(const Layout& layout, const Unaries& unaries, const Kernels& kernels, int part,
                                       const int32_t* labels, int n_best) {
    return best_centers(kernels, layout.sites[part]->positions(), *unaries.of(part), layout.neighbourhood_stars[part]->leaves,
                        labels, n_best);
}

// Gives labels to parts that have none (-1): each time the part with most labelled neighbours gets the best one.
inline void complete(const Layout& layout, const Unaries& unaries, const Kernels& kernels, int32_t* labels) {
    const int parts = static_cast<int>(layout.sites.size());
    for (;;) {
        int next = -1;
        long most = -1;
        for (int part = 0; part < parts; ++part) {
            if (labels[part] >= 0) continue;
            const std::vector<int>& own = layout.neighbourhoods[part].parts;
            const long known = std::count_if(own.begin() + 1, own.end(), [&](int other) { return labels[other] >= 0; });
            if (known <= most) continue;
            next = part;
            most = known;
        }
        if (next < 0) return;
        const std::vector<Choice> best = best_labels(layout, unaries, kernels, next, labels, 1);
        labels[next] = best.empty() ? 0 : best[0].label;
    }
}

// Moves the parts of a configuration, lowest first, until no move helps; at most `most_moves` times.
inline void polish(const Layout& layout, const Unaries& unaries, const Kernels& kernels, int most_moves, int32_t* labels) {
    std::set<int> waiting;
    for (int part = 0; part < static_cast<int>(layout.sites.size()); ++part) waiting.insert(part);
    for (int move = 0; move < most_moves && !waiting.empty(); ++move) {
        const int part = *waiting.begin();
        waiting.erase(waiting.begin());
        const std::vector<Choice> best = best_labels(layout, unaries, kernels, part, labels, 1);
        if (best.empty() || best[0].label == labels[part]) continue;
        labels[part] = best[0].label;
        const std::vector<int>& moved = layout.neighbourhoods[part].parts;
        waiting.insert(moved.begin() + 1, moved.end());
    }
}

}  // namespace partgraph
