#include "daemon/observe/sampler.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <set>

namespace timectl::observe {
namespace {

constexpr auto kStep = SampleStep::five_minutes;
constexpr std::size_t kMostBlamed = 65'536;  // faults of the last minutes that may be taken back
constexpr std::size_t kMostSpans =
    32;  // sessions of one peer between two looks that are told apart

constexpr std::array kOurWill{EndReason::closed_by_operator, EndReason::shutdown,
                              EndReason::superseded, EndReason::duplicate, EndReason::evicted};

double seconds_between(WallTime begin, WallTime end) {
  return end > begin ? std::chrono::duration<double>(end - begin).count() : 0;
}

std::uint64_t grown(std::uint64_t from, std::uint64_t to) {
  return to > from ? to - from : 0;
}

template <class T>
void raise(std::optional<T>& most, const std::optional<T>& value) {
  if (value) most = most ? std::max(*most, *value) : *value;
}

// The seconds of [begin, end) that the spans cover, each once.
double covered(std::vector<std::pair<WallTime, WallTime>> spans, WallTime begin, WallTime end) {
  std::ranges::sort(spans);
  double sum = 0;
  for (const auto& [from, to] : spans) {
    const auto start = std::max(from, begin);
    const auto stop = std::min(to, end);
    sum += seconds_between(start, stop);
    begin = std::max(begin, stop);
  }
  return sum;
}

// So much may still be added to a row that holds `looked` seconds: no more than has passed of its
// step. Stored milliseconds are rounded.
double room(WallTime step, WallTime end, double looked) {
  return std::max(0.0, seconds_between(step, end) - looked);
}

void add_round_trips(PeerSample& sample, double rtt, std::uint64_t count) {
  if (count == 0) return;
  const auto before = static_cast<double>(sample.round_trips);
  const auto more = static_cast<double>(count);
  sample.round_trips += count;
  sample.rtt_ms_min = std::min(rtt, sample.rtt_ms_min.value_or(rtt));
  sample.rtt_ms_max = std::max(rtt, sample.rtt_ms_max.value_or(rtt));
  sample.rtt_ms_mean = (sample.rtt_ms_mean.value_or(rtt) * before + rtt * more) / (before + more);
}

SessionRecord open_session(const PeerReading& reading, WallTime now) {
  SessionRecord session;
  session.ip = reading.ip;
  session.direction = reading.direction.value_or(Direction::out);
  session.whitelisted = reading.whitelisted;
  session.started_at = *reading.connected_at;
  session.ended_at = std::max(now, session.started_at);
  session.missed_pongs = reading.missed_pongs;
  session.rtt_ms_p50 = reading.rtt_ms;
  session.bytes_in = reading.bytes_in;
  session.bytes_out = reading.bytes_out;
  return session;
}

bool is_syncing(const NodeReading& node) {
  return node.sync && node.sync->lag_blocks && *node.sync->lag_blocks > node.sync_threshold;
}

}  // namespace

bool by_our_will(EndReason reason) {
  return std::ranges::find(kOurWill, reason) != kOurWill.end();
}

void Sampler::resume(std::span<const PeerSample> peers, const std::optional<NodeSample>& node) {
  for (const auto& sample : peers) steps_[step_of(kStep, sample.at)].peers[sample.ip] = sample;
  if (node) steps_[step_of(kStep, node->at)].node = node;
}

bool Sampler::anew(Now now) const {
  if (!looked_at_) return true;
  const auto wall = now.wall - looked_at_->wall;
  const auto mono = now.mono - looked_at_->mono;
  return wall < wall.zero() || wall > kMostBetween || mono < mono.zero() || mono > kMostBetween;
}

// The time since the last look by both clocks: of a wall clock that was put forward only what has
// passed, of one that was put back only what it has not told before.
std::vector<Sampler::Part> Sampler::parts(Now now) const {
  if (anew(now)) return {};
  const auto passed =
      std::chrono::duration_cast<std::chrono::milliseconds>(now.mono - looked_at_->mono);
  const auto begin = std::max({looked_at_->wall, now.wall - passed, counted_until_});
  if (begin >= now.wall) return {};
  const auto present = step_of(kStep, now.wall);
  if (begin >= present) return {{present, begin, now.wall}};
  std::vector<Part> parts{{step_of(kStep, begin), begin, present}};
  if (present < now.wall) parts.push_back({present, present, now.wall});
  return parts;
}

PeerSample& Sampler::row(WallTime step, const IpAddress& ip) {
  auto& sample = steps_[step].peers[ip];
  sample.ip = ip;
  sample.at = step;
  return sample;
}

void Sampler::count_time(const IpAddress& ip, const PeerReading* reading,
                         std::span<const Part> parts, bool sick, std::vector<double>& connected) {
  const auto& last = last_[ip];
  auto spans = last.ended;
  if (reading != nullptr && reading->connected_at) {
    spans.emplace_back(*reading->connected_at, WallTime::max());
  }
  const bool whitelisted = reading != nullptr ? reading->whitelisted : last.whitelisted;
  const bool ours = sick || last.held || (reading != nullptr && reading->held);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const auto& part = parts[i];
    const double up = covered(spans, part.begin, part.end);
    if (whitelisted) connected[i] += up;
    // One that came or went since the last look was looked at while it was there.
    const bool all = reading != nullptr && last.listed;
    if (!all && up <= 0) continue;
    auto& sample = row(part.step, ip);
    const double looked = std::min(all ? seconds_between(part.begin, part.end) : up,
                                   room(part.step, part.end, sample.seconds));
    const double there = std::min(up, looked);
    sample.seconds += looked;
    sample.connected_seconds += there;
    if (ours) sample.own_outage_seconds += looked - there;
    if (whitelisted) sample.whitelisted_seconds += looked;
  }
}

