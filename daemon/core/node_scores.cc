// Node: what it sees of its peers as evidence for their health scores (score.h), and the readings
// of them that the history keeps. Nothing here is a ground to take protection away.
#include <algorithm>
#include <utility>

#include "daemon/core/node_state.h"

namespace timectl {
namespace {

// A look comes once a minute; one that comes much later looked at nothing meanwhile.
constexpr Duration kLongestLook = 3min;

bool less_known(const std::pair<const IpAddress, Score>& a,
                const std::pair<const IpAddress, Score>& b) {
  return a.second.state().at < b.second.state().at;
}

}  // namespace

void Node::State::note(const IpAddress& ip, const ScoreEvidence& evidence) {
  held_evidence.add(ip, evidence, policy().score);
}

double Node::State::score_of(const IpAddress& ip, Now now) const {
  const auto it = scores.find(ip);
  return (it == scores.end() ? Score() : it->second).value(policy().score, now.wall);
}

int Node::State::score_step(const IpAddress& ip, Now now) const {
  return static_cast<int>(score_of(ip, now) / 10);
}

void Node::State::settle_evidence(Now now) {
  for (const auto& [ip, evidence] : held_evidence.due(observer.sick(), policy().score, now.wall)) {
    if (!scores.contains(ip) && scores.size() >= policy().score.max_scores) {
      const auto oldest = std::ranges::min_element(scores, less_known);
      changed_scores.erase(oldest->first);
      scores.erase(oldest);
    }
    scores[ip].note(evidence, policy().score);
    changed_scores.insert(ip);
  }
}

void Node::look(Now now) {
  State& s = *state_;
  s.awake(now);
  if (!s.started || s.stopping) return;
  const auto before = std::exchange(s.looked_at, now.mono);
  const Duration looked = before ? std::min(now.mono - *before, kLongestLook) : Duration::zero();
  const auto present = [&](const IpAddress& ip, bool away) {
    if (looked <= Duration::zero()) return;
    s.note(ip, ScoreEvidence::presence(now.wall, looked, away ? looked : Duration::zero()));
  };
  // Whom an operator keeps away is not away by itself.
  const auto kept_away = [&](const IpAddress& ip) {
    const auto peer = s.peers.find(ip);
    return peer != s.peers.end() && peer->second.reconnect.held_by_operator(now.mono);
  };
  // Of a stranger its absence counts only while we try to have it: we leave most of them alone.
  if (s.options.mode == NodeMode::active) {
    for (const auto& [ip, entry] : s.whitelist.entries()) {
      if (!s.is_own(ip) && !s.ready(ip) && !kept_away(ip)) present(ip, true);
    }
    for (const auto& [ip, score] : s.scores) {
      const auto peer = s.peers.find(ip);
      const bool tried = peer != s.peers.end() && peer->second.reconnect.attempts() > 0;
      if (!s.is_masternode(ip) && !s.links.contains(ip) && tried) present(ip, true);
    }
  }
  for (const auto& [ip, link] : s.links) {
    Connection& c = s.connections.at(link.main);
    if (c.stage != Stage::ready) continue;
    present(ip, false);
    const std::uint64_t sent =
        c.liveness->sent() - std::exchange(c.looked_sent, c.liveness->sent());
    const std::uint64_t missed =
        c.liveness->missed_total() - std::exchange(c.looked_missed, c.liveness->missed_total());
    if (sent > 0) s.note(ip, ScoreEvidence::pings(now.wall, sent, missed));
    if (sent == 0 || sent <= missed) continue;
    if (const auto rtt = c.liveness->rtt().mean_ms()) {
      s.note(ip, ScoreEvidence::round_trip(now.wall, *rtt));
    }
    if (const auto jitter = c.liveness->rtt().deviation_ms()) {
      s.note(ip, ScoreEvidence::jitter_of(now.wall, *jitter));
    }
  }
  s.settle_evidence(now);
}

void Node::on_lag(const IpAddress& ip, std::uint64_t blocks, Now now) {
  state_->note(ip, ScoreEvidence::behind(now.wall, blocks));
}

void Node::on_chain_misconduct(const IpAddress& ip, ChainMisconduct kind, Now now) {
  state_->note(ip, ScoreEvidence::misled(now.wall, kind));
}

std::optional<ScoreView> Node::score(const IpAddress& ip, Now now) const {
  const auto it = state_->scores.find(ip);
  if (it == state_->scores.end()) return std::nullopt;
  return it->second.view(state_->policy().score, now.wall);
}

bool Node::fares_badly(const IpAddress& ip, Now now) const {
  constexpr double kHalf = 50;
  return state_->score_of(ip, now) < kHalf;
}

void Node::remember_scores(std::vector<std::pair<IpAddress, ScoreState>> stored) {
  for (const auto& [ip, score] : stored) {
    if (state_->scores.size() >= state_->policy().score.max_scores) break;
    state_->scores.insert_or_assign(ip, Score(score));
  }
}

std::vector<std::pair<IpAddress, ScoreState>> Node::changed_scores() {
  std::vector<std::pair<IpAddress, ScoreState>> changed;
  for (const auto& ip : std::exchange(state_->changed_scores, {})) {
    changed.emplace_back(ip, state_->scores.at(ip).state());
  }
  return changed;
}

std::vector<PeerReading> Node::readings(Now now) const {
  const State& s = *state_;
  std::vector<PeerReading> readings;
  for (const auto& view : peers(now)) {
    const Connection* c = s.main_of(view.ip);
    if (s.is_own(view.ip) || (!view.whitelisted && (c == nullptr || !c->was_ready()))) continue;
    PeerReading reading;
    reading.ip = view.ip;
    reading.whitelisted = view.whitelisted;
    reading.state = view.state;
    reading.direction = view.direction;
    reading.height = view.height;
    reading.score = view.score;
    const auto peer = s.peers.find(view.ip);
    reading.held = peer != s.peers.end() && peer->second.reconnect.held_by_operator(now.mono);
    if (c != nullptr && c->was_ready() && c->stage == Stage::ready) {
      reading.connected_at = c->ready_at;
      reading.pings = c->liveness->sent();
      reading.missed_pongs = c->liveness->missed_total();
      reading.rtt_ms = c->liveness->rtt().mean_ms();
      reading.rtt_deviation_ms = c->liveness->rtt().deviation_ms();
      reading.bytes_in = c->traffic.bytes_in;
      reading.bytes_out = c->traffic.bytes_out;
    }
    readings.push_back(reading);
  }
  return readings;
}

}  // namespace timectl
