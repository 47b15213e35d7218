// The forms in which a log comes, and what a hostile or broken one does (T49).
#include "daemon/diagnose/log_reader.h"

#include <gtest/gtest.h>

#include "tests/diagnose/log_lab.h"

namespace timectl::diagnose {
namespace {

using namespace std::chrono_literals;

const std::string kMessage =
    "\xf0\x9f\x9a\xab TLS handshake failed with 50.28.104.50:24000: IO error: tls handshake eof";
const std::string kFileLine = "2026-07-14 03:12:54.527 [mn-fra1]  WARN " + kMessage + "\n";

// What is left of an event when the line is gone.
struct Seen {
  std::string code;
  std::string at;
  std::string peer;
  friend bool operator==(const Seen&, const Seen&) = default;
};
std::ostream& operator<<(std::ostream& out, const Seen& seen) {
  return out << seen.code << " " << seen.at << " " << seen.peer;
}

std::vector<Seen> events_of(std::string_view text, LogCounts* counts = nullptr) {
  std::vector<Seen> seen;
  LogReader reader(lab_clock(), [&](const LogEvent& event) {
    seen.push_back({std::string(event.pattern->code), event.at ? rfc3339(*event.at) : "",
                    event.peer ? event.peer->to_string() : ""});
  });
  reader.feed(text);
  reader.finish();
  if (counts != nullptr) *counts = reader.counts();
  return seen;
}

std::string as_bytes(const std::string& text) {
  std::string all;
  for (const char c : text) {
    all += (all.empty() ? "" : ",") + std::to_string(static_cast<unsigned char>(c));
  }
  return "[" + all + "]";
}

std::string journal(const std::string& message) {
  return R"({"__CURSOR":"s=1","_UID":"0","TAGS":["a","b\"]"],"MESSAGE":)" + message +
         R"(,"__REALTIME_TIMESTAMP":"1783998774527000","_PID":"812"})" + "\n";
}

const Seen kSeen{"FM-H11", "2026-07-14T03:12:54.527Z", "50.28.104.50"};
const Seen kSeenWhole{"FM-H11", "2026-07-14T03:12:54.000Z", "50.28.104.50"};

TEST(LogReader, EveryFormOfALineIsTheSameEvent) {
  const std::string level = "\x1b[33m WARN\x1b[0m ";
  const std::vector<std::pair<std::string, Seen>> forms{
      {kFileLine, kSeen},
      {"2026-07-14 03:12:54.527 [mn-fra1] \x1b[33m WARN\x1b[0m " + kMessage + "\n", kSeen},
      {"2026-07-14 03:12:54.527  WARN " + kMessage + "\n", kSeen},
      {"2026-07-14T03:12:54.527123Z  WARN " + kMessage + "\n", kSeen},
      {"Jul 14 05:12:54 mn-fra1 timed[812]:  WARN " + kMessage + "\n", kSeenWhole},
      {"Jul 14 05:12:54.527123 mn-fra1 timed[812]:  WARN " + kMessage + "\n", kSeen},
      {"2026-07-14T05:12:54+0200 mn-fra1 timed[812]:  WARN " + kMessage + "\n", kSeenWhole},
      {"2026-07-14T05:12:54.527123+02:00 mn-fra1 timed[812]:  WARN " + kMessage + "\n", kSeen},
      {"2026-07-13T22:42:54-0430 mn-fra1 timed[812]:  WARN " + kMessage + "\n", kSeenWhole},
      {"Tue 2026-07-14 05:12:54 CEST mn-fra1 timed[812]:  WARN " + kMessage + "\n", kSeenWhole},
      {"Tue 2026-07-14 03:12:54 UTC mn-fra1 timed[812]:  WARN " + kMessage + "\n", kSeenWhole},
      {"1783998774.527000 mn-fra1 timed[812]:  WARN " + kMessage + "\n", kSeen},
      {journal(as_bytes(level + kMessage)), kSeen},
      {journal("\"" + kMessage + "\""), kSeen},
      {journal("\"\\u001b[33m WARN\\u001b[0m \\ud83d\\udeab " + kMessage + "\""), kSeen},
  };
  for (const auto& [text, expected] : forms) {
    const auto seen = events_of(text);
    ASSERT_EQ(seen.size(), 1U) << text;
    EXPECT_EQ(seen[0], expected) << text;
  }
}

TEST(LogReader, LineWithoutATimeHasThatOfTheLineBefore) {
  const auto seen = events_of(kFileLine + "\x1b[33m WARN\x1b[0m " + kMessage + "\n" + kMessage);
  ASSERT_EQ(seen.size(), 3U);
  EXPECT_EQ(seen[1], kSeen);
  EXPECT_EQ(seen[2], kSeen);
  EXPECT_EQ(events_of(kMessage)[0].at, "");
}

TEST(LogReader, SyslogTimeIsOfTheLatestYearThatIsNotInTheFuture) {
  const auto at = [](const std::string& date) {
    const auto seen = events_of(date + " 01:00:00 h timed[1]:  WARN " + kMessage);
    return seen.empty() ? std::string() : seen[0].at;
  };
  EXPECT_EQ(at("Jul 20"), "2026-07-19T23:00:00.000Z");
  EXPECT_EQ(at("Jul 22"), "2025-07-21T23:00:00.000Z");
  EXPECT_EQ(at("Dec  1"), "2025-11-30T23:00:00.000Z");
  EXPECT_EQ(at("Feb 29"), "2024-02-28T23:00:00.000Z");
  EXPECT_EQ(at("Feb 30"), "");
}