// Totals are of a session: what has grown since the last look, all of one that began after it.
void Sampler::count_traffic(const PeerReading& reading, const Last& last, WallTime step, bool sick,
                            Instant now) {
  if (!reading.connected_at) return;
  Last base = last;
  if (last.connected_at != reading.connected_at) {
    if (*reading.connected_at < looked_at_->wall) return;  // nobody knows when
    base = {};
  }
  auto& sample = row(step, reading.ip);
  const auto pings = grown(base.pings, reading.pings);
  const auto missed = grown(base.missed, reading.missed_pongs);
  // A ping that a sick node missed says nothing of the peer.
  sample.pings += sick ? grown(missed, pings) : pings;
  if (!sick) blame(reading.ip, step, missed, 0, now);
  sample.bytes_in += grown(base.bytes_in, reading.bytes_in);
  sample.bytes_out += grown(base.bytes_out, reading.bytes_out);
  if (reading.rtt_ms) add_round_trips(sample, *reading.rtt_ms, grown(missed, pings));
}

void Sampler::blame(const IpAddress& ip, WallTime step, std::uint64_t missed, std::uint64_t ends,
                    Instant at) {
  if (missed == 0 && ends == 0) return;
  auto& sample = row(step, ip);
  sample.missed_pongs += missed;
  sample.disconnects += ends;
  // Of more than that the first stay counted.
  if (blamed_.size() >= kMostBlamed) blamed_.pop_front();
  blamed_.push_back({step, ip, missed, ends, at});
}

// What a sick node counted against its peers lately is taken back; what is older stays.
void Sampler::settle_blame(bool sick, Instant now) {
  for (const auto& blamed : blamed_) {
    if (!sick || now - blamed.at > kShown || !steps_.contains(blamed.step)) continue;
    auto& sample = row(blamed.step, blamed.ip);
    sample.pings = grown(blamed.missed, sample.pings);
    sample.missed_pongs = grown(blamed.missed, sample.missed_pongs);
    sample.disconnects = grown(blamed.ends, sample.disconnects);
  }
  std::erase_if(blamed_, [&](const Blame& blamed) { return sick || now - blamed.at > kShown; });
}

