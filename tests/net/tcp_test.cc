#include "daemon/net/tcp.h"

#include <gtest/gtest.h>

namespace timectl::net {
namespace {

std::string evidence(std::uint32_t segments_since) {
  TcpFacts facts;
  facts.unacknowledged = 46;
  facts.segments_in = 100 + segments_since;
  return tcp_evidence(facts, 100);
}

TEST(TcpTest, EvidenceNamesTheDirectionOnlyWhenMoreCameThanWasUnderWay) {
  for (const std::uint32_t stragglers : {0U, 1U, 2U}) {
    EXPECT_NE(evidence(stragglers).find("nothing arrives"), std::string::npos) << stragglers;
  }
  EXPECT_NE(evidence(3).find("3 packets came from it since, so ours do not arrive"),
            std::string::npos);
}

TEST(TcpTest, AnAddressOfAnotherHostCannotBeBound) {
  EXPECT_TRUE(can_bind(IpAddress::v4(127, 0, 0, 9)));
  EXPECT_TRUE(can_bind(IpAddress::v4(0, 0, 0, 0)));
  EXPECT_FALSE(can_bind(IpAddress::v4(192, 0, 2, 1)));
}

}  // namespace
}  // namespace timectl::net
