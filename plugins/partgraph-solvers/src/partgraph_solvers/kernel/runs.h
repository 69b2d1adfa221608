// Boxes around the runs of LANES candidates in a block: a second, finer level, made only where blocks are looked at often.
//
// In the order of blocks such a run is close together as well. One vector operation compares a group of queries with
// all runs of a block, so that most of a block that may hold the answer need not be looked at.
#pragma once

#include "blocks.h"

namespace partgraph {

// For the blocks of a leaf, as the kernels see them.
struct Runs {
    static constexpr unsigned char WORTH = 2;  // visits to a block without its runs; then they are measured
    unsigned char* visits;                     // (blocks,), up to WORTH + 1
    double* value;                             // (blocks, 1 + 2 C, LANES): highest scores, least and largest coordinates

    static std::size_t size(int blocks, int coordinates) {
        return static_cast<std::size_t>(blocks) * (1 + 2 * coordinates) * LANES;
    }
};

// Room for them, for as long as scores and queries stay the same.
class RunBoxes {
  public:
    RunBoxes(int blocks, int coordinates) : visits_(blocks), storage_(Runs::size(blocks, coordinates)) {}
    Runs runs() { return {visits_.data(), storage_.data()}; }

  private:
    std::vector<unsigned char> visits_;
    Storage storage_;
};

}  // namespace partgraph
