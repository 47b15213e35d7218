#include "daemon/diagnose/log_book.h"

#include <algorithm>
#include <array>

#include "daemon/core/events.h"

namespace timectl::diagnose {
namespace {

// Rows per mode and peer: 4,096 peers with four modes each. At 300 bytes that is 5 MB.
constexpr std::size_t kMaxRows = 16384;
constexpr std::size_t kExamples = 3;
constexpr std::size_t kExampleBytes = 240;
constexpr std::size_t kMaxCauses = 1000;  // in a report; the findings count all
constexpr std::size_t kMaxPeersTold = 100;

// No failure of the catalogue: its rule for reading a log says that it is none of a peer's.
constexpr Mode kUplink{
    "uplink_down",
    "UPLINK-DOWN",
    Gravity::high,
    Act::you,
    "Five or more peers went within two seconds",
    "That is one cause of this machine's own: its network, a stalled daemon or an unlogged stop.",
    "Look at this machine's network at those times; the peers are innocent."};

// What another finding explains is not the main cause.
struct Consequence {
  std::string_view code;
  std::string_view root;
};
constexpr auto kConsequences = std::to_array<Consequence>({
    {"FM-H6", "FM-H8"},  // nobody is on another chain: we cannot read our own
    {"FM-B3", "FM-B4"},
    {"FM-B4", "FM-P2"},
    {"FM-D3", "FM-P2"},
    {"FM-R4", "FM-X9"},
    {"FM-S16", "FM-X4"},
    {"FM-X10", "FM-X12"},
    {"FM-B2", "uplink_down"},
    {"FM-B12", "FM-H11"},  // attempts repeat because each is refused
    {"FM-B12", "FM-R1"},
    {"FM-B12", "FM-R2"},
});

// What one peer alone says is its word against ours: it may be the one on a fork.
constexpr auto kNeedsTwoPeers = std::to_array<std::string_view>({"FM-S5"});

std::optional<std::string_view> root_of(std::string_view code,
                                        const std::vector<LogFinding>& found) {
  for (const auto& row : kConsequences) {
    if (row.code != code) continue;
    const bool seen = std::ranges::find(found, row.root, &LogFinding::code) != found.end();
    if (seen) return row.root;
  }
  return std::nullopt;
}

// What takes the whole node down comes first, then by gravity, then by how often: one stranger on
// another chain is critical for that pair only.
int rank(const LogFinding& finding) {
  if (finding.follows_from) return 4;
  if (finding.severity == Gravity::critical && finding.act == Act::you) return 0;
  switch (finding.severity) {
    case Gravity::critical:
    case Gravity::high:
      return 1;
    case Gravity::medium:
      return 2;
    case Gravity::low:
      break;
  }
  return 3;
}

}  // namespace

const Mode& mode_in_log(std::string_view code) {
  return code == kUplink.code ? kUplink : mode_of(code);
}

std::size_t LogBook::KeyHash::operator()(const Key& key) const {
  const std::size_t peer = key.peer ? std::hash<IpAddress>{}(*key.peer) : 0;
  return peer * 131 + key.mode;
}

LogBook::LogBook() : story_([this](const Sign& sign) { on_sign(sign); }) {
  for (const auto& mode : catalogue()) index_.emplace(mode.code, index_.size());
  index_.emplace(kUplink.code, index_.size());
  totals_.resize(index_.size());
  dropped_peers_.resize(index_.size());
}

void LogBook::on_event(const LogEvent& event) {
  const auto& pattern = *event.pattern;
  // Of these the story says which mode it is, by what stood before.
  const bool decided_later =
      pattern.kind == LineKind::healed || pattern.kind == LineKind::wrong_genesis;
  if (!pattern.code.empty() && !decided_later) {
    Sign sign{pattern.code, event.at, event.peer, event.text};
    if (pattern.kind == LineKind::link_timed_out && event.peer) {
      // The link died when the peer was last heard, not when the kernel gave up on it.
      const auto peer = story_.peers().find(*event.peer);
      if (peer != story_.peers().end() && peer->second.last_traffic) {
        sign.at = peer->second.last_traffic;
      }
    }
    on_sign(sign);
  }
  story_.on_event(event);
}

void LogBook::count(Total& total, const Sign& sign, std::size_t examples) {
  ++total.count;
  if (sign.at) {
    if (!total.first || *sign.at < *total.first) total.first = sign.at;
    if (!total.last || *sign.at > *total.last) total.last = sign.at;
  }
  const auto text = sign.text.substr(0, kExampleBytes);
  if (total.examples.size() < examples) {
    total.examples.emplace_back(text);
  } else {
    total.examples.back().assign(text);  // the last one; its memory is reused
  }
}

void LogBook::on_sign(const Sign& sign) {
  const auto mode = index_.find(sign.code);
  TIMECTL_CHECK(mode != index_.end());
  count(totals_[mode->second], sign, kExamples);
  const Key key{mode->second, sign.peer};
  auto row = rows_.find(key);
  if (row == rows_.end()) {
    if (rows_.size() >= kMaxRows) drop_the_rarest();
    row = rows_.emplace(key, Total{}).first;
  }
  count(row->second, sign, 1);
  if (listener_) listener_(sign, mode_in_log(sign.code), row->second.count);
}

// Half of them at once, so that a log full of strangers costs little per line.
void LogBook::drop_the_rarest() {
  std::vector<std::uint64_t> counts;
  counts.reserve(rows_.size());
  for (const auto& [key, total] : rows_) counts.push_back(total.count);
  const auto middle = counts.begin() + static_cast<std::ptrdiff_t>(counts.size() / 2);
  std::nth_element(counts.begin(), middle, counts.end());
  auto left = counts.size() / 2;
  for (auto row = rows_.begin(); row != rows_.end() && left > 0;) {
    if (row->second.count > *middle) {
      ++row;
      continue;
    }
    ++dropped_peers_[row->first.mode];
    ++dropped_;
    --left;
    row = rows_.erase(row);
  }
}

std::vector<LogFinding> LogBook::findings() const {
  std::vector<std::uint64_t> peers = dropped_peers_;
  for (const auto& [key, total] : rows_) peers[key.mode] += key.peer ? 1U : 0U;
  std::vector<LogFinding> all;
  for (const auto& [code, index] : index_) {
    const auto& total = totals_[index];
    if (total.count == 0) continue;
    const auto& mode = mode_in_log(code);
    LogFinding finding{std::string(code), mode.gravity, std::string(mode.title),
                       mode.act,          total.count,  peers[index],
                       total.first,       total.last};
    const bool one_peer_says = peers[index] == 1 && !rows_.contains(Key{index, std::nullopt});
    if (one_peer_says && std::ranges::find(kNeedsTwoPeers, code) != kNeedsTwoPeers.end()) {
      finding.severity = Gravity::medium;
    }
    finding.meaning = mode.meaning;
    finding.remedy = mode.remedy;
    for (const auto& text : total.examples) {
      auto line = printable(text, kExampleBytes);
      const bool told = std::ranges::find(finding.examples, line) != finding.examples.end();
      if (!told) finding.examples.push_back(std::move(line));
    }
    all.push_back(std::move(finding));
  }
  for (auto& finding : all) {
    if (const auto root = root_of(finding.code, all)) finding.follows_from = std::string(*root);
  }
  std::ranges::sort(all, [](const LogFinding& a, const LogFinding& b) {
    if (rank(a) != rank(b)) return rank(a) < rank(b);
    return a.count != b.count ? a.count > b.count : a.code < b.code;
  });
  return all;
}

void LogBook::add_causes(LogReport& report) const {
  std::unordered_map<std::size_t, std::size_t> order;
  for (std::size_t i = 0; i < report.findings.size(); ++i) {
    order.emplace(index_.at(report.findings[i].code), i);
  }
  struct Row {
    std::size_t order;
    const Key* key;
    const Total* total;
  };
  std::vector<Row> rows;
  rows.reserve(rows_.size());
  for (const auto& [key, total] : rows_) rows.push_back({order.at(key.mode), &key, &total});
  std::ranges::sort(rows, [](const Row& a, const Row& b) {
    if (a.order != b.order) return a.order < b.order;
    if (a.total->count != b.total->count) return a.total->count > b.total->count;
    return a.key->peer < b.key->peer;
  });
  report.causes_left_out = dropped_ + rows.size() - std::min(rows.size(), kMaxCauses);
  rows.resize(std::min(rows.size(), kMaxCauses));
  for (const auto& [at, key, total] : rows) {
    const auto& finding = report.findings[at];
    report.causes.push_back({finding.code, key->peer, total->count, total->first, total->last,
                             printable(total->examples.front(), kExampleBytes), finding.remedy});
  }
}

std::vector<LogPeer> LogBook::peers() const {
  std::unordered_map<IpAddress, std::pair<const Key*, const Total*>> worst;
  std::unordered_map<IpAddress, std::uint64_t> signs;
  for (const auto& [key, total] : rows_) {
    if (!key.peer) continue;
    signs[*key.peer] += total.count;
    auto& [mode, most] = worst[*key.peer];
    const bool more = most == nullptr || total.count > most->count ||
                      (total.count == most->count && key.mode < mode->mode);
    if (more) mode = &key, most = &total;
  }
  std::vector<LogPeer> all;
  for (const auto& [ip, story] : story_.peers()) {
    LogPeer peer{ip, story.sessions, story.dials, story.height, story.last_traffic};
    peer.last_end = story.live ? "" : std::string(story.last_end);
    if (const auto found = worst.find(ip); found != worst.end()) {
      for (const auto& [code, index] : index_) {
        if (index == found->second.first->mode) peer.main_code = code;
      }
      peer.signs = signs.at(ip);
    }
    all.push_back(std::move(peer));
  }
  std::ranges::sort(all, [](const LogPeer& a, const LogPeer& b) {
    return a.signs != b.signs ? a.signs > b.signs : a.ip < b.ip;
  });
  return all;
}

LogReport LogBook::report(const LogCounts& counts) const {
  LogReport report{counts.lines, counts.bytes, counts.known, counts.unparsed,
                   counts.cut,   counts.from,  counts.to,    story_.restarts()};
  report.findings = findings();
  add_causes(report);
  report.peers = peers();
  report.peers_left_out = story_.forgotten_peers();
  if (report.peers.size() > kMaxPeersTold) {
    report.peers_left_out += report.peers.size() - kMaxPeersTold;
    report.peers.resize(kMaxPeersTold);
  }
  return report;
}

}  // namespace timectl::diagnose
