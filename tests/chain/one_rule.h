// A valid block to be changed, and what verification then says: for the tests of its rules, each of
// which breaks one of them.
#pragma once

#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

#include "daemon/chain/verify.h"
#include "daemon/core/reflect.h"
#include "daemon/wire/codec.h"
#include "tests/support/chain_maker.h"

namespace timectl::chain::test {

using timectl::test::BlockDraft;
using timectl::test::ChainMaker;
using timectl::test::ChainOptions;
using timectl::test::DraftTransaction;

inline constexpr std::int64_t earliest = std::numeric_limits<std::int64_t>::min();
inline constexpr std::int64_t latest = std::numeric_limits<std::int64_t>::max();
inline constexpr std::uint64_t most = std::numeric_limits<std::uint64_t>::max();

inline Circumstances after(const ChainMaker& maker) {
  Circumstances at;
  at.network = wire::Network::testnet;
  at.parent = maker.tip();
  at.now = maker.time_of(maker.tip().height + 1);
  at.tip_height = maker.tip().height + 1;
  at.keys = &maker.keys();
  return at;
}

inline Verdict verdict_on(const std::vector<std::uint8_t>& bytes, const Circumstances& at) {
  wire::Arena arena;
  return verify(at, wire::decode_block(bytes, arena).value());
}

inline std::vector<Reason> reasons(const Verdict& verdict) {
  std::vector<Reason> all;
  for (const Finding& finding : verdict.findings) all.push_back(finding.reason);
  return all;
}

inline std::string said(const Verdict& verdict) {
  std::string text;
  for (const Finding& finding : verdict.findings) text += text_of(finding) + "; ";
  return text;
}

// A draft of the block after 20 valid ones, and where it would stand.
class OneRule : public testing::Test {
 protected:
  OneRule() {
    for (const auto& block : maker_.next(20)) EXPECT_FALSE(block.empty());
    draft_ = maker_.draft();
    at_ = after(maker_);
  }
  Verdict sealed() { return verdict_on(maker_.seal(draft_), at_); }
  void expect_only(Reason reason) {
    const Verdict verdict = sealed();
    EXPECT_EQ(reasons(verdict), std::vector<Reason>{reason}) << name_of(reason) << said(verdict);
    EXPECT_EQ(verdict.accepted(), reason_row(reason).effect == Effect::warn) << name_of(reason);
    EXPECT_EQ(verdict.too_early(), reason_row(reason).effect == Effect::wait) << name_of(reason);
  }
  void expect_only(Reason reason, Value found, Value expected) {
    expect_only(reason);
    const Finding finding = sealed().findings.at(0);
    EXPECT_EQ(finding.found, found) << text_of(finding);
    EXPECT_EQ(finding.expected, expected) << text_of(finding);
  }

  ChainMaker maker_{ChainOptions{.spends = 2}};
  BlockDraft draft_;
  Circumstances at_;
};

}  // namespace timectl::chain::test
