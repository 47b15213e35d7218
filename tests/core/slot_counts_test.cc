#include "daemon/core/slot_counts.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "daemon/core/random.h"

namespace timectl {
namespace {

IpAddress v6(std::uint8_t site, std::uint8_t subnet, std::uint8_t host) {
  IpAddress::Bytes bytes{0x20, 0x01, 0x06, 0x78, 0x00, site, subnet};
  bytes[15] = host;
  return IpAddress(bytes);
}

// The same, counted anew from everything that is held.
SlotUsage counted(const std::map<IpAddress, Holding>& all, const IpAddress& ip, bool without_it,
                  bool with_attempts) {
  SlotUsage use;
  for (const auto& [address, holding] : all) {
    const bool regular = holding.trust == Trust::regular;
    if (without_it && address == ip) continue;
    if (holding.attempt && !(with_attempts && regular)) continue;
    ++use.total;
    if (!regular) continue;
    ++use.regular;
    if (holding.direction == Direction::out) ++use.regular_outbound;
    if (address == ip) ++use.from_ip;
    if (holding.direction == Direction::out) continue;
    if (address.subnet() == ip.subnet()) ++use.from_subnet;
    if (!ip.is_v4() && address.network_group() == ip.network_group()) ++use.from_site;
  }
  return use;
}

TEST(SlotCounts, AgreeWithACountFromScratchAfterEachOfManyChanges) {
  Random random(3);
  SlotCounts counts;
  std::map<IpAddress, Holding> all;
  for (int step = 0; step < 20'000; ++step) {
    const auto low = static_cast<std::uint8_t>(random.below(4));
    const auto high = static_cast<std::uint8_t>(random.below(3));
    const IpAddress ip = random.below(2) == 0 ? IpAddress::v4(64, high, low, 1) : v6(high, low, 1);
    if (random.below(4) == 0) {
      counts.set(ip, std::nullopt);
      all.erase(ip);
    } else {
      Holding h;
      h.trust = random.below(2) == 0 ? Trust::regular : Trust::masternode;
      h.direction = random.below(2) == 0 ? Direction::in : Direction::out;
      h.ready = random.below(2) == 0;
      h.attempt = h.direction == Direction::out && !h.ready;
      if (const auto as_number = random.below(4); as_number != 0) {
        h.as_number = static_cast<std::uint32_t>(as_number);
      }
      counts.set(ip, h);
      all[ip] = h;
    }
    for (std::uint32_t as_number = 1; as_number < 4; ++as_number) {
      ASSERT_EQ(counts.dialled_in_as(as_number), std::ranges::count_if(all, [&](const auto& held) {
                  return held.second.direction == Direction::out &&
                         held.second.trust == Trust::regular && held.second.as_number == as_number;
                }));
    }
    for (const bool without : {false, true}) {
      for (const bool attempts : {false, true}) {
        const SlotUsage got = counts.usage(ip, without, attempts);
        const SlotUsage want = counted(all, ip, without, attempts);
        ASSERT_EQ(got.total, want.total);
        ASSERT_EQ(got.regular, want.regular);
        ASSERT_EQ(got.regular_outbound, want.regular_outbound);
        ASSERT_EQ(got.from_ip, want.from_ip);
        ASSERT_EQ(got.from_subnet, want.from_subnet);
        ASSERT_EQ(got.from_site, want.from_site);
        ASSERT_EQ(counts.dialled_in_group(ip), std::ranges::count_if(all, [&](const auto& held) {
                    return held.second.direction == Direction::out &&
                           held.second.trust == Trust::regular &&
                           held.first.network_group() == ip.network_group();
                  }));
      }
    }
  }
}

TEST(SlotCounts, ForgetTheGroupsThatNobodyIsInAnyMore) {
  SlotCounts counts;
  for (int i = 0; i < 200; ++i) counts.set(v6(1, static_cast<std::uint8_t>(i), 1), Holding{});
  for (int i = 0; i < 200; ++i) counts.set(v6(1, static_cast<std::uint8_t>(i), 1), std::nullopt);
  EXPECT_EQ(counts, SlotCounts{});
}

}  // namespace
}  // namespace timectl
