#include "daemon/core/events.h"

#include <gtest/gtest.h>

#include "daemon/core/random.h"
#include "daemon/core/reflect.h"

namespace timectl {
namespace {

Event event(EventKind kind, bool whitelisted) {
  Event e;
  e.kind = kind;
  e.peer = IpAddress::v4(64, 91, 241, 10);
  e.whitelisted = whitelisted;
  return e;
}

TEST(Events, TheLinesOfR5AreExact) {
  Event e = event(EventKind::dial_scheduled, true);
  e.delay_seconds = 2;
  EXPECT_EQ(log_line(e), "[MASTERNODE] Reconnecting to 64.91.241.10 in 2s...");

  EXPECT_EQ(log_line(event(EventKind::promoted, true)),
            "Marked 64.91.241.10 as whitelisted masternode with enhanced protection");

  e = event(EventKind::inbound_accepted, true);
  e.total = 9;
  e.inbound = 4;
  e.masternodes = 3;
  EXPECT_EQ(log_line(e),
            "[WHITELIST] Accepting inbound connection from 64.91.241.10 "
            "(total: 9, inbound: 4, whitelisted: 3)");

  e = event(EventKind::peer_unresponsive, true);
  e.missed_pongs = 6;
  e.delay_seconds = 180;
  EXPECT_EQ(log_line(e),
            "WHITELIST VIOLATION: Masternode 64.91.241.10 unresponsive after 6 missed pongs "
            "(relaxed timeout: 180s)");

  e = event(EventKind::whitelist_added, true);
  e.detail = "api";
  EXPECT_EQ(log_line(e), "Whitelisted masternode from time-coin.io: 64.91.241.10");

  e = event(EventKind::peer_cut, true);
  e.detail = "12 missed pongs";
  EXPECT_EQ(log_line(e), "CRITICAL: Disconnecting WHITELISTED peer 64.91.241.10: 12 missed pongs");

  e = event(EventKind::peer_disconnected, true);
  e.severity = Severity::critical;
  e.reason = EndReason::closed_by_peer;
  EXPECT_EQ(log_line(e), "CRITICAL: Whitelisted peer 64.91.241.10 disconnected: closed_by_peer");

  e = event(EventKind::peer_unresponsive, false);
  e.missed_pongs = 3;
  EXPECT_EQ(log_line(e), "Disconnecting non-whitelisted peer 64.91.241.10 after 3 missed pongs");
}

TEST(Events, EveryKindHasALineOfPlainAscii) {
  for (const auto name : names_of<EventKind>()) {
    const std::string line = log_line(event(*value_of<EventKind>(name), false));
    EXPECT_FALSE(line.empty()) << name;
    for (const char c : line) EXPECT_TRUE(c >= ' ' && c <= '~') << name;
  }
}

TEST(Events, WhatAPeerSaysCannotForgeALogLine) {
  EXPECT_EQ(printable("a\nb\x1b[31m\x7f"), "a\\x0Ab\\x1B[31m\\x7F");
  EXPECT_EQ(printable(std::string("\0", 1)), "\\x00");
  EXPECT_EQ(printable("\u202egnp.exe"), "\\u{202E}gnp.exe");
  EXPECT_EQ(printable("\u200b\ufeff\u2028"), "\\u{200B}\\u{FEFF}\\u{2028}");
  EXPECT_EQ(printable("\xc2\x9b"
                      "31m"),
            "\\u{009B}31m");
  EXPECT_EQ(printable("\xff\xc0\xaf\xed\xa0\x80"), "\\xFF\\xC0\\xAF\\xED\\xA0\\x80");
  EXPECT_EQ(printable("Zürich 東京"), "Zürich 東京");
}

TEST(Events, PrintableNeverExceedsItsLimitNorCutsACharacter) {
  EXPECT_EQ(printable("東京", 5), "東");
  EXPECT_EQ(printable("ab\n", 5), "ab");
  Random random(3);
  for (int i = 0; i < 20'000; ++i) {
    std::string text;
    for (std::size_t k = random.below(40); k > 0; --k) {
      text += static_cast<char>(random.below(256));
    }
    const std::string shown = printable(text, 32);
    ASSERT_LE(shown.size(), 32U);
    ASSERT_EQ(printable(shown, 64), shown);  // what is printable stays as it is
  }
}

}  // namespace
}  // namespace timectl