TEST(LogReader, LargestTimeInSecondsDoesNotOverflow) {
  EXPECT_EQ(events_of("9999999999.5 h timed[1]:  WARN " + kMessage).at(0).at,
            "2286-11-20T17:46:39.500Z");
}

TEST(LogReader, MojibakeOfTheEmojiChangesNothing) {
  const std::string garbled =
      "2026-07-14 03:12:54.527 [mn-fra1]  WARN \xce\xb3\xc6\x92\xc3\x9c\xc2\xbd" +
      kMessage.substr(4) + "\n";
  EXPECT_EQ(events_of(garbled).at(0), kSeen);
}

TEST(LogReader, NullMessageIsCountedAsUnparsed) {
  LogCounts counts;
  EXPECT_TRUE(events_of(journal("null") + journal("[1,2,300]") + "{\n" + "{}\n", &counts).empty());
  EXPECT_EQ(counts.lines, 4U);
  EXPECT_EQ(counts.unparsed, 4U);
}

TEST(LogReader, JournalEntryOfSeveralLinesIsSeveralMessages) {
  const auto seen = events_of(journal("\"" + kMessage + "\\n" + kMessage + "\\n\""));
  EXPECT_EQ(seen, (std::vector<Seen>{kSeen, kSeen}));
}

TEST(LogReader, NulBytesAndBrokenUtf8AreBytesLikeOthers) {
  std::string text = kFileLine;
  text.insert(text.size() - 1, std::string("\0\xff\xfe\xc0", 4));
  EXPECT_EQ(events_of(text).at(0), kSeen);
  LogCounts counts;
  EXPECT_TRUE(events_of(std::string(5000, '\0') + "\n\xff\xff\n", &counts).empty());
  EXPECT_EQ(counts.unparsed, 2U);
}

TEST(LogReader, LineOfAMegabyteIsCutAndTheNextOneIsRead) {
  const std::string huge = kFileLine.substr(0, kFileLine.size() - 1) + std::string(1U << 20U, 'x');
  LogCounts counts;
  const auto seen = events_of(huge + "\n" + kFileLine, &counts);
  EXPECT_EQ(seen, (std::vector<Seen>{kSeen, kSeen}));
  EXPECT_EQ(counts.cut, 1U);
  EXPECT_EQ(counts.lines, 2U);
  // Exactly the limit is not cut, one more is; in one chunk or byte by byte.
  for (const std::size_t over : {0U, 1U}) {
    const std::string line = std::string(kMaxLine + over, 'y') + "\n";
    EXPECT_EQ(read_log(line).cut, over);
    EXPECT_EQ(read_log(line, 1000).cut, over);
  }
}

TEST(LogReader, CutJournalEntryGivesWhatThereIsOfIt) {
  LogCounts counts;
  const auto message = as_bytes(kMessage + std::string(200'000, 'x'));
  const auto seen = events_of(kFileLine + journal(message), &counts);
  ASSERT_EQ(seen.size(), 2U);
  EXPECT_EQ(seen[1].code, "FM-H11");
  EXPECT_EQ(counts.cut, 1U);
}

TEST(LogReader, BlankLinesAreNotUnparsedAndOtherTextIs) {
  LogCounts counts;
  (void)events_of("\n\n \t\r\n# ====\nsomething else\n2026-07-14 03:12:54.527 [h]  INFO new text\n",
                  &counts);
  EXPECT_EQ(counts.lines, 6U);
  EXPECT_EQ(counts.unparsed, 2U);
  EXPECT_EQ(counts.known, 0U);
}

TEST(LogReader, OnlyLinesSinceATimeAreHandedOn) {
  int events = 0;
  LogReader reader(lab_clock(), [&](const LogEvent&) { ++events; });
  reader.set_since(*parse_rfc3339("2026-07-14T03:12:54.528Z"));
  reader.feed(kFileLine);
  EXPECT_EQ(events, 0);
  reader.feed("2026-07-14 03:12:54.528 [mn-fra1]  WARN " + kMessage + "\n");
  EXPECT_EQ(events, 1);
}

TEST(LogReader, BannerCarriesItsTimeBehindIt) {
  const auto seen = events_of("\n\n# ====\n# NODE RESTART  2026-07-14T03:12:09Z\n");
  ASSERT_EQ(seen.size(), 1U);
  EXPECT_EQ(seen[0].at, "2026-07-14T03:12:09.000Z");
}

TEST(FirstAddress, IsFoundInTextAndNothingElseIsTakenForOne) {
  const auto found = [](std::string_view text) {
    const auto ip = first_address(text);
    return ip ? ip->to_string() : std::string();
  };
  EXPECT_EQ(found("from 50.28.104.50:24000: x"), "50.28.104.50");
  EXPECT_EQ(found("[\"50.28.104.50\", \"1.2.3.4\"]"), "50.28.104.50");
  EXPECT_EQ(found("ended 50.28.104.50."), "50.28.104.50");
  EXPECT_EQ(found("peer [2001:db8::1]:24000 x"), "2001:db8::1");
  EXPECT_EQ(found("peer 2001:db8::1: refused"), "2001:db8::1");
  for (const char* none :
       {"", "1.2.3", "1.2.3.4.5", "256.1.1.1", "01.2.3.4", "v1.2.3.4", "1.2.3.4/24", "12:34:56",
        "a::b::c", "peer::manager failed", "1.2.3.4x", "50.28.104.x/24"}) {
    EXPECT_EQ(found(none), "") << none;
  }
}

}  // namespace
}  // namespace timectl::diagnose
