#include "daemon/wire/blake3.h"

#include <algorithm>
#include <bit>
#include <cstring>

// The input is cut into chunks of 1024 bytes, a chunk into blocks of 64. Each chunk gives a
// chaining value; chaining values are joined in pairs in a left-full binary tree, and the last
// node, compressed with the flag `root`, is the hash.

namespace timectl::wire {
namespace {

using Words = std::array<std::uint32_t, 8>;     // a chaining value
using Block16 = std::array<std::uint32_t, 16>;  // one block of message

constexpr std::size_t chunk_size = 1024;
constexpr std::size_t block_size = 64;

// Flags that keep the uses of the compression apart.
constexpr std::uint32_t chunk_start = 1;
constexpr std::uint32_t chunk_end = 2;
constexpr std::uint32_t parent = 4;
constexpr std::uint32_t root = 8;

constexpr Words initial{0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A,
                        0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19};

constexpr std::array<std::uint8_t, 16> permutation{2, 6,  3,  10, 7, 0,  4,  13,
                                                   1, 11, 12, 5,  9, 14, 15, 8};

void quarter(Block16& s, std::size_t a, std::size_t b, std::size_t c, std::size_t d,
             std::uint32_t x, std::uint32_t y) {
  s[a] = s[a] + s[b] + x;
  s[d] = std::rotr(s[d] ^ s[a], 16);
  s[c] = s[c] + s[d];
  s[b] = std::rotr(s[b] ^ s[c], 12);
  s[a] = s[a] + s[b] + y;
  s[d] = std::rotr(s[d] ^ s[a], 8);
  s[c] = s[c] + s[d];
  s[b] = std::rotr(s[b] ^ s[c], 7);
}

Words compress(const Words& chain, Block16 m, std::uint64_t counter, std::uint32_t length,
               std::uint32_t flags) {
  Block16 s{};
  std::copy(chain.begin(), chain.end(), s.begin());
  std::copy(initial.begin(), initial.begin() + 4, s.begin() + 8);
  s[12] = static_cast<std::uint32_t>(counter);
  s[13] = static_cast<std::uint32_t>(counter >> 32);
  s[14] = length;
  s[15] = flags;
  for (int round = 0; round < 7; ++round) {
    quarter(s, 0, 4, 8, 12, m[0], m[1]);
    quarter(s, 1, 5, 9, 13, m[2], m[3]);
    quarter(s, 2, 6, 10, 14, m[4], m[5]);
    quarter(s, 3, 7, 11, 15, m[6], m[7]);
    quarter(s, 0, 5, 10, 15, m[8], m[9]);
    quarter(s, 1, 6, 11, 12, m[10], m[11]);
    quarter(s, 2, 7, 8, 13, m[12], m[13]);
    quarter(s, 3, 4, 9, 14, m[14], m[15]);
    Block16 next{};
    for (std::size_t i = 0; i < 16; ++i) next[i] = m[permutation[i]];
    m = next;
  }
  Words out{};
  for (std::size_t i = 0; i < 8; ++i) out[i] = s[i] ^ s[i + 8];
  return out;
}

// The chaining value of one chunk (at most 1024 bytes; only the whole input may be empty).
Words chunk_value(std::span<const std::uint8_t> chunk, std::uint64_t index, std::uint32_t last) {
  Words chain = initial;
  std::uint32_t flags = chunk_start;
  for (;;) {
    const std::size_t length = std::min(chunk.size(), block_size);
    Block16 m{};
    if (length > 0) std::memcpy(m.data(), chunk.data(), length);
    chunk = chunk.subspan(length);
    if (chunk.empty()) flags |= chunk_end | last;
    chain = compress(chain, m, index, static_cast<std::uint32_t>(length), flags);
    if (chunk.empty()) return chain;
    flags = 0;
  }
}

Words parent_value(const Words& left, const Words& right, std::uint32_t last) {
  Block16 m{};
  std::copy(left.begin(), left.end(), m.begin());
  std::copy(right.begin(), right.end(), m.begin() + 8);
  return compress(initial, m, 0, block_size, parent | last);
}

}  // namespace

Hash32 blake3(std::span<const std::uint8_t> data) {
  // pending[k] is the value of a full subtree that waits for its right sibling; sizes fall from
  // left to right, like the bits of the number of chunks done. 54 levels are more than memory can
  // hold.
  std::array<Words, 54> pending{};
  std::size_t depth = 0;
  std::uint64_t index = 0;
  while (data.size() > chunk_size) {
    Words value = chunk_value(data.first(chunk_size), index, 0);
    data = data.subspan(chunk_size);
    ++index;
    for (std::uint64_t done = index; (done & 1U) == 0; done >>= 1) {
      value = parent_value(pending[--depth], value, 0);
    }
    pending[depth++] = value;
  }
  Words value = chunk_value(data, index, depth == 0 ? root : 0);
  while (depth > 0) {
    --depth;
    value = parent_value(pending[depth], value, depth == 0 ? root : 0);
  }
  Hash32 out{};
  std::memcpy(out.data(), value.data(), out.size());
  return out;
}

}  // namespace timectl::wire
