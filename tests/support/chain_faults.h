#pragma once
// The ways in which a scripted peer serves its chain badly: `chain-fault=NAME[@HEIGHT]`. Several
// may come together. Where a fault changes a block of an answer, it is that of HEIGHT, and answers
// without it are good; without a HEIGHT it is the one in the middle of every answer.

#include <cstdint>
#include <optional>
#include <string_view>

namespace timectl::test {

enum class ChainFaultKind : std::uint8_t {
  wrong_parent,  // the block names another parent
  wrong_hash,    // a field of its header is another one: it is not the block that was announced
  gap,           // the block is left out
  repeat,        // the block comes twice
  wrong_range,   // one block further than asked (back, at the tip); with HEIGHT: always from there
  unasked,       // blocks that nobody asked for, at the start and with each ping: from HEIGHT or 1
  huge,          // blocks of 4,000,000 bytes, one an answer; that of HEIGHT has a byte more
  height_max,    // claims 2^63, or HEIGHT
  empty,         // blocks are asked for in vain: empty answers,
  silent,        // or none, although it tells its tip
  half,          // the first half of a frame of blocks, and nothing more on this connection
  two_tips,      // its tip and another hash in turn, for the same height or the block at HEIGHT
  stale,         // tells the tip that it had at HEIGHT, or at half of its height
  slow,          // one block an answer
};

struct ChainFault {
  ChainFaultKind kind = ChainFaultKind::slow;
  std::optional<std::uint64_t> height = {};
};

// As in `wrong-parent@7`; none where it is no such word.
[[nodiscard]] std::optional<ChainFault> parse_chain_fault(std::string_view text);

}  // namespace timectl::test
