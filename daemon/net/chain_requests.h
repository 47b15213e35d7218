#pragma once
// Which messages ask about the chain, what answers them, and which carry blocks: for the budgets
// and limits of Session. By index on the wire.

#include <cstddef>

#include "daemon/wire/messages.h"

namespace timectl::net {

struct ChainRequest {
  std::size_t request;
  std::size_t answer;
  bool blocks;  // the answer carries blocks: at most a frame
};

// The row of a request that ChainPort::answer() takes; null for every other message.
[[nodiscard]] const ChainRequest* chain_request(std::size_t index);

[[nodiscard]] bool has_blocks(std::size_t index);       // an answer with blocks
[[nodiscard]] bool asks_for_blocks(std::size_t index);  // a GetBlocks
[[nodiscard]] bool answers_blocks(std::size_t index);   // what a GetBlocks is answered with

}  // namespace timectl::net
