// Programs that never end, flood, fork and read nothing.
#include "daemon/sinks/run_command.h"

#include <gtest/gtest.h>

#include <sys/prctl.h>

#include <cerrno>
#include <csignal>
#include <thread>

namespace timectl::sinks {
namespace {

using namespace std::chrono_literals;

SendReport shell(const std::string& script, Duration timeout = 20s, std::stop_token stop = {}) {
  CommandRequest request;
  request.command = {"/bin/sh", "-c", script};
  request.environment = {{"TIMECTL_ALERT_TEXT", "$(exit 3) it is; down"}};
  request.input = "{\"alerts\":[]}\n";
  request.timeout = timeout;
  return run_command(request, stop);
}

TEST(RunCommand, GetsTheBodyTheEnvironmentAndNothingElse) {
  ::setenv("TIMECTL_TEST_SECRET", "x", 1);
  const auto report = shell("cat; echo \"$TIMECTL_ALERT_TEXT|$TIMECTL_TEST_SECRET|$(pwd)\"");
  EXPECT_EQ(report.outcome.result, SendResult::delivered) << report.outcome.error;
  EXPECT_EQ(report.exit_status, 0);
  EXPECT_EQ(report.answer, "{\"alerts\":[]}\n$(exit 3) it is; down||/\n");
}

TEST(RunCommand, ArgumentsAreNotReadByAShell) {
  CommandRequest request;
  request.command = {"/bin/echo", "$(id);*", "a b"};
  EXPECT_EQ(run_command(request, {}).answer, "$(id);* a b\n");
}

TEST(RunCommand, HasNoDescriptorOfOursAndDefaultSignals) {
  const auto report = shell("ls /proc/self/fd | wc -l; trap - PIPE; kill -PIPE $$; echo no");
  EXPECT_EQ(report.answer.substr(0, 2), "4\n") << "0, 1, 2 and the folder itself";
  EXPECT_EQ(report.exit_status, 128 + SIGPIPE);
}

TEST(RunCommand, AFailureIsToldWithItsFirstLine) {
  const auto report = shell("echo no such pager; exit 7");
  EXPECT_EQ(report.outcome.result, SendResult::failed);
  EXPECT_EQ(report.outcome.error, "/bin/sh ended with status 7: no such pager");
  CommandRequest missing;
  missing.command = {"/nonexistent/program"};
  EXPECT_NE(run_command(missing, {}).outcome.error.find("No such file"), std::string::npos);
}

// As in the unit that is shipped. Of a thread and of what it starts: the other tests go on without.
TEST(RunCommand, AFailureWithoutNewPrivilegesNamesThemAsItsLikelyCause) {
  EXPECT_EQ(shell("exit 7").outcome.error.find("NoNewPrivileges"), std::string::npos);
  SendReport failed;
  SendReport fine;
  std::jthread([&] {
    ASSERT_EQ(::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    failed = shell("echo postdrop: Permission denied; exit 75");
    fine = shell("grep NoNewPrivs /proc/self/status");
  }).join();
  EXPECT_NE(failed.outcome.error.find("Permission denied; NoNewPrivileges is on"),
            std::string::npos)
      << failed.outcome.error;
  EXPECT_NE(failed.outcome.error.find("docs/alerts.md"), std::string::npos);
  EXPECT_LE(failed.outcome.error.size(), 300U) << "the outbox keeps so much";
  EXPECT_EQ(fine.outcome.result, SendResult::delivered);
  EXPECT_EQ(fine.answer, "NoNewPrivs:\t1\n");
  EXPECT_TRUE(fine.outcome.error.empty());
}

TEST(RunCommand, OneThatNeverEndsIsEndedWithAllOfItsGroup) {
  const auto report = shell("trap '' TERM; sleep 1000 & echo $!; while :; do sleep 1; done", 300ms);
  EXPECT_EQ(report.outcome.result, SendResult::failed);
  EXPECT_NE(report.outcome.error.find("was ended after"), std::string::npos);
  EXPECT_EQ(report.exit_status, 128 + SIGKILL) << "it does not listen to SIGTERM";
  const auto child = static_cast<pid_t>(std::stol(report.answer));
  // Killed; whoever inherited it may not have looked at it yet.
  bool gone = false;
  for (int i = 0; i < 1000 && !gone; ++i) {
    gone = ::kill(child, 0) != 0 ||
           shell("grep -q 'State:.Z' /proc/" + std::to_string(child) + "/status").exit_status == 0;
  }
  EXPECT_TRUE(gone);
}

TEST(RunCommand, AFloodIsReadAndForgotten) {
  const auto report = shell("yes | head -c 3000000");
  EXPECT_EQ(report.outcome.result, SendResult::delivered);
  EXPECT_EQ(report.answer.size(), kMaxAnswer);
}

TEST(RunCommand, AChildThatHoldsThePipeHoldsUpNobody) {
  const auto report = shell("sleep 1000 & echo done");
  EXPECT_EQ(report.outcome.result, SendResult::delivered);
  EXPECT_EQ(report.answer, "done\n");
  EXPECT_LT(report.took, 10s);
}

TEST(RunCommand, AStopEndsItSoon) {
  std::stop_source source;
  const std::jthread stopper([&] { source.request_stop(); });
  const auto report = shell("sleep 1000", 30s, source.get_token());
  EXPECT_EQ(report.outcome.result, SendResult::interrupted);
}

}  // namespace
}  // namespace timectl::sinks
