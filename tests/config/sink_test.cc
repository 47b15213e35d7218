// [[alerts.sink]]: what is taken, what is refused, and that no message repeats a url.
#include "config/sink.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include "config/load.h"
#include "daemon/core/reflect.h"
#include "tests/paths.h"

namespace timectl::config {
namespace {

std::string problems(const std::string& text) {
  return render(check_text("[[alerts.sink]]\nname = \"pager\"\n" + text, "x.toml").problems);
}

TEST(Sink, EveryKeyIsRead) {
  const auto checked = check_text(
      "[[alerts.sink]]\nname = \"pager\"\nkind = \"webhook\"\nseverity = \"error\"\n"
      "template = \"discord\"\nurl = \"https://e.org/KEY\"\nsecret_file = \"/s\"\n"
      "ca_file = \"/c\"\nrules = [\"lag\"]\ntimeout = \"1m\"\ninterval = 90\n",
      "x.toml");
  ASSERT_EQ(render(checked.problems), "");
  const auto& sink = checked.config.alerts.sinks.at(0);
  EXPECT_EQ(sink.kind, SinkKind::webhook);
  EXPECT_EQ(sink.severity, Severity::error);
  EXPECT_EQ(sink.form, SinkTemplate::discord);
  EXPECT_EQ(sink.secret_file, "/s");
  EXPECT_EQ(sink.ca_file, "/c");
  EXPECT_EQ(sink.rules, std::vector<std::string>{"lag"});
  EXPECT_EQ(sink.timeout, 60s);
  EXPECT_EQ(sink.interval, 90s);
}

TEST(Sink, WhatDoesNotGoTogetherIsNamed) {
  const struct {
    const char* text;
    const char* said;
  } kRows[] = {
      {"kind = \"webhook\"", "needs a url"},
      {"kind = \"webhook\"\nurl = \"http://e.org/KEY\"", "http:// is for this machine only"},
      {"kind = \"command\"", "needs a command"},
      {"kind = \"command\"\ncommand = [\"page\"]", "by its whole path"},
      {"kind = \"sendmail\"", "needs an address in `to`"},
      {"kind = \"sendmail\"\nto = \"-oQ/tmp@x\"", "needs an address in `to`"},
      {"kind = \"sendmail\"\nto = \"a@b\\nBcc: c@d\"", "control character"},
      {"kind = \"log\"\nsecret_file = \"/s\"", "only a webhook is signed"},
      {"kind = \"log\"\nrules = [\"lga\"]", "did you mean lag?"},
      {"kind = \"log\"\nurl = \"https://e.org/KEY\"", "not of its kind"},
      {"kind = \"log\"\ntimeout = 0", "timeout must be 1 s to 5 min"},
      {"kind = \"log\"\ninterval = 1", "interval must be"},
      {"kind = \"log\"\ncolour = \"red\"", "there is no key `colour`"},
      {"kind = \"log\"\nsevrity = \"error\"", "did you mean `severity`?"},
      {"kind = \"log\"\nto = 7", "to must be a text"},
  };
  for (const auto& row : kRows) {
    const auto said = problems(row.text);
    EXPECT_NE(said.find(row.said), std::string::npos) << row.text << "\n" << said;
  }
}

TEST(Sink, EveryExampleOfTheDocumentLoads) {
  std::stringstream text;
  text << std::ifstream(TIMECTL_SOURCE_DIR "/docs/alerts.md").rdbuf();
  const auto whole = text.str();
  std::size_t examples = 0;
  std::vector<SinkKind> kinds;
  for (auto at = whole.find("<!-- a sink -->"); at != std::string::npos;
       at = whole.find("<!-- a sink -->", at + 1)) {
    const auto begin = whole.find("```toml\n", at) + 8;
    const auto checked =
        check_text(whole.substr(begin, whole.find("```", begin) - begin), "x.toml");
    EXPECT_EQ(render(checked.problems), "");
    for (const auto& sink : checked.config.alerts.sinks) kinds.push_back(sink.kind);
    ++examples;
  }
  EXPECT_EQ(examples, 8U);
  for (const auto kind : {SinkKind::log, SinkKind::webhook, SinkKind::command,
                          SinkKind::alertmanager, SinkKind::sendmail, SinkKind::heartbeat}) {
    EXPECT_NE(std::find(kinds.begin(), kinds.end(), kind), kinds.end()) << name_of(kind);
  }
}

}  // namespace
}  // namespace timectl::config
