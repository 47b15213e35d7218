#include "daemon/chain/stored_block.h"

#include <algorithm>
#include <vector>

#include "daemon/wire/arena.h"
#include "daemon/wire/codec.h"
#include "daemon/wire/hash.h"

namespace timectl::chain {
namespace {

// On the wire (daemon/wire/block.h): version, height and the parent's hash come first.
constexpr std::size_t height_at = 4;
constexpr std::size_t parent_at = height_at + 8;
constexpr std::size_t place_size = parent_at + 32;

// The numbers and hashes, each of a fixed size, in the order of the header.
constexpr std::size_t fixed_size =
    place_size + 32 /*merkle root*/ + 8 /*timestamp*/ + 8 /*reward*/ + 32 /*attestation root*/ +
    4 * 4 /*tiers*/ + 32 /*vrf output*/ + 8 /*vrf score*/ + 8 /*fees*/ + 8 /*treasury*/;
constexpr std::size_t length_size = 8;  // in front of a text or byte string

std::size_t size_of(std::size_t bytes) {
  return length_size + bytes;
}

// What follows the header of a block without anything in it: four empty lists and a `none`.
constexpr std::size_t empty_rest = 4 * length_size + 1;

std::uint64_t little_endian(const std::uint8_t* bytes) {
  std::uint64_t value = 0;
  for (unsigned i = 0; i < 8; ++i) value |= std::uint64_t{bytes[i]} << (8 * i);
  return value;
}

}  // namespace

std::size_t header_size(const wire::BlockHeader& header) {
  return fixed_size + size_of(header.leader.size()) + size_of(header.vrf_proof.size()) +
         size_of(header.active_masternodes_bitmap.size()) + (header.liveness_recovery ? 2 : 1) +
         size_of(header.producer_signature.size());
}

ChainBlock stored_form(const wire::Block& block, const wire::Hash32& hash) {
  TIMECTL_CHECK(!block.raw.empty());
  const wire::BlockHeader& header = block.header;
  return {header.height,       hash,     header.treasury_balance, header.timestamp,
          header_size(header), block.raw};
}

ChainBlock stored_genesis(wire::Network network) {
  wire::Arena arena;
  const wire::Bytes raw = wire::genesis_block(network);
  wire::Block block = wire::decode_block(raw, arena).value();
  block.raw = raw;
  return stored_form(block, wire::params_of(network).genesis_hash);
}

std::optional<HeaderPlace> place_of(wire::Bytes header) {
  if (header.size() < place_size) return std::nullopt;
  HeaderPlace place;
  place.height = little_endian(header.data() + height_at);
  std::copy_n(header.data() + parent_at, place.previous_hash.size(), place.previous_hash.begin());
  return place;
}

std::optional<ChainTip> read_header(wire::Bytes header) {
  if (header.size() > wire::max_block_size) return std::nullopt;
  std::vector<std::uint8_t> bytes(header.begin(), header.end());
  bytes.resize(bytes.size() + empty_rest);
  wire::Arena arena;
  const auto block = wire::decode_block(bytes, arena);
  if (!block || header_size(block->header) != header.size()) return std::nullopt;
  return ChainTip{parent_from(*block, wire::block_hash(block->header)), block->header.timestamp};
}

std::uint64_t checksum(wire::Bytes raw) {
  const wire::Hash32 hash = wire::sha256(raw.span());
  return little_endian(hash.data());
}

}  // namespace timectl::chain
