// A log of timed: whatever comes, at any chunking, reading ends, what is told of it is the same as
// read in one piece, counts add up, and no example can speak to a terminal.
#include <algorithm>

#include "daemon/diagnose/journal_entry.h"
#include "daemon/diagnose/log_book.h"
#include "tests/fuzz/fuzz.h"

namespace timectl::diagnose {

using timectl::fuzz::require;

namespace {

LogReport read(std::string_view text, std::size_t chunk) {
  LogBook book;
  LogReader reader({WallTime(std::chrono::days(20'654)), std::chrono::hours(2)},
                   [&](const LogEvent& event) {
                     require(event.pattern != nullptr, "an event has its row");
                     book.on_event(event);
                   });
  for (std::size_t at = 0; at < text.size(); at += chunk) reader.feed(text.substr(at, chunk));
  reader.finish();
  if (reader.counts().to) book.on_silence(*reader.counts().to);
  return book.report(reader.counts());
}

bool is_plain(const std::string& text) {
  return std::ranges::all_of(text, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte >= 0x20 && byte != 0x7f;
  });
}

void check(const LogReport& report, std::size_t size) {
  require(report.bytes == size, "every byte is counted");
  require(report.lines <= size && report.cut <= report.lines, "lines are counted");
  require(report.unparsed <= report.lines, "only lines are unparsed");
  require(!report.from == !report.to && (!report.from || *report.from <= *report.to),
          "the span has two ends");
  std::uint64_t rows = 0;
  for (const auto& cause : report.causes) rows += cause.count;
  std::uint64_t signs = 0;
  for (const auto& finding : report.findings) {
    signs += finding.count;
    require(finding.count > 0 && !finding.title.empty(), "a finding was seen and has a name");
    require(std::ranges::all_of(finding.examples, is_plain), "examples are printable");
  }
  require(report.causes_left_out > 0 || rows == signs, "the rows add up to the findings");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::size_t chunk = std::size_t{data[0]} + 1;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto whole = read(text, text.size() + 1);
  check(whole, text.size());
  const auto parts = read(text, chunk);
  require(parts.known == whole.known && parts.unparsed == whole.unparsed &&
              parts.lines == whole.lines && parts.findings.size() == whole.findings.size(),
          "the chunks make no difference");
  std::string message;
  (void)read_journal_entry(text, message);
  require(message.size() <= text.size(), "a message is not longer than its entry");
  return 0;
}

}  // namespace timectl::diagnose
