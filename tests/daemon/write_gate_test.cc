#include "daemon/write_gate.h"

#include <gtest/gtest.h>

namespace timectl {
namespace {

using namespace std::chrono_literals;

struct WriteGateTest : testing::Test {
  bool fails(Code code) { return !gate.take(Error{code, "no"}, now); }

  store::Database database = store::Database::in_memory();
  WriteGate gate{database};
  Now now{Instant{} + 1h, WallTime{}};
};

TEST_F(WriteGateTest, AFullDiskIsAFailureAtOnceAndIsTriedAgainAfterAWhile) {
  EXPECT_TRUE(gate.open(now));
  EXPECT_FALSE(gate.failure());
  EXPECT_TRUE(fails(Code::database_full));
  EXPECT_EQ(gate.failure()->code, Code::database_full);
  EXPECT_FALSE(gate.open(now));
  now.mono += WriteGate::kRetryAfter;
  EXPECT_TRUE(gate.open(now));
  EXPECT_TRUE(gate.take({}, now));
  EXPECT_FALSE(gate.failure());
}

TEST_F(WriteGateTest, ALockIsAFailureOnlyWhereItStays) {
  EXPECT_FALSE(fails(Code::database_locked));
  EXPECT_FALSE(gate.failure());
  EXPECT_TRUE(gate.open(now)) << "the next tick tries";
  now.mono += 1s;
  EXPECT_TRUE(gate.take({}, now));
  now.mono += WriteGate::kLockPatience;
  EXPECT_FALSE(fails(Code::database_locked)) << "another one";
  now.mono += WriteGate::kLockPatience;
  EXPECT_TRUE(fails(Code::database_locked));
  EXPECT_EQ(gate.failure()->code, Code::database_locked);
  EXPECT_FALSE(gate.open(now));
}

TEST_F(WriteGateTest, WhatFailsForAnotherWriterFailsForUs) {
  gate.note(Error{Code::database_full, "the recorder's"});
  EXPECT_EQ(gate.failure()->message, "the recorder's");
  EXPECT_TRUE(gate.open(now)) << "ours may work";
  gate.note({});
  EXPECT_FALSE(gate.failure());
}

}  // namespace
}  // namespace timectl
