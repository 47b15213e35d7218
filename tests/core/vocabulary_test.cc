#include "daemon/core/vocabulary.h"

#include <gtest/gtest.h>

#include <set>

#include "daemon/core/errors.h"
#include "daemon/core/reconnect.h"
#include "daemon/core/reflect.h"

namespace timectl {
namespace {

TEST(Vocabulary, EveryEndReasonHasOneRowWithASentenceAndARemedy) {
  EXPECT_EQ(reason_table().size(), names_of<EndReason>().size());
  for (const auto name : names_of<EndReason>()) {
    const auto reason = value_of<EndReason>(name);
    ASSERT_TRUE(reason);
    const auto& row = reason_row(*reason);
    EXPECT_TRUE(row.meaning.ends_with(".")) << name;
    EXPECT_TRUE(row.remedy.ends_with(".")) << name;
    EXPECT_EQ(outcome_row(*reason).reason, *reason);
  }
  EXPECT_EQ(outcome_table().size(), names_of<EndReason>().size());
}

TEST(Vocabulary, EveryStateHasOneRow) {
  std::set<PeerState> seen;
  for (const auto& row : state_table()) {
    EXPECT_TRUE(seen.insert(row.state).second);
    EXPECT_TRUE(row.meaning.ends_with("."));
  }
  EXPECT_EQ(seen.size(), names_of<PeerState>().size());
}

TEST(Vocabulary, EveryErrorCodeHasOneRowWithItsOwnId) {
  std::set<std::string_view> ids;
  for (const auto name : names_of<Code>()) {
    const auto& row = error_row(*value_of<Code>(name));
    EXPECT_TRUE(ids.insert(row.id).second) << row.id;
    EXPECT_TRUE(row.id.starts_with("TC-"));
    EXPECT_GT(row.exit_status, 0);
  }
  EXPECT_EQ(error_table().size(), ids.size());
}

TEST(Vocabulary, UnknownNamesAreNoValue) {
  EXPECT_FALSE(value_of<EndReason>("closed"));
  EXPECT_FALSE(value_of<EndReason>(""));
}

}  // namespace
}  // namespace timectl
