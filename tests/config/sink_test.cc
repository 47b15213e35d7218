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
      "ca_file = \"/c\"\nrules = [\"lag\"]\ntimeout = \"1m\"\n",
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
  const auto heartbeat = check_text(
      "[[alerts.sink]]\nname = \"a.B-2_c\"\nkind = \"heartbeat\"\nurl = \"https://e.org/KEY\"\n"
      "interval = 90\n",
      "x.toml");
  ASSERT_EQ(render(heartbeat.problems), "");
  EXPECT_EQ(heartbeat.config.alerts.sinks.at(0).interval, 90s);
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
      {"kind = \"log\"\nsecret_file = \"/s\"", "it is of webhook"},
      {"kind = \"log\"\nrules = [\"node_pasive\"]", "did you mean node_passive?"},
      {"kind = \"log\"\nurl = \"https://e.org/KEY\"",
       "`url`, which does nothing in a sink of kind log"},
      {"kind = \"log\"\ntimeout = 0", "timeout must be 1.0 s to 5 min"},
      {"kind = \"log\"\ninterval = 1", "interval must be"},
      {"kind = \"log\"\ncolour = \"red\"", "there is no key `colour`"},
      {"kind = \"log\"\nsevrity = \"error\"", "did you mean `severity`?"},
      {"kind = \"log\"\nto = 7", "to must be a text"},
      {"kind = \"log\"\ntemplate = \"slack\"", "`template`, which does nothing"},
      {"kind = \"log\"\ninterval = 60", "it is of heartbeat"},
      {"kind = \"command\"\ncommand = [\"/p\"]\nto = \"a@b\"", "it is of sendmail"},
      {"kind = \"sendmail\"\nto = \"a@b\"\nca_file = \"/c\"",
       "it is of webhook, alertmanager, heartbeat"},
  };
  for (const auto& row : kRows) {
    const auto said = problems(row.text);
    EXPECT_NE(said.find(row.said), std::string::npos) << row.text << "\n" << said;
  }
}

// "LINE:COLUMN message" of each.
std::vector<std::string> places(const std::string& text) {
  std::vector<std::string> all;
  for (const auto& problem : check_text(text, "x.toml").problems) {
    all.push_back(std::to_string(problem.line) + ":" + std::to_string(problem.column) + " " +
                  problem.message);
  }
  return all;
}

TEST(Sink, AProblemStandsAtItsSinkAndKey) {
  const std::string first = "[[alerts.sink]]\nname = \"a\"\nkind = \"log\"\n";  // lines 1 to 3
  const struct {
    const char* second;  // from line 4 on
    const char* said;
  } kRows[] = {
      {"[[alerts.sink]]\nname = \"b\"\nkind = \"webhook\"\nurl = \"gopher://e.org\"\n", "7:1 "},
      {"[[alerts.sink]]\nname = \"b\"\nkind = \"log\"\nrules = [\"lgaa\"]\n", "7:1 b names"},
      {"[[alerts.sink]]\nname = \"b\"\nkind = \"log\"\ninterval = 60\n", "7:1 b has `interval`"},
      {"[[alerts.sink]]\nkind = \"log\"\nname = \"a\"\n", "6:8 two sinks are called a"},
      {"[[alerts.sink]]\nname = \"b\"\nkind = \"webhook\"\n", "4:1 b needs a url"},
      {"[[alerts.sink]]\nkind = \"log\"\n", "4:1 the sink has no name"},
      {"[[alerts.sink]]\nname = \"My Pager\"\nkind = \"log\"\n", "5:8 the name of a sink"},
  };
  for (const auto& row : kRows) {
    const auto said = places(first + row.second);
    ASSERT_EQ(said.size(), 1U) << row.second;
    EXPECT_TRUE(said[0].starts_with(row.said)) << row.second << said[0];
  }
  EXPECT_TRUE(places(first).empty());
}

TEST(Sink, OfAKindThatIsMisspeltOnlyTheKindIsSaid) {
  const auto said =
      places("[[alerts.sink]]\nname = \"a\"\nkind = \"webhok\"\nurl = \"https://e.org\"\n");
  ASSERT_EQ(said.size(), 1U) << said[0];
  EXPECT_EQ(said[0], "3:8 this is no value of kind");
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
