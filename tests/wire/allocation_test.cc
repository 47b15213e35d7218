// Counts every operator new while hostile payloads are decoded. A test program of its own, because
// it replaces the global operators.
#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <new>

#include "daemon/wire/codec.h"
#include "tests/wire/vectors.h"

namespace {
std::size_t counted = 0;
}

void* operator new(std::size_t size) {
  counted += size;
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
void* operator new[](std::size_t size) {
  return operator new(size);
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete[](void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}
void operator delete[](void* memory, std::size_t) noexcept {
  std::free(memory);
}

namespace timectl::wire {
namespace {

namespace json = boost::json;

// What one decode with a fresh arena takes from the heap, in bytes.
std::size_t cost_of(Bytes payload) {
  Arena arena;
  const std::size_t before = counted;
  static_cast<void>(decode_legacy(payload, arena));
  return counted - before;
}

// The arena's own list of blocks, a few pointers each.
constexpr std::size_t bookkeeping = 1024;

TEST(Allocation, DecodingTakesAtMostEightTimesTheFrame) {
  for (const char* file : {"bad", "legacy_blocks", "blocks", "transactions", "masternodes"}) {
    for (const json::value& value : test::load_vectors(test::vector_folders().front(), file)) {
      const auto payload = test::bytes_of(value.as_object(), "payload_hex");
      // Two attempts at most: the strict one and the rescue.
      EXPECT_LE(cost_of(payload), 2 * (max_growth * payload.size() + bookkeeping))
          << test::text_of(value.as_object(), "name");
    }
  }
}

// Every list of every message filled with as many smallest elements as the frame can hold.
TEST(Allocation, ListsOfSmallestElementsStayWithinTheBudget) {
  constexpr std::size_t size = 1 << 20;
  for (std::uint32_t index = 0; index < message_count; ++index) {
    for (const std::size_t element : {8, 16, 34, 48, 246, 262}) {
      std::vector<std::uint8_t> payload(size);
      payload[0] = static_cast<std::uint8_t>(index);
      const std::uint64_t count = (size - 12) / element;
      std::memcpy(payload.data() + 4, &count, 8);
      EXPECT_LE(cost_of(payload), 2 * (max_growth * size + bookkeeping)) << index;
    }
  }
}

TEST(Allocation, TheLargestFrameOfTheWorstListStaysBelow64MiB) {
  std::vector<std::uint8_t> payload(std::size_t{8} << 20);
  payload[0] = 39;  // PendingTransactionsResponse: a transaction grows most
  const std::uint64_t count = (payload.size() - 12) / 34;
  std::memcpy(payload.data() + 4, &count, 8);
  Arena arena;
  EXPECT_TRUE(decode(payload, arena));
  EXPECT_LE(arena.held(), max_decoded_size);
  EXPECT_LE(cost_of(payload), max_decoded_size + bookkeeping);
}

TEST(Allocation, AnAnnouncedCountTakesNothing) {
  std::vector<std::uint8_t> payload(1000);
  payload[0] = 7;
  for (const std::uint64_t count : {std::uint64_t{4}, std::uint64_t{1} << 32, ~std::uint64_t{0},
                                    ~std::uint64_t{0} / 262, (std::uint64_t{1} << 61) + 1}) {
    std::memcpy(payload.data() + 4, &count, 8);
    EXPECT_LE(cost_of(payload), 2 * (max_growth * payload.size() + bookkeeping));
  }
}

TEST(Allocation, SmallMessagesTakeNoMemoryAtAll) {
  const auto ping = from_hex("24000000efcdab8967452301a069636a0000000001b036000000000000").value();
  EXPECT_EQ(cost_of(ping), 0U);
}

TEST(Allocation, AnArenaKeepsAtMostOneModestBlock) {
  Arena arena;
  arena.begin(std::size_t{64} << 20, std::size_t{8} << 20);
  for (int i = 0; i < 1000; ++i) ASSERT_NE(arena.room_for<std::uint8_t>(60000), nullptr);
  EXPECT_GE(arena.held(), 60'000'000U);
  arena.begin(1 << 20, 1 << 20);
  EXPECT_LE(arena.held(), std::size_t{256} << 10);
  EXPECT_EQ(arena.room_for<std::uint8_t>(2 << 20), nullptr);
}

}  // namespace
}  // namespace timectl::wire
