// Node: who is kept out, and what its peers do that counts against them. bans.h has the rules of
// the scores; this has whom the node takes for guilty, and what it does about it.
#include <algorithm>
#include <utility>

#include "daemon/core/node_state.h"
#include "daemon/core/reflect.h"

namespace timectl {
namespace {

Severity severity_of(bool whitelisted) {
  return whitelisted ? Severity::critical : Severity::warning;
}

}  // namespace

Standing Node::State::standing(const IpAddress& ip) const {
  return standing_of(is_masternode(ip), policy().whitelist.ban_immunity);
}

const Ban* Node::State::banned(const IpAddress& ip) const {
  if (bans.none()) return nullptr;
  return bans.in_force(ip, standing(ip));
}

// The connection of the guilty ends, no other one of its address: somebody behind the same NAT
// could otherwise have an honest session cut by misbehaving beside it.
void Node::State::violation(const IpAddress& ip, ViolationKind kind, const std::string& detail,
                            Connection* by, Now now) {
  const auto outcome = bans.violation(ip, kind, standing(ip), policy().bans, now);
  if (!outcome.counted) return;
  if (peers.contains(ip) || links.contains(ip)) note(ip, ScoreEvidence::violated(now.wall, kind));
  Event e = event(EventKind::violation, Severity::notice, ip, now);
  e.detail = std::string(name_of(kind)) + (detail.empty() ? "" : ": " + detail);
  record(std::move(e));
  if (!outcome.ban) return;
  const std::string text = ban_term(*outcome.ban);
  Event begun = event(EventKind::peer_banned, severity_of(is_masternode(ip)), ip, now);
  begun.reason = EndReason::banned;
  const std::string covered = covered_by(*outcome.ban);
  begun.detail = (covered == ip.to_string() ? "" : "with " + covered + ", ") + text;
  record(std::move(begun));
  note_protection(ip, now);
  if (by != nullptr) close(*by, EndReason::banned, text, now);
}

void Node::State::judge_end(const Connection& c, EndReason reason, const std::string& detail,
                            Now now) {
  const auto kind = violation_of({reason, c.direction, c.was_ready(), c.traffic.bytes_in > 0});
  if (!kind) return;
  // While this node itself is in trouble, slowness proves nothing.
  if (observer.sick() && violation_row(*kind).gravity == Gravity::nuisance) return;
  // Beside a session of the address, failed knocks are more likely those of another host behind
  // the same NAT.
  if (!c.was_ready() && ready(c.ip)) return;
  violation(c.ip, *kind, detail, nullptr, now);
}

void Node::State::judge_knock(const IpAddress& ip, Now now) {
  if (ready(ip)) return;
  violation(ip, ViolationKind::hammering, "too many new connections a minute", nullptr, now);
}

void Node::State::judge_frames(Connection& c, Now now) {
  if (c.stage != Stage::ready) return;
  const std::uint64_t bursts =
      c.traffic.undecodable_frames / std::max<std::size_t>(policy().bans.undecodable_frames, 1);
  if (bursts <= c.undecodable_judged) return;
  c.undecodable_judged = bursts;
  violation(c.ip, ViolationKind::undecodable,
            std::to_string(c.traffic.undecodable_frames) + " frames of this session are no message",
            &c, now);
}

void Node::State::judge_pong(Connection& c, bool known, Now now) {
  if (known) c.unknown_pongs = 0;
  if (known || ++c.unknown_pongs < policy().bans.unknown_pongs) return;
  const std::string count = std::to_string(std::exchange(c.unknown_pongs, 0));
  violation(c.ip, ViolationKind::unknown_pongs, count + " pongs in a row answer no ping of ours",
            &c, now);
}

void Node::on_misconduct(const IpAddress& ip, ViolationKind kind, const std::string& detail,
                         Now now) {
  State& s = *state_;
  s.awake(now);
  if (!s.started || s.stopping) return;
  if (s.standing(ip) == Standing::immune) {  // no score, but the operator should know
    Event e = s.event(EventKind::violation, Severity::warning, ip, now);
    e.detail = std::string(name_of(kind)) + ": " + printable(detail);
    s.record(std::move(e));
  }
  s.violation(ip, kind, printable(detail), nullptr, now);
  s.enforce_ban(ip, now);
  s.pump(now);
}

// A ban that is in force now ends what there is with the address; says whether one is.
bool Node::State::enforce_ban(const IpAddress& ip, Now now) {
  const Ban* ban = banned(ip);
  if (ban == nullptr) return false;
  close_link(ip, EndReason::banned, ban_term(*ban), now);
  return true;
}

void Node::State::enforce_bans(Now now) {
  std::vector<IpAddress> ips;
  for (const auto& [ip, link] : links) {
    if (banned(ip) != nullptr) ips.push_back(ip);
  }
  for (const auto& ip : ips) enforce_ban(ip, now);
}

// Whoever was kept out by it may be dialled again.
void Node::State::ban_over(const Ban& ban, EndOfBan how, Now now) {
  Event e = event(EventKind::ban_ended, Severity::info, ban.ip, now);
  e.by_operator = how == EndOfBan::lifted;
  e.detail = e.by_operator ? "an operator lifted it" : "its time is over";
  record(std::move(e));
  std::vector<IpAddress> ips;
  const bool one = covered_by(ban) == ban.ip.to_string();
  for (auto it = peers.lower_bound(ban.ip); it != peers.end(); ++it) {
    const auto same =
        std::mismatch(it->first.bytes().begin(), it->first.bytes().end(), ban.ip.bytes().begin());
    if (same.first - it->first.bytes().begin() < (one ? 16 : 8)) break;
    ips.push_back(it->first);
  }
  for (const auto& ip : ips) {
    note_protection(ip, now);
    if (is_masternode(ip)) {
      dial_soon(ip, now.mono);
    } else {
      queue(ip, now.mono);
    }
  }
}

void Node::State::expire_bans(Now now) {
  if (bans.next_end() > now.mono) return;
  for (const auto& ban : bans.expire(now.mono)) ban_over(ban, EndOfBan::expired, now);
}

void Node::on_ban_changed(const BanChange& change, Now now) {
  State& s = *state_;
  s.awake(now);
  if (!s.started || s.stopping) return;
  if (change.result == ChangeResult::added) {
    const bool masternode = s.is_masternode(change.ip);
    Event e = s.event(EventKind::peer_banned, severity_of(masternode), change.ip, now);
    e.reason = EndReason::banned;
    e.detail = ban_term(*change.after) + " (by " + change.after->added_by + ")";
    e.by_operator = true;
    s.record(std::move(e));
    s.note_protection(change.ip, now);
    s.enforce_ban(change.ip, now);
  } else if (change.result == ChangeResult::removed) {
    s.ban_over(*change.before, State::EndOfBan::lifted, now);
  }
  s.pump(now);
}

}  // namespace timectl
