#include "daemon/control/access.h"

#include <gtest/gtest.h>

#include "daemon/core/reflect.h"

namespace timectl::control {
namespace {

constexpr std::uint32_t kNodeUid = 900;
constexpr std::uint32_t kGroup = 901;

Actor actor(std::uint32_t uid, std::vector<std::uint32_t> groups = {}) {
  Actor out;
  out.uid = uid;
  out.gid = uid;
  out.user = "user" + std::to_string(uid);
  out.groups = std::move(groups);
  return out;
}

AccessPolicy policy() {
  return {kNodeUid, {"user1001"}, kGroup, "timectl"};
}

TEST(Access, TheWholeTable) {
  struct Row {
    Actor who;
    bool reads;
    bool changes;
  };
  const Row rows[] = {
      {actor(0), true, true},                // root
      {actor(kNodeUid), true, true},         // the node's user
      {actor(1001), true, true},             // an operator, in no group
      {actor(1002, {kGroup}), true, false},  // a member of the socket's group
      {actor(1003, {902}), false, false},    // anybody else
  };
  for (const auto& row : rows) {
    for (const auto privilege : {Privilege::read, Privilege::operate, Privilege::admin}) {
      const bool expected = privilege == Privilege::read ? row.reads : row.changes;
      EXPECT_EQ(decide_access(row.who, privilege, policy()).allowed, expected)
          << row.who.user << " " << name_of(privilege);
    }
  }
}

TEST(Access, PrimaryGroupCountsAsMembership) {
  auto member = actor(1002);
  member.gid = kGroup;
  EXPECT_TRUE(decide_access(member, Privilege::read, policy()).allowed);
}

TEST(Access, DenialNamesUserAndGroup) {
  EXPECT_EQ(decide_access(actor(1003), Privilege::read, policy()).because,
            "user user1003 is not in group timectl");
  const auto change = decide_access(actor(1002, {kGroup}), Privilege::operate, policy());
  EXPECT_NE(change.because.find("node.operators"), std::string::npos);
}

TEST(Access, WithoutASocketGroupOnlyThePrivilegedRead) {
  AccessPolicy alone{kNodeUid, {}, {}, {}};
  EXPECT_FALSE(decide_access(actor(1002, {0}), Privilege::read, alone).allowed);
  EXPECT_TRUE(decide_access(actor(kNodeUid), Privilege::read, alone).allowed);
}

TEST(MethodTable, NamesAreUniqueAndEveryRowSpeaks) {
  for (const auto& row : method_table()) {
    EXPECT_EQ(find_method(row.name), &row);
    EXPECT_FALSE(row.summary.empty()) << row.name;
  }
  EXPECT_EQ(find_method("whitelist"), nullptr);
}

}  // namespace
}  // namespace timectl::control
