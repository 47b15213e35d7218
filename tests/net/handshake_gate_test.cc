#include "daemon/net/handshake_gate.h"

#include <gtest/gtest.h>

namespace timectl::net {
namespace {

using Trust = HandshakeGate::Trust;

ConnectionId id(std::uint64_t n) {
  return ConnectionId{n};
}

IpAddress ip(std::uint8_t subnet, std::uint8_t host) {
  return IpAddress::v4(203, 0, subnet, host);
}

TEST(HandshakeGateTest, TheOldestOfTheBusiestNetworkGoesFirst) {
  HandshakeGate gate;
  EXPECT_FALSE(gate.enter(id(1), ip(1, 1), Trust::regular, 4, 1));
  EXPECT_FALSE(gate.enter(id(2), ip(2, 1), Trust::regular, 4, 1));
  EXPECT_FALSE(gate.enter(id(3), ip(2, 2), Trust::regular, 4, 1));
  EXPECT_FALSE(gate.enter(id(4), ip(3, 1), Trust::regular, 4, 1));
  EXPECT_EQ(gate.enter(id(5), ip(4, 1), Trust::regular, 4, 1), id(2));
  EXPECT_EQ(gate.size(), 4U);
}

TEST(HandshakeGateTest, RoomIsKeptForMasternodes) {
  HandshakeGate gate;
  for (std::uint8_t n = 0; n < 4; ++n) {
    EXPECT_FALSE(gate.enter(id(n), ip(n, 1), Trust::regular, 4, 2));
  }
  EXPECT_FALSE(gate.enter(id(10), ip(9, 1), Trust::masternode, 4, 2));
  EXPECT_FALSE(gate.enter(id(11), ip(9, 2), Trust::masternode, 4, 2));
  // Beyond the kept room a stranger goes for it, never another masternode.
  EXPECT_EQ(gate.enter(id(12), ip(9, 3), Trust::masternode, 4, 2), id(0));
}

TEST(HandshakeGateTest, ThoseWhoAreDoneMakeRoom) {
  HandshakeGate gate;
  EXPECT_FALSE(gate.enter(id(1), ip(1, 1), Trust::regular, 1, 0));
  gate.leave(id(1));
  gate.leave(id(1));
  gate.leave(id(99));
  EXPECT_FALSE(gate.enter(id(2), ip(1, 2), Trust::regular, 1, 0));
}

TEST(HandshakeGateTest, TurnsAreBoundedInEachRound) {
  HandshakeGate gate;
  EXPECT_TRUE(gate.take_turn(id(1), 2));
  EXPECT_TRUE(gate.take_turn(id(2), 2));
  EXPECT_FALSE(gate.take_turn(id(3), 2));
  gate.new_round();
  EXPECT_TRUE(gate.take_turn(id(3), 2));
}

// FT-N25: a queue of strangers is not theirs to wait in.
TEST(HandshakeGateTest, MasternodesHaveTurnsOfTheirOwn) {
  HandshakeGate gate;
  EXPECT_FALSE(gate.enter(id(1), ip(1, 1), Trust::regular, 4, 2));
  EXPECT_FALSE(gate.enter(id(2), ip(2, 1), Trust::masternode, 4, 2));
  EXPECT_TRUE(gate.take_turn(id(1), 1));
  EXPECT_FALSE(gate.take_turn(id(1), 1));
  EXPECT_TRUE(gate.take_turn(id(2), 1));
  EXPECT_FALSE(gate.take_turn(id(2), 1)) << "they, too, leave time for pongs";
  gate.new_round();
  EXPECT_TRUE(gate.take_turn(id(1), 1));
}

}  // namespace
}  // namespace timectl::net
