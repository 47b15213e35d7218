// A log in a string, read to its end: what the tests of the log reader have in common.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/diagnose/log_book.h"

namespace timectl::diagnose {

// A machine two hours east of Greenwich, in the evening of 20 July 2026.
inline LogClock lab_clock() {
  return {*parse_rfc3339("2026-07-20T18:00:00Z"), std::chrono::hours(2)};
}

inline LogReport read_log(std::string_view text, std::size_t chunk = 1U << 20U) {
  LogBook book;
  LogReader reader(lab_clock(), [&](const LogEvent& event) { book.on_event(event); });
  for (std::size_t at = 0; at < text.size(); at += chunk) reader.feed(text.substr(at, chunk));
  reader.finish();
  if (reader.counts().to) book.on_silence(*reader.counts().to);
  return book.report(reader.counts());
}

inline std::vector<std::string> codes_of(const LogReport& report) {
  std::vector<std::string> codes;
  for (const auto& finding : report.findings) codes.push_back(finding.code);
  return codes;
}

inline const LogFinding* finding_of(const LogReport& report, std::string_view code) {
  const auto found = std::ranges::find(report.findings, code, &LogFinding::code);
  return found == report.findings.end() ? nullptr : &*found;
}

}  // namespace timectl::diagnose
