// What a hostile peer can make a visit allocate. A program of its own, because it replaces the
// global operators to see the largest single allocation (T15).
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "daemon/wire/frame.h"
#include "tests/probe/lab.h"

namespace {
std::atomic<std::size_t> largest{0};
}

void* operator new(std::size_t size) {
  std::size_t known = largest;
  while (size > known && !largest.compare_exchange_weak(known, size)) {
  }
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

namespace timectl::probe {
namespace {

constexpr std::size_t kSmall = 1'048'576;

TEST(ProbeMemory, AnnouncedLengthsAllocateNothing) {
  // Over the limit, and at it: then the visit waits for what does not come.
  for (const auto* words : {"frame-len=536870912", "frame-len=4294967295", "frame-len=8388608"}) {
    PeerThread peer(words);
    largest = 0;
    const auto facts = probe_peer(request_to(peer.port()), clock_now, {});
    EXPECT_EQ(facts.handshake.value().outcome, diagnose::Outcome::ok);
    EXPECT_GT(largest, 0U);
    EXPECT_LT(largest, kSmall) << words;
  }
}

TEST(ProbeMemory, TheCountSeesWhatIsLarge) {
  largest = 0;
  { const std::vector<std::uint8_t> block(2 * kSmall); }
  EXPECT_GE(largest, 2 * kSmall);
}

}  // namespace
}  // namespace timectl::probe
