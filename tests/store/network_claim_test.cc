#include "store/network_claim.h"

#include <gtest/gtest.h>

namespace timectl::store {
namespace {

TEST(NetworkClaim, TheFirstOneHoldsAndTheOtherNetworkIsRefused) {
  auto database = Database::in_memory();
  ASSERT_TRUE(claim_network(database, Network::testnet));
  EXPECT_TRUE(claim_network(database, Network::testnet));
  const auto other = claim_network(database, Network::mainnet);
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, Code::config_invalid);
  EXPECT_NE(other.error().message.find("testnet"), std::string::npos);
  EXPECT_TRUE(claim_network(database, Network::testnet));
}

}  // namespace
}  // namespace timectl::store
