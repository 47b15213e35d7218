// Each state of a peer has its words, once.
#include "daemon/core/peer_words.h"

#include <gtest/gtest.h>

#include <set>

namespace timectl {
namespace {

TEST(PeerWords, EveryStateStandsInTheTableOnce) {
  std::set<PeerState> states;
  for (const auto& row : kPeerStateWords) EXPECT_TRUE(states.insert(row.state).second);
  EXPECT_EQ(states.size(), names_of<PeerState>().size());
}

TEST(PeerWords, WhatIsConnectedIsNeverBadAndWhatIsNotIsNeverGood) {
  std::size_t connected = 0;
  for (const auto& row : kPeerStateWords) {
    EXPECT_EQ(is_connected(row.state), row.connected);
    EXPECT_EQ(tone_of(row.state), row.tone);
    EXPECT_NE(row.tone, row.connected ? Tone::bad : Tone::good) << name_of(row.state);
    connected += row.connected ? 1 : 0;
  }
  EXPECT_EQ(connected, 3U);
}

}  // namespace
}  // namespace timectl
