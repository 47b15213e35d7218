#include "daemon/net/tcp.h"

#include <gtest/gtest.h>

namespace timectl::net {
namespace {

TEST(TcpTest, AnAddressOfAnotherHostCannotBeBound) {
  EXPECT_TRUE(can_bind(IpAddress::v4(127, 0, 0, 9)));
  EXPECT_TRUE(can_bind(IpAddress::v4(0, 0, 0, 0)));
  EXPECT_FALSE(can_bind(IpAddress::v4(192, 0, 2, 1)));
}

}  // namespace
}  // namespace timectl::net
