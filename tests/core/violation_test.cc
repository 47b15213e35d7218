#include "daemon/core/violation.h"

#include <gtest/gtest.h>

#include "daemon/core/policy.h"
#include "daemon/core/reflect.h"

namespace timectl {
namespace {

TEST(Violations, EveryKindHasOneRowInOrderWithASentenceAndARemedy) {
  EXPECT_EQ(names_of<ViolationKind>().size(), kViolationKinds);
  ASSERT_EQ(violation_table().size(), kViolationKinds);
  for (std::size_t i = 0; i < kViolationKinds; ++i) {
    const auto& row = violation_table()[i];
    EXPECT_EQ(&violation_row(static_cast<ViolationKind>(i)), &row);
    EXPECT_TRUE(row.meaning.ends_with(".")) << row.meaning;
    EXPECT_TRUE(row.remedy.ends_with(".")) << row.remedy;
    EXPECT_GT(row.points, 0) << row.meaning;
    EXPECT_LE(2 * row.points, BanPolicy{}.threshold) << "a single mistake bans nobody";
  }
}

TEST(Violations, EveryEndReasonCountsOnlyWhereItProvesSomething) {
  using Kind = ViolationKind;
  struct Row {
    EndReason reason;
    std::optional<Kind> session;  // after the handshake, in either direction
    std::optional<Kind> silent;   // accepted, before the handshake, without a frame
    std::optional<Kind> spoke;    // and with one
  };
  const Row rows[] = {
      {EndReason::flood, Kind::flood, Kind::flood, Kind::flood},
      {EndReason::frame_too_large, Kind::frame_too_large, Kind::early_frame, Kind::early_frame},
      {EndReason::slow, Kind::slow, Kind::slow, Kind::slow},
      {EndReason::wrong_magic, Kind::wrong_magic, Kind::wrong_magic, Kind::wrong_magic},
      {EndReason::no_handshake, Kind::early_frame, Kind::no_handshake, Kind::early_frame},
      {EndReason::tls_failed, Kind::no_handshake, Kind::no_handshake, Kind::no_handshake},
  };
  for (const auto name : names_of<EndReason>()) {
    const auto reason = *value_of<EndReason>(name);
    const auto* row = std::find_if(std::begin(rows), std::end(rows),
                                   [&](const Row& r) { return r.reason == reason; });
    const Row wanted = row == std::end(rows) ? Row{reason, {}, {}, {}} : *row;
    for (const bool spoke : {false, true}) {
      // What we dialled may fail for our own reasons: the reconnect ladder deals with it.
      EXPECT_FALSE(violation_of({reason, Direction::out, false, spoke})) << name;
      EXPECT_EQ(violation_of({reason, Direction::in, false, spoke}),
                spoke ? wanted.spoke : wanted.silent)
          << name;
    }
    EXPECT_EQ(violation_of({reason, Direction::in, true, true}), wanted.session) << name;
    EXPECT_EQ(violation_of({reason, Direction::out, true, true}), wanted.session) << name;
  }
}

// A forged or innocent end must never count: the negative control of the table above.
TEST(Violations, WhatOthersCanCauseNeverCounts) {
  for (const auto reason :
       {EndReason::protocol_error, EndReason::closed_by_peer, EndReason::transport_dead,
        EndReason::wrong_genesis, EndReason::old_commit, EndReason::closed_before_tls,
        EndReason::duplicate, EndReason::unresponsive, EndReason::evicted, EndReason::refused}) {
    for (const auto direction : {Direction::in, Direction::out}) {
      for (const bool session : {false, true}) {
        EXPECT_FALSE(violation_of({reason, direction, session, true})) << name_of(reason);
      }
    }
  }
}

}  // namespace
}  // namespace timectl
