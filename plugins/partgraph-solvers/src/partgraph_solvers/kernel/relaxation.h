// Stars that share the score of a graph of quadratics: an upper bound, and what it shows to be in no good configuration.
//
// The method, and why it is right, stand in relaxation.py, which does the same for terms of any kind; here it costs
// microseconds a star. Candidates are numbered among those that are left.
#pragma once

#include "ascent.h"
#include "marginals.h"
#include "star.h"

namespace partgraph {

// Scores of what is left of one part's candidates in a star.
class Share {
  public:
    // All of a part, its scores divided by the number of its stars.
    Share(const Unaries& unaries, int part, double stars) : unary_(unaries.raw(part)), stars_(stars), blocked_(unaries.of(part)) {
        if (stars > 1) blocked_ = std::make_shared<const Scores>(*blocked_, stars);
    }
    explicit Share(std::vector<double> values) : values_(std::move(values)) {}

    double value(int k) const { return unary_ ? unary_[k] / stars_ : values_[k]; }
    const Scores& blocked(const Sites& sites) const {
        if (!blocked_) blocked_ = std::make_shared<const Scores>(values_.data(), sites.positions());
        return *blocked_;
    }
    std::shared_ptr<const Share> only(const std::vector<int32_t>& kept) const {
        std::vector<double> values;
        values.reserve(kept.size());
        for (int32_t k : kept) values.push_back(value(k));
        return std::make_shared<const Share>(std::move(values));
    }
    // With only this one of `count` candidates allowed.
    std::shared_ptr<const Share> at(int label, int count) const {
        std::vector<double> values(count, -INF);
        values[label] = value(label);
        return std::make_shared<const Share>(std::move(values));
    }
    std::shared_ptr<const Share> plus(const std::vector<double>& message, double factor) const {
        std::vector<double> values(message.size());
        for (std::size_t k = 0; k < values.size(); ++k) values[k] = value(static_cast<int>(k)) + factor * message[k];
        return std::make_shared<const Share>(std::move(values));
    }

  private:
    const double* unary_ = nullptr;  // of all candidates, borrowed; otherwise values_
    double stars_ = 1;
    std::vector<double> values_;
    mutable std::shared_ptr<const Scores> blocked_;  // as soon as asked for
};

class Relaxation {
  public:
    Relaxation(const Layout& layout, const Unaries& unaries, const Kernels& kernels)
        : layout_(layout), kernels_(kernels), sites_(layout.sites), stars_(layout.share_stars), maxima_(stars_.size(), INF),
          places_(sites_.size()), shares_(stars_.size()) {
        for (int s = 0; s < size(); ++s)
            for (std::size_t slot = 0; slot < parts(s).size(); ++slot)
                places_[parts(s)[slot]].push_back({s, static_cast<int>(slot)});
        for (int s = 0; s < size(); ++s) shares_[s].resize(parts(s).size());
        for (std::size_t part = 0; part < sites_.size(); ++part) {
            const auto equal = std::make_shared<const Share>(unaries, static_cast<int>(part), static_cast<double>(places_[part].size()));
            for (const Place& place : places_[part]) shares_[place.star][place.slot] = equal;
            magnitude_ += std::fabs(unaries.of(static_cast<int>(part))->max());
            labels_.emplace_back(sites_[part]->count());
            std::iota(labels_.back().begin(), labels_.back().end(), 0);
        }
        measure();
    }

    double bound() const { return std::accumulate(maxima_.begin(), maxima_.end(), 0.0); }
    const std::vector<std::vector<int32_t>>& labels() const { return labels_; }  // of the problem, by part

    // Bounds the rounding errors of all shares, and of scores of the problem, together (see relaxation.py).
    double rounding(double score) const {
        constexpr double u = 1.1102230246251565e-16;
        const double g = std::fabs(score) + 2 * magnitude_;
        return 4 * u * (summands_ * g + 8 * std::sqrt(g) * reach_ + 16 * u * reach_ * reach_) +
               std::numeric_limits<double>::min();
    }

    // Maximises the share of star s; returns the labels of its parts, none if time was over.
    std::vector<int32_t> solve(int s, const Deadline& deadline) {
        const Outcome outcome = maximum(s, shares_[s], deadline);
        maxima_[s] = std::min(maxima_[s], outcome.upper_bound);
        if (!outcome.proven) return {};
        return first_of(outcome, s);
    }