void Sampler::note_last(const PeerReading& reading, const NodeReading& node, WallTime step) {
  auto& sample = row(step, reading.ip);
  sample.state = reading.state;
  if (reading.height) sample.height = reading.height;
  if (reading.score) sample.score = reading.score;
  if (reading.height && node.sync && node.sync->best_height) {
    raise(sample.lag_max, std::optional(grown(*reading.height, *node.sync->best_height)));
  }
}

// Masternodes connected over each part, and how long our own state lasted.
void Sampler::count_node_time(std::span<const Part> parts, std::span<const double> connected,
                              bool sick) {
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const auto& part = parts[i];
    auto& sample = node_row(part.step);
    const double length = seconds_between(part.begin, part.end);
    const double looked = std::min(length, room(part.step, part.end, sample.seconds));
    if (looked <= 0) continue;
    const double before = sample.connected_mean * sample.seconds;
    sample.seconds += looked;
    sample.connected_mean = (before + connected[i] / length * looked) / sample.seconds;
    if (sick) sample.own_outage_seconds += looked;
    if (was_syncing_) sample.syncing_seconds += looked;
  }
}

NodeSample& Sampler::node_row(WallTime step) {
  auto& sample = steps_[step].node;
  if (!sample) sample.emplace().at = step;
  return *sample;
}

// What holds at this look; a step's least is that of its looks.
void Sampler::note_node(std::span<const PeerReading> peers, const NodeReading& node,
                        WallTime step) {
  const auto up = static_cast<std::uint64_t>(std::ranges::count_if(
      peers, [](const auto& reading) { return reading.whitelisted && reading.connected_at; }));
  const bool first = !steps_[step].node || steps_[step].node->seconds == 0;
  auto& sample = node_row(step);
  sample.connected_min = first ? up : std::min(sample.connected_min, up);
  if (sample.seconds == 0) sample.connected_mean = static_cast<double>(up);
  sample.whitelisted = node.whitelisted;
  sample.connections_max = std::max(sample.connections_max, node.connections);
  if (!node.sync) return;
  if (node.sync->height) sample.height = node.sync->height;
  if (node.sync->best_height) sample.best_height = node.sync->best_height;
  raise(sample.lag_max, node.sync->lag_blocks);
  raise(sample.spread_max, node.sync->spread_blocks);
}

void Sampler::count_blocks(const NodeReading& node, WallTime step) {
  if (!node.sync || !node.sync->height || !last_height_) return;
  const auto blocks = grown(*last_height_, *node.sync->height);
  auto& sample = node_row(step);
  sample.blocks += blocks;
  if (was_syncing_) sample.blocks_syncing += blocks;
}

void Sampler::look(std::span<const PeerReading> peers, const NodeReading& node, Now now) {
  const bool sick = node.sick || was_sick_;
  const auto present = step_of(kStep, now.wall);
  const auto counted = parts(now);
  std::vector<double> connected(counted.size(), 0.0);
  settle_blame(sick, now.mono);
  std::map<IpAddress, const PeerReading*> seen;  // each once, and those that have gone
  for (const auto& [ip, last] : last_) {
    if (!last.ended.empty()) seen[ip] = nullptr;
  }
  for (const auto& reading : peers) seen[reading.ip] = &reading;
  for (const auto& [ip, reading] : seen) count_time(ip, reading, counted, sick, connected);
  count_node_time(counted, connected, sick);
  if (!anew(now)) {
    // Counters have no time of their own: they belong to where most of the time was.
    const bool earlier = counted.size() == 2 &&
                         counted[0].end - counted[0].begin > counted[1].end - counted[1].begin;
    const auto step = earlier ? counted[0].step : present;
    for (const auto& [ip, reading] : seen) {
      if (reading != nullptr) count_traffic(*reading, last_[ip], step, sick, now.mono);
    }
    count_blocks(node, step);
  }
  for (const auto& reading : peers) note_last(reading, node, present);
  note_node(peers, node, present);
  remember(peers, node, now);
  bound(present);
}

