// `timectl diagnose log` as a program: arguments, exit status, streams.
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <sstream>

#include "tests/cmd/command.h"
#include "tests/paths.h"

namespace timectl::testing {
namespace {

namespace json = boost::json;

const std::string kLogs = std::string(TIMECTL_SOURCE_DIR) + "/tests/data/timed_logs/";
const std::string kHealthy = "2026-07-14 03:00:00.000 [h]  INFO Connected to peer: 50.28.104.50\n";
const std::string kMedium =
    "2026-07-14 03:00:01.000 [h]  WARN Rate limit exceeded for tx from 50.28.104.50\n";

TEST(DiagnoseLog, ExitStatusIsThatOfTheGravestCause) {
  const Sandbox box;
  EXPECT_EQ(box.run({"diagnose", "log", kLogs + "three_causes.log"}).status, 2);
  EXPECT_EQ(box.run({"diagnose", "log", "-"}, kMedium).status, 1);
  EXPECT_EQ(box.run({"diagnose", "log", "-"}, kHealthy).status, 0);
  EXPECT_EQ(box.run({"diagnose", "log", "-"}, "no log\n").status, 3);
  EXPECT_EQ(box.run({"diagnose", "log", "-"}, "").status, 3);
  EXPECT_EQ(box.run({"diagnose", "log", "/nonexistent/debug.log"}).status, 66);
  EXPECT_EQ(box.run({"diagnose", "log", "/tmp"}).status, 74);
  EXPECT_EQ(box.run({"diagnose", "log"}).status, 64);
}

TEST(DiagnoseLog, JsonHasTheKeysThatToolsRelyOn) {
  const Sandbox box;
  const auto ran = box.run({"diagnose", "log", kLogs + "three_causes.log", "--json"});
  const auto document = json::parse(ran.out).as_object();
  EXPECT_EQ(document.at("schema").as_string(), "timectl.diagnose.log/1");
  const auto& data = document.at("data").as_object();
  EXPECT_EQ(data.at("lines").as_int64(), 488);
  EXPECT_EQ(data.at("unparsed").as_int64(), 0);
  EXPECT_EQ(data.at("from").as_string(), "2026-07-14T03:00:00.000Z");
  EXPECT_EQ(data.at("to").as_string(), "2026-07-14T03:29:50.007Z");
  const auto& cause = data.at("causes").as_array().at(0).as_object();
  EXPECT_EQ(cause.at("code").as_string(), "FM-H11");
  EXPECT_EQ(cause.at("peer").as_string(), "203.0.113.9");
  EXPECT_EQ(cause.at("count").as_int64(), 59);
  for (const char* key : {"first_at", "last_at", "example", "remedy"}) {
    EXPECT_TRUE(cause.at(key).is_string()) << key;
  }
}

TEST(DiagnoseLog, OnlyWhatIsSinceATimeCounts) {
  const Sandbox box;
  const auto run = [&](const std::string& since) {
    return box.run({"diagnose", "log", "-", "--since", since}, kHealthy + kMedium).status;
  };
  EXPECT_EQ(run("2026-07-14T03:00:01Z"), 1);
  EXPECT_EQ(run("2026-07-14T03:00:02Z"), 0);
  EXPECT_EQ(run("yesterday"), 64);
}

// The report of the past first, then the sign that comes; in a pipe, so that it ends by itself.
TEST(DiagnoseLog, FollowingTellsThePastAndThenWhatComes) {
  const Sandbox box;
  (void)box.write("past.log", kHealthy);
  (void)box.write("new.log", kMedium + kMedium);
  const auto ran = box.run_program(
      {"/bin/bash", "-c",
       "mkfifo pipe; (cat past.log; read -t 20 -n 1 < told; cat new.log) > pipe & mkfifo told; "
       "'" +
           std::string(TIMECTL_BINARY) +
           "' diagnose log pipe --follow --poll-ms 5 --utc | { read line; echo \"$line\"; echo > "
           "told; cat; }"});
  EXPECT_EQ(ran.out.find("no cause found"), 0U) << ran.out << ran.err;
  EXPECT_NE(ran.out.find("FM-L7        50.28.104.50: Messages are dropped"), std::string::npos)
      << ran.out;
  EXPECT_NE(ran.out.find("(2 times)"), std::string::npos) << ran.out;
  EXPECT_NE(ran.out.find("the main cause: FM-L7"), std::string::npos) << ran.out;
}

// Ctrl-C is how following ends: the exit status is the verdict's, and what was told is not told
// again when nothing came since.
TEST(DiagnoseLog, FollowedFileEndsWithCtrlCAndItsVerdict) {
  const Sandbox box;
  (void)box.write("debug.log", kMedium);
  const auto ran = box.run_program(
      {"/bin/bash", "-c",
       "mkfifo out; '" + std::string(TIMECTL_BINARY) +
           "' diagnose log debug.log --follow --poll-ms 5 --json > out & read line < out; "
           "echo \"$line\"; kill -INT $!; wait $!; exit $?"});
  EXPECT_EQ(ran.status, 1) << ran.err;
  const auto data = json::parse(ran.out).as_object().at("data").as_object();
  EXPECT_EQ(data.at("findings").as_array().size(), 1U);
}

// The sanitizers reserve terabytes of address space.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
const std::string kMemoryKb = "unlimited";
#else
const std::string kMemoryKb = "60000";  // a line of 100 MB does not fit
#endif

// A pipe that never ends: what it costs does not grow with what came.
TEST(DiagnoseLog, EndlessInputIsReadInBoundedMemory) {
  const Sandbox box;
  const auto ran = box.run_program(
      {"/bin/bash", "-c",
       "ulimit -v " + kMemoryKb +
           "; { head -c 100000000 /dev/zero; head -c 30000000 /dev/urandom; "
           "yes '2026-07-14 03:00:01.000 [h]  WARN Rate limit exceeded for tx from 50.28.104.50' | "
           "head -c 60000000; } | '" +
           std::string(TIMECTL_BINARY) + "' diagnose log - --json"});
  const auto data = json::parse(ran.out).as_object().at("data").as_object();
  EXPECT_EQ(data.at("findings").as_array().size(), 1U);
  EXPECT_GT(data.at("unparsed").as_int64(), 1000);
}

}  // namespace
}  // namespace timectl::testing
