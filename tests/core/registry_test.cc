#include "daemon/core/registry.h"

#include <gtest/gtest.h>

namespace timectl {
namespace {

using namespace std::chrono_literals;
const IpAddress kA = IpAddress::v4(1, 1, 1, 1);
const LivenessPolicy kPolicy;

Now at(Duration d) {
  return {Instant{1h} + d,
          WallTime{1000h} + std::chrono::duration_cast<std::chrono::milliseconds>(d)};
}
bool nobody(const IpAddress&) {
  return false;
}
bool everybody(const IpAddress&) {
  return true;
}

TEST(Registry, SilentForFiveMinutesIsOfflineAndAnHourLaterForgotten) {
  Registry registry(10);
  registry.claimed(kA, "Gold", at(0s));
  EXPECT_EQ(registry.view(kPolicy, nobody, at(299s))[0].status, "online");
  EXPECT_EQ(registry.view(kPolicy, nobody, at(300s))[0].status, "offline");
  registry.sweep(kPolicy, nobody, at(300s + 3599s));
  EXPECT_EQ(registry.size(), 1U);
  registry.sweep(kPolicy, nobody, at(300s + 3600s));
  EXPECT_EQ(registry.size(), 0U);
}

TEST(Registry, AConnectedPeerIsNeverOfflineNorForgotten) {
  Registry registry(10);
  registry.claimed(kA, "", at(0s));
  registry.sweep(kPolicy, everybody, at(100h));
  const auto rows = registry.view(kPolicy, everybody, at(100h));
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].status, "online");
  EXPECT_FALSE(rows[0].tier);
  // and the clock starts when the connection ends
  EXPECT_EQ(registry.view(kPolicy, nobody, at(100h + 299s))[0].status, "online");
}

TEST(Registry, AFloodOfClaimsFindsABound) {
  Registry registry(100);
  for (int i = 0; i < 5000; ++i) {
    registry.claimed(
        IpAddress::v4(8, 8, static_cast<std::uint8_t>(i >> 8), static_cast<std::uint8_t>(i)),
        "Gold", at(0s));
  }
  EXPECT_EQ(registry.size(), 100U);
}

TEST(Registry, StrangersThatFillItKeepNoMasternodeOut) {
  Registry registry(10);
  for (std::uint8_t n = 0; n < 50; ++n) {
    registry.claimed(IpAddress::v4(80, 1, 1, n), "Gold", at(0s));
  }
  EXPECT_EQ(registry.size(), 10U);
  registry.heard(kA, at(1s));
  EXPECT_TRUE(registry.contains(kA));
}

}  // namespace
}  // namespace timectl
