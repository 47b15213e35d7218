#pragma once
// A block as the store keeps it: its bytes in two parts, the header and the rest, so that bodies
// can be given up and headers stay, and nothing is kept twice. The jobs of sync cut blocks here;
// the store reads its own file with it and believes nothing that it finds there. Pure.

#include <cstddef>
#include <cstdint>
#include <optional>

#include "daemon/chain/chain_view.h"
#include "daemon/wire/block.h"

namespace timectl::chain {

// Bytes of the header in today's form.
[[nodiscard]] std::size_t header_size(const wire::BlockHeader& header);

// The block as it is stored; `block.raw` must be there, and outlives it.
[[nodiscard]] ChainBlock stored_form(const wire::Block& block, const wire::Hash32& hash);
[[nodiscard]] ChainBlock stored_genesis(wire::Network network);

// Where a header says that it belongs: two fields at fixed places. None where it is too short.
struct HeaderPlace {
  Height height = 0;
  wire::Hash32 previous_hash{};
};
[[nodiscard]] std::optional<HeaderPlace> place_of(wire::Bytes header);

// Height, hash (computed), balance and time of a header; none where the bytes are not exactly one.
[[nodiscard]] std::optional<ChainTip> read_header(wire::Bytes header);

// Tells a block whose bytes changed in the file. Most of them no hash in the header covers, and
// the peer that got them would hold them against us.
[[nodiscard]] std::uint64_t checksum(wire::Bytes raw);

}  // namespace timectl::chain
