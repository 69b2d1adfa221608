// Memory for large arrays, used again and again.
//
// A system hands out memory as empty pages, one fault for every 4 KiB, and takes it back when it is freed. For the
// blocks of a pose this costs as much as filling them. So arrays that are freed are kept for the next of the same size.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

namespace partgraph {

class Spare {
  public:
    static Spare& pool() {
        static Spare* pool = new Spare;  // never destroyed: arrays may outlive every static object
        return *pool;
    }
    std::unique_ptr<double[]> take(std::size_t size) {
        if (size >= SMALL) {
            const std::lock_guard<std::mutex> lock(mutex_);
            const auto found = free_.find(size);
            if (found != free_.end() && !found->second.empty()) {
                std::unique_ptr<double[]> array = std::move(found->second.back());
                found->second.pop_back();
                held_ -= size;
                return array;
            }
        }
        return std::unique_ptr<double[]>(new double[size]);
    }
    void give(std::unique_ptr<double[]> array, std::size_t size) {
        if (size < SMALL || size > LIMIT) return;
        const std::lock_guard<std::mutex> lock(mutex_);
        if (held_ + size > LIMIT) {  // the sizes of problems have changed
            free_.clear();
            held_ = 0;
        }
        free_[size].push_back(std::move(array));
        held_ += size;
    }

  private:
    static constexpr std::size_t SMALL = std::size_t{1} << 12;  // 32 KiB: below, the allocator keeps memory itself
    static constexpr std::size_t LIMIT = std::size_t{1} << 22;  // 32 MiB: the blocks of 16 parts of 60,000 candidates

    std::mutex mutex_;
    std::unordered_map<std::size_t, std::vector<std::unique_ptr<double[]>>> free_;
    std::size_t held_ = 0;
};

// An array of float64 whose values are not set.
class Storage {
  public:
    explicit Storage(std::size_t size) : size_(size), array_(Spare::pool().take(size)) {}
    ~Storage() { Spare::pool().give(std::move(array_), size_); }
    Storage(const Storage&) = delete;
    Storage& operator=(const Storage&) = delete;

    double* data() { return array_.get(); }
    const double* data() const { return array_.get(); }

  private:
    const std::size_t size_;
    std::unique_ptr<double[]> array_;
};

}  // namespace partgraph
