#include "daemon/core/admission.h"

#include <gtest/gtest.h>

#include <vector>

namespace timectl {
namespace {

using namespace std::chrono_literals;

EvictionCandidate candidate(std::uint64_t id, IpAddress ip, Duration age) {
  EvictionCandidate c;
  c.id = id;
  c.ip = ip;
  c.ready = true;
  c.age = age;
  c.useful_bytes = 1000;
  return c;
}

SlotPolicy small() {
  SlotPolicy policy;
  policy.max_connections = 5;
  policy.reserved_masternode_slots = 2;
  policy.outbound_regular = 1;
  policy.max_per_subnet = 2;
  return policy;
}

// The whole state space of five slots: the promises of S1 to S3 hold in each of its states.
TEST(Admission, EveryStateOfASmallNodeKeepsThePromises) {
  const SlotPolicy policy = small();
  const std::vector<EvictionCandidate> one = {candidate(7, IpAddress::v4(1, 1, 1, 1), 1h)};
  int states = 0;
  for (std::size_t regular = 0; regular <= 3; ++regular)
    for (std::size_t masternodes = 0; masternodes + regular <= 5; ++masternodes)
      for (std::size_t outbound = 0; outbound <= std::min<std::size_t>(regular, 1); ++outbound)
        for (std::size_t subnet = 0; subnet <= 2; ++subnet)
          for (std::size_t same_ip = 0; same_ip <= 1; ++same_ip)
            for (const bool ip_rate : {false, true})
              for (const bool subnet_rate : {false, true})
                for (const bool limits : {false, true})
                  for (const bool evictable : {false, true})
                    for (const Trust trust : {Trust::regular, Trust::masternode})
                      for (const Direction direction : {Direction::in, Direction::out}) {
                        ++states;
                        AdmissionRequest r;
                        r.trust = trust;
                        r.direction = direction;
                        r.usage = {regular + masternodes, regular, outbound, same_ip, subnet};
                        r.limits_apply = limits;
                        r.ip_rate_free = ip_rate;
                        r.subnet_rate_free = subnet_rate;
                        const auto d = admit(
                            r, evictable ? std::span(one) : std::span<EvictionCandidate>{}, policy);
                        const bool limited =
                            limits && direction == Direction::in &&
                            (same_ip >= 1 || subnet >= 2 || !ip_rate || !subnet_rate);
                        const bool full = regular + masternodes == 5;
                        if (limited) {
                          ASSERT_EQ(d.answer, AdmissionAnswer::reject);
                        } else if (trust == Trust::masternode) {
                          const auto expected = !full       ? AdmissionAnswer::accept
                                                : evictable ? AdmissionAnswer::accept_and_evict
                                                            : AdmissionAnswer::reject;
                          ASSERT_EQ(d.answer, expected);
                        } else {
                          const bool room =
                              regular < 3 && !full && (direction == Direction::in || outbound < 1);
                          ASSERT_EQ(d.answer,
                                    room ? AdmissionAnswer::accept : AdmissionAnswer::reject);
                        }
                        ASSERT_EQ(d.evict.has_value(),
                                  d.answer == AdmissionAnswer::accept_and_evict);
                        ASSERT_EQ(d.why.empty(), d.answer != AdmissionAnswer::reject);
                      }
  EXPECT_GT(states, 5000);
}

TEST(Admission, ReservedSlotsOverTheTotalLeaveNoneForRegularPeers) {
  SlotPolicy policy;
  policy.max_connections = 10;
  policy.reserved_masternode_slots = 50;
  EXPECT_EQ(regular_slots(policy), 0U);
  EXPECT_EQ(regular_slots(SlotPolicy{}), 75U);
}

TEST(Admission, TheWorstIsTheOneWithoutHandshakeThenTheViolatorThenTheCrowd) {
  std::vector<EvictionCandidate> all = {
      candidate(1, IpAddress::v4(1, 1, 1, 1), 10h), candidate(2, IpAddress::v4(2, 2, 2, 2), 1h),
      candidate(3, IpAddress::v4(3, 3, 3, 3), 5h), candidate(4, IpAddress::v4(3, 3, 9, 9), 6h)};
  EXPECT_EQ(worst(all), 3U);  // the crowd of 3.3/16, its youngest
  all[0].violations = 1;
  EXPECT_EQ(worst(all), 1U);
  all[1].ready = false;
  EXPECT_EQ(worst(all), 2U);
  EXPECT_EQ(worst({}), std::nullopt);
}

TEST(Admission, AmongEqualsTheYoungestAndLeastUsefulGoes) {
  std::vector<EvictionCandidate> all = {candidate(1, IpAddress::v4(1, 1, 1, 1), 10h),
                                        candidate(2, IpAddress::v4(2, 2, 2, 2), 1h)};
  EXPECT_EQ(worst(all), 2U);
  all[1].age = 10h;
  all[0].useful_bytes = 10;
  EXPECT_EQ(worst(all), 1U);
}

// FT-N22: one customer's /48 has 2^80 addresses in 256 subnets, each under its own limit.
TEST(Admission, NoSiteOfIpv6TakesMoreThanAQuarterOfTheRegularSlots) {
  AdmissionRequest request;
  request.usage.total = request.usage.regular = 30;
  request.usage.from_site = 17;
  EXPECT_EQ(admit(request, {}, SlotPolicy{}).answer, AdmissionAnswer::accept);
  request.usage.from_site = 18;
  EXPECT_EQ(admit(request, {}, SlotPolicy{}).answer, AdmissionAnswer::reject);
  request.limits_apply = false;  // W4: a masternode may live where it likes
  EXPECT_EQ(admit(request, {}, SlotPolicy{}).answer, AdmissionAnswer::accept);
  SlotPolicy tiny;
  tiny.max_connections = 3;
  tiny.reserved_masternode_slots = 0;
  request.limits_apply = true;
  request.usage = {};
  EXPECT_EQ(admit(request, {}, tiny).answer, AdmissionAnswer::accept);  // one is always possible
}

}  // namespace
}  // namespace timectl
