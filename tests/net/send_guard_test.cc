#include "daemon/net/send_guard.h"

#include <gtest/gtest.h>

namespace timectl::net {
namespace {

using namespace std::chrono_literals;

Instant at(Duration since) {
  return Instant(1h + since);
}

std::size_t passed(SendGuard& guard, const wire::OutgoingMessage& message, std::size_t tries,
                   Instant now) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < tries; ++i) count += guard.allows(message, now) ? 1 : 0;
  return count;
}

TEST(SendGuardTest, EachBucketHasTheNumberOfTheProtocol) {
  SendGuard guard;
  EXPECT_EQ(passed(guard, wire::msg::GetPeers{}, 100, at(0s)), 2U);
  EXPECT_EQ(passed(guard, wire::msg::GetMasternodes{}, 100, at(0s)), 2U);
  EXPECT_EQ(passed(guard, wire::msg::Pong{}, 100, at(0s)), 6U);
  EXPECT_EQ(passed(guard, wire::msg::GetGenesisHash{}, 100, at(0s)), 20U);
  EXPECT_EQ(passed(guard, wire::msg::GetPeers{}, 100, at(29s)), 0U);
  EXPECT_EQ(passed(guard, wire::msg::GetPeers{}, 100, at(31s)), 1U);
}

TEST(SendGuardTest, TheSameRangeIsAskedForOnceInTwoSeconds) {
  SendGuard guard;
  wire::msg::GetBlocks request;
  request.start = 1;
  request.end = 50;
  EXPECT_TRUE(guard.allows(request, at(0s)));
  EXPECT_FALSE(guard.allows(request, at(1999ms)));
  auto next = request;
  next.start = 51;
  EXPECT_TRUE(guard.allows(next, at(1999ms)));
  EXPECT_TRUE(guard.allows(request, at(2s)));
}

// A fork search asks height after height; a peer that asks us a lot must not stop it.
TEST(SendGuardTest, QuestionsAboutTheChainHaveABucketOfTheirOwn) {
  SendGuard guard;
  EXPECT_EQ(passed(guard, wire::msg::BlockHashResponse{}, 200, at(0s)), 120U);
  EXPECT_EQ(passed(guard, wire::msg::GetBlockHash{}, 90, at(0s)), 90U);
  EXPECT_EQ(passed(guard, wire::msg::GetChainTip{}, 200, at(0s)), 30U);
  EXPECT_EQ(passed(guard, wire::msg::GetChainTip{}, 200, at(1s)), 60U) << "60 a second";
}

TEST(SendGuardTest, BlocksAreServedFortyEightTimesInTenSeconds) {
  SendGuard guard;
  constexpr std::size_t index_of_blocks = 7;
  EXPECT_TRUE(guard.room(index_of_blocks, at(0s)));
  EXPECT_EQ(passed(guard, wire::StoredBlocksResponse{}, 40, at(0s)), 40U);
  EXPECT_EQ(passed(guard, wire::StoredBlockRangeResponse{}, 40, at(0s)), 8U);
  EXPECT_FALSE(guard.room(index_of_blocks, at(0s)));
  EXPECT_TRUE(guard.room(index_of_blocks, at(1s)));
}

TEST(SendGuardTest, BlocksAreAskedForFortyTimesInTenSeconds) {
  SendGuard guard;
  std::size_t count = 0;
  for (std::uint64_t i = 0; i < 100; ++i) {
    wire::msg::GetBlocks request;
    request.start = i;
    count += guard.allows(request, at(0s)) ? 1 : 0;
  }
  EXPECT_EQ(count, 40U);
}

}  // namespace
}  // namespace timectl::net