    // Drops what star s shows to be in no configuration of this score, and hands on what the others lack to the stars
    // `ahead`. False, and nothing changes, if time was over.
    bool drop(int s, double score, const std::vector<char>& ahead, const Deadline& deadline) {
        const double others = bound() - maxima_[s];
        const StarProblem problem(kernels_, star(s), scores_of(s, shares_[s]), pulls(s));
        const std::vector<Marginals> found = max_marginals(problem, score - others - 2 * rounding(score), deadline);
        if (found.empty()) return false;
        for (const Marginals& own : found)
            if (own.labels.empty()) return true;  // numbers overflowed: they show nothing
        maxima_[s] = std::min(maxima_[s], *std::max_element(found[0].values.begin(), found[0].values.end()));
        for (std::size_t slot = 0; slot < found.size(); ++slot) keep(parts(s)[slot], found[slot].labels);
        hand_on(s, found, ahead);
        ++summands_;
        return true;
    }

    // Keeps these candidates of a part only, ascending numbers among those that are left.
    void keep(int part, const std::vector<int32_t>& kept) {
        if (kept.size() == labels_[part].size()) return;
        sites_[part] = std::make_shared<const Sites>(*sites_[part], kept);
        std::vector<int32_t> labels(kept.size());
        for (std::size_t k = 0; k < kept.size(); ++k) labels[k] = labels_[part][kept[k]];
        labels_[part] = std::move(labels);
        const std::vector<Place>& places = places_[part];
        std::vector<std::shared_ptr<const Share>> before, after;  // stars have one in common until the first message
        for (const Place& place : places) {
            std::shared_ptr<const Share>& own = shares_[place.star][place.slot];
            const std::size_t seen = std::find(before.begin(), before.end(), own) - before.begin();
            if (seen == before.size()) {
                before.push_back(own);
                after.push_back(own->only(kept));
            }
            own = after[seen];
            stars_[place.star].reset();
        }
    }

    // A configuration from the best of one star. The others follow, each time the one with most of its parts labelled,
    // and keep those labels. Empty if time was over.
    std::vector<int32_t> rounded(int first, const Deadline& deadline) {
        std::vector<int32_t> labels(sites_.size(), -1);
        std::vector<char> done(size(), 0);
        for (int s = first; s >= 0; s = most_labelled(done, labels)) {
            done[s] = 1;
            std::vector<std::shared_ptr<const Share>> shares = shares_[s];
            bool open = false;
            for (std::size_t slot = 0; slot < shares.size(); ++slot) {
                const int32_t label = labels[parts(s)[slot]];
                if (label >= 0)
                    shares[slot] = shares[slot]->at(label, sites_[parts(s)[slot]]->count());
                else
                    open = true;
            }
            if (!open) continue;
            const Outcome outcome = maximum(s, shares, deadline);
            if (!outcome.proven) return {};
            const std::vector<int32_t> found = first_of(outcome, s);
            for (std::size_t slot = 0; slot < found.size(); ++slot) labels[parts(s)[slot]] = found[slot];
        }
        return labels;
    }

  private:
    struct Place {
        int star, slot;
    };
    using Shares = std::vector<std::shared_ptr<const Share>>;

    int size() const { return static_cast<int>(stars_.size()); }
    const std::vector<int>& parts(int s) const { return layout_.shares[s].parts; }
    const std::vector<Pull>& pulls(int s) const { return layout_.shares[s].pulls; }
    const Star& star(int s) {
        if (!stars_[s]) stars_[s] = layout_.star(layout_.shares[s], sites_, true);
        return *stars_[s];
    }
    std::vector<const Scores*> scores_of(int s, const Shares& shares) const {
        std::vector<const Scores*> scores;
        for (std::size_t slot = 0; slot < shares.size(); ++slot)
            scores.push_back(&shares[slot]->blocked(*sites_[parts(s)[slot]]));
        return scores;
    }
    Outcome maximum(int s, const Shares& shares, const Deadline& deadline) {
        const StarProblem problem(kernels_, star(s), scores_of(s, shares), pulls(s));
        return Search(problem, 1, deadline).run(-1);
    }
    std::vector<int32_t> first_of(const Outcome& outcome, int s) const {
        return outcome.found.empty() ? std::vector<int32_t>(parts(s).size(), 0) : outcome.found[0].labels;
    }