void Sampler::remember(std::span<const PeerReading> peers, const NodeReading& node, Now now) {
  last_.clear();
  open_.clear();
  for (const auto& reading : peers) {
    last_[reading.ip] = {.listed = true,
                         .whitelisted = reading.whitelisted,
                         .held = reading.held,
                         .connected_at = reading.connected_at,
                         .pings = reading.pings,
                         .missed = reading.missed_pongs,
                         .bytes_in = reading.bytes_in,
                         .bytes_out = reading.bytes_out};
    if (reading.connected_at) open_.push_back(open_session(reading, now.wall));
  }
  // A clock that was far ahead has told nothing that will not come to pass as well.
  const bool ahead = counted_until_ - now.wall > length_of(kStep);
  counted_until_ = ahead ? now.wall : std::max(counted_until_, now.wall);
  looked_at_ = now;
  was_sick_ = node.sick;
  was_syncing_ = is_syncing(node);
  last_height_ = node.sync ? node.sync->height : std::nullopt;
}

void Sampler::note_end(const SessionRecord& session, Now now) {
  std::erase_if(open_, [&](const SessionRecord& open) {
    return open.ip == session.ip && open.started_at == session.started_at;
  });
  const auto it = last_.find(session.ip);
  if (it == last_.end() && !session.whitelisted) return;
  auto& last = it != last_.end() ? it->second : last_[session.ip];
  if (it == last_.end()) last.whitelisted = true;
  auto& sample = row(step_of(kStep, now.wall), session.ip);
  std::uint64_t missed = 0;
  const bool known = last.connected_at == session.started_at;
  const bool young = looked_at_ && session.started_at >= looked_at_->wall;
  if (known || young) {
    missed = grown(known ? last.missed : 0, session.missed_pongs);
    sample.bytes_in += grown(known ? last.bytes_in : 0, session.bytes_in);
    sample.bytes_out += grown(known ? last.bytes_out : 0, session.bytes_out);
    // A session does not tell how many it sent; those that it missed it did send.
    if (!was_sick_) sample.pings = std::max(sample.pings, sample.missed_pongs + missed);
  }
  if (!was_sick_) {
    const bool theirs = !by_our_will(session.end_reason);
    blame(session.ip, step_of(kStep, now.wall), missed, theirs ? 1 : 0, now.mono);
  }
  if (known) last.connected_at.reset();
  if (last.ended.size() < kMostSpans) {
    last.ended.emplace_back(session.started_at, session.ended_at);
  }
  bound(step_of(kStep, now.wall));
}

Sampler::Rows Sampler::rows() const {
  Rows rows;
  for (const auto& [at, step] : steps_) {
    for (const auto& [ip, sample] : step.peers) rows.peers.push_back(sample);
    if (step.node) rows.nodes.push_back(*step.node);
  }
  rows.open = open_;
  return rows;
}

void Sampler::stored() {
  if (!looked_at_) return;
  const auto present = step_of(kStep, looked_at_->wall);
  // A session may have ended in the step that no look has seen yet; what is blamed on a peer may
  // be taken back.
  std::set<WallTime> wanted{present, WallTime(present + std::chrono::minutes(5))};
  for (const auto& blamed : blamed_) wanted.insert(blamed.step);
  std::erase_if(steps_, [&](const auto& step) { return !wanted.contains(step.first); });
}

void Sampler::bound(WallTime present) {
  while (steps_.size() > kMostSteps) {
    const auto oldest = steps_.begin();
    steps_.erase(oldest->first == present ? std::next(oldest) : oldest);
  }
}

}  // namespace timectl::observe
