// When a computation has to end.
#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>

namespace partgraph {

class Deadline {
  public:
    // seconds: from now on; infinite for no limit.
    explicit Deadline(double seconds) : limited_(std::isfinite(seconds)), end_(Clock::now()) {
        if (limited_) end_ += std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(std::min(seconds, MOST)));
    }
    bool passed() const { return limited_ && Clock::now() >= end_; }

  private:
    using Clock = std::chrono::steady_clock;
    static constexpr double MOST = 1e9;  // s: what a clock can count

    bool limited_;
    Clock::time_point end_;
};

}  // namespace partgraph
