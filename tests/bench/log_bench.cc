// How fast timed's logs are read on one core: the mix of a busy node of today (traces of the
// dialler and pings are most of it), the same as journald's JSON, and a log in which every line is
// a sign. Goals (issue 6): 200 MB/s of text, 50 MB/s of JSON.
#include <benchmark/benchmark.h>

#include <array>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/diagnose/log_book.h"
#include "tests/paths.h"

namespace timectl::diagnose {
namespace {

constexpr std::size_t kSize = 64UL << 20U;
constexpr std::size_t kChunk = 256UL << 10U;

std::string stamp(std::size_t n) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "2026-07-14 %02zu:%02zu:%02zu.%03zu [mn-fra1] ",
                n / 3'600'000 % 24, n / 60'000 % 60, n / 1000 % 60, n % 1000);
  return text.data();
}

std::string ip(std::size_t n) {
  return "50.28." + std::to_string(n % 5) + "." + std::to_string(n % 200);
}

// Of a hundred lines: 60 traces, 30 pings and pongs, 2 signs, the rest known or not.
std::string message(std::size_t n) {
  const auto kind = n % 100;
  const auto peer = ip(n * 7);
  if (kind < 60) {
    return " INFO [PHASE3-STALL-TRACE] " + peer + (kind % 2 == 0 ? " pre-" : " post-") +
           "is_incompatible";
  }
  if (kind < 75) {
    return " INFO \xf0\x9f\x93\xa8 [Inbound] Received ping from " + peer +
           " at height 12979  (nonce: 9377420915532166148)";
  }
  if (kind < 90) return " INFO [Inbound] Sent pong to " + peer + " (nonce: 9377420915532166148)";
  if (kind < 91) {
    return " WARN \xf0\x9f\x9a\xab TLS handshake failed with " + peer +
           ":24000: IO error: tls handshake eof";
  }
  if (kind < 92) return " INFO [PHASE3-MN] Reconnecting to masternode " + peer + " (tier: Gold)";
  if (kind < 93) return " INFO \xf0\x9f\x92\x93 heartbeat";
  return " INFO Mempool: 12 transactions, 4 orphans, " + std::to_string(n) + " bytes in total";
}

template <class Line>
std::string fill(Line line) {
  std::string text;
  text.reserve(kSize + 4096);
  for (std::size_t n = 0; text.size() < kSize; ++n) text += line(n) + "\n";
  return text;
}

std::string journal_line(std::size_t n) {
  std::string bytes;
  for (const char c : "\x1b[32m " + message(n).substr(1, 4) + "\x1b[0m" + message(n).substr(5)) {
    bytes += (bytes.empty() ? "" : ",") + std::to_string(static_cast<unsigned char>(c));
  }
  return R"({"__CURSOR":"s=0f3c;i=1a2b;b=77;m=1;t=2;x=3","_HOSTNAME":"mn-fra1","PRIORITY":"6",)"
         R"("_SYSTEMD_UNIT":"timed.service","SYSLOG_IDENTIFIER":"timed","_PID":"812","MESSAGE":[)" +
         bytes + R"(],"__REALTIME_TIMESTAMP":"1784000)" + std::to_string(100'000'000 + n) + "\"}";
}

void read(benchmark::State& state, const std::string& text) {
  const LogClock clock{*parse_rfc3339("2026-07-20T18:00:00Z"), {}};
  std::uint64_t known = 0;
  for (auto _ : state) {
    LogBook book;
    LogReader reader(clock, [&](const LogEvent& event) { book.on_event(event); });
    for (std::size_t at = 0; at < text.size(); at += kChunk) {
      reader.feed(std::string_view(text).substr(at, kChunk));
    }
    known = book.report(reader.counts()).known;
  }
  if (known == 0) state.SkipWithError("nothing was read");
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * text.size()));
}

void text_of_a_busy_node(benchmark::State& state) {
  read(state, fill([](std::size_t n) { return stamp(n) + message(n); }));
}
BENCHMARK(text_of_a_busy_node)->Unit(benchmark::kMillisecond);

void journald_json(benchmark::State& state) {
  read(state, fill(journal_line));
}
BENCHMARK(journald_json)->Unit(benchmark::kMillisecond);

void every_line_a_sign(benchmark::State& state) {
  std::ifstream file(std::string(TIMECTL_SOURCE_DIR) + "/tests/data/timed_logs/lines.tsv");
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) {
    const auto tab = line.find('\t');
    if (tab != std::string::npos && line.starts_with("FM-")) lines.push_back(line.substr(tab + 1));
  }
  read(state, fill([&](std::size_t n) { return lines.at(n % lines.size()); }));
}
BENCHMARK(every_line_a_sign)->Unit(benchmark::kMillisecond);

void one_line_without_end(benchmark::State& state) {
  std::string text(kSize, 'x');
  text += "\n" + stamp(0) + message(60) + "\n";
  read(state, text);
}
BENCHMARK(one_line_without_end)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace timectl::diagnose

BENCHMARK_MAIN();