    void hand_on(int s, const std::vector<Marginals>& found, const std::vector<char>& ahead) {
        std::vector<std::vector<Place>> later(found.size());
        int receivers = 0, senders = 0;
        for (std::size_t slot = 0; slot < found.size(); ++slot) {
            bool sends = false;
            for (const Place& place : places_[parts(s)[slot]])
                if (ahead[place.star])
                    later[slot].push_back(place);
                else
                    sends |= place.star != s;
            receivers += !later[slot].empty();
            senders += sends;
        }
        const double weight = 1.0 / std::max({receivers, senders, 1});
        for (std::size_t slot = 0; slot < found.size(); ++slot) {
            std::vector<double> message = found[slot].values;
            if (later[slot].empty() || message.size() < 2) continue;
            for (double& value : message) value = weight * std::max(maxima_[s] - value, 0.0);
            shares_[s][slot] = shares_[s][slot]->plus(message, 1.0);
            for (const Place& place : later[slot]) {
                std::shared_ptr<const Share>& own = shares_[place.star][place.slot];
                own = own->plus(message, -1.0 / static_cast<double>(later[slot].size()));
            }
            magnitude_ += *std::max_element(message.begin(), message.end());
        }
    }

    // The open star with the largest share of its parts labelled; -1 if none is open.
    int most_labelled(const std::vector<char>& done, const std::vector<int32_t>& labels) const {
        int best = -1;
        double most = -1;
        for (int s = 0; s < size(); ++s) {
            const auto known = std::count_if(parts(s).begin(), parts(s).end(), [&](int part) { return labels[part] >= 0; });
            const double share = static_cast<double>(known) / static_cast<double>(parts(s).size());
            if (done[s] || share <= most) continue;
            best = s;
            most = share;
        }
        return best;
    }

    // For rounding(): how many summands there are, how large, and how large coordinates are for quadratics' widths. A
    // slope that the search absorbs moves the offset by slope / (2 weight); from anchors it is absorbed, and taken away.
    void measure() {
        std::size_t copies = 0;
        for (const std::vector<Place>& places : places_) copies += places.size();
        const int dim = sites_[0]->positions().dim;
        summands_ = 8.0 + static_cast<double>(sites_.size() + layout_.links.size() + 3 * dim * copies);
        for (int s = 0; s < size(); ++s) {
            std::vector<double> slope(dim, 0.0);
            for (std::size_t slot = 0; slot < parts(s).size(); ++slot)
                for (std::size_t d = 0; d < pulls(s)[slot].slope.size(); ++d) {
                    const double own = std::fabs(pulls(s)[slot].slope[d]);
                    slope[d] += own;
                    magnitude_ += own * sites_[parts(s)[slot]]->reach(0);
                }
            for (int e : layout_.shares[s].links) {
                const Link& link = layout_.links[e];
                const double far = sites_[link.first]->reach(link.set) + sites_[link.second]->reach(0);
                const std::size_t slot = std::find(parts(s).begin(), parts(s).end(), link.first) - parts(s).begin();
                if (slot > 0 && link.set > 0)
                    for (double own : pulls(s)[slot].slope) magnitude_ += 2 * std::fabs(own) * sites_[link.first]->reach(link.set);
                for (int d = 0; d < dim; ++d)
                    reach_ += std::sqrt(link.weight[d]) * (far + std::fabs(link.offset[d]) + slope[d] / (2 * link.weight[d]));
            }
        }
    }

    const Layout& layout_;
    const Kernels& kernels_;
    PartSites sites_;
    std::vector<std::shared_ptr<const Star>> stars_;  // over what is left; none where that has changed
    std::vector<double> maxima_;                      // upper bounds of the shares' maxima
    std::vector<std::vector<Place>> places_;          // the stars of a part, and its number there
    std::vector<Shares> shares_;                      // by star and its parts
    std::vector<std::vector<int32_t>> labels_;
    double summands_ = 0, magnitude_ = 0, reach_ = 0;
};

}  // namespace partgraph
