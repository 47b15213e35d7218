// World: hosts beyond the masternodes: strangers that flood, hang, lie or behave, and addresses
// that nobody answers at. They have no TCP of their own: a stranger's path is never the point.
#include "tests/sim/world.h"

namespace timectl::sim {
namespace {

using namespace std::chrono_literals;

constexpr Duration kSoon = 80ms;
enum Step : std::uint8_t { act, pong, leave, over, progress };

}  // namespace

// Behaviours of those who connect; `impostor` faults use the first three.
enum World::Behaviour : std::uint8_t { hangs, closes, mute, honest, garbage, refuses, silent };

std::uint32_t World::new_stranger(std::uint16_t node, ConnectionId id, const IpAddress& ip,
                                  Behaviour behaviour) {
  std::uint32_t index = 0;
  if (free_strangers_.empty()) {
    index = static_cast<std::uint32_t>(strangers_.size());
    strangers_.emplace_back();
  } else {
    index = free_strangers_.back();
    free_strangers_.pop_back();
  }
  Stranger& s = strangers_[index];
  s = {.ip = ip,
       .id = id,
       .life = s.life + 1,
       .boot = boxes_[node].boot,
       .node = node,
       .behaviour = behaviour,
       .used = true};
  hold(node, id, index | kStranger);
  return index;
}

void World::stranger_later(std::uint32_t index, Duration in, std::uint8_t step,
                           std::uint64_t nonce) {
  push(now_ + in, {.kind = Kind::stranger,
                   .side = step,
                   .wire = index,
                   .life = strangers_[index].life,
                   .message = {nonce, 0}});
}

void World::stranger_connects(std::uint16_t target, Behaviour behaviour, const IpAddress& from) {
  Box& box = boxes_[target];
  if (box.node == nullptr || !box.sleepers.empty()) return;
  ++checks_.tally().strangers;
  const ConnectionId id = box.node->next_connection();
  const auto admission = box.node->on_inbound(id, from, address(target), local(box));
  if (admission.verdict != Admit::reject) {
    const std::uint32_t index = new_stranger(target, id, from, behaviour);
    strangers_[index].held = admission.verdict == Admit::hold;
    stranger_later(index, kSoon, act, 0);
  }
  take(target, a_stranger_checks());
}

// There are thousands of them an hour; what they may break shows with the next one as well.
World::After World::a_stranger_checks() {
  return random_.below(16) == 0 ? After::change : After::talk;
}

void World::dial_stranger(std::uint16_t node, const Dial& command) {
  const unsigned lot = command.ip.bytes()[15] % 8U;
  const auto behaviour = lot == 0 ? refuses : lot == 1 ? silent : lot == 2 ? mute : honest;
  const std::uint32_t index = new_stranger(node, command.connection, command.ip, behaviour);
  strangers_[index].dialled = true;
  if (behaviour == silent) {
    stranger_later(index, options_.policy.transport.connect_timeout, over,
                   static_cast<std::uint64_t>(EndReason::timed_out));
  } else if (behaviour == refuses) {
    stranger_later(index, kSoon, over, static_cast<std::uint64_t>(EndReason::refused));
  } else {
    stranger_later(index, kSoon, progress, 0);
  }
}

void World::stranger_proceeds(std::uint32_t index) {
  strangers_[index].held = false;
  stranger_later(index, kSoon, act, 0);
}

void World::stranger_pinged(std::uint32_t index, std::uint64_t nonce) {
  if (strangers_[index].behaviour == honest) stranger_later(index, kSoon, pong, nonce);
}

void World::stranger_closed(std::uint32_t index, EndReason reason, Duration in) {
  stranger_later(index, in, over, static_cast<std::uint64_t>(reason));
}

void World::stranger(const Happening& h) {
  Stranger& s = strangers_[h.wire];
  if (!s.used || s.life != h.life) return;
  Box& box = boxes_[s.node];
  if (box.node == nullptr || box.boot != s.boot) {
    s.used = false;
    free_strangers_.push_back(h.wire);
    return;
  }
  if (!box.sleepers.empty()) {
    box.backlog.push_back(h);
    return;
  }
  const std::uint16_t node = s.node;
  switch (h.side) {
    case act:
      stranger_acts(h.wire);
      break;
    case pong:
      if (s.ready) box.node->on_pong(s.id, h.message.nonce, 4805, local(box));
      break;
    case progress:
      box.node->on_dial_progress(s.id, DialStage::tcp_connected, address(node), local(box));
      box.node->on_dial_progress(s.id, DialStage::tls_done, address(node), local(box));
      stranger_later(h.wire, kSoon, act, 0);
      break;
    case leave:
      stranger_closed(h.wire, EndReason::closed_by_peer, {});
      break;
    default: {
      const ConnectionId id = s.id;
      s.used = false;
      free_strangers_.push_back(h.wire);
      forget(node, id);
      box.node->on_closed(id, static_cast<EndReason>(h.message.nonce), "", local(box));
      break;
    }
  }
  take(node, a_stranger_checks());
}

void World::stranger_acts(std::uint32_t index) {
  Stranger& s = strangers_[index];
  if (s.held) return;
  Box& box = boxes_[s.node];
  switch (s.behaviour) {
    case hangs:
      return stranger_closed(index, EndReason::tls_failed,
                             options_.policy.transport.accept_timeout);
    case closes:
      return stranger_closed(index, EndReason::closed_before_tls, {});
    case garbage:
      if (s.ready) return stranger_closed(index, EndReason::protocol_error, {});
      break;
    default:
      break;
  }
  if (s.ready) return;
  s.ready = true;
  box.node->on_ready(s.id, PeerHello{2, 2344}, local(box));
  if (s.behaviour == garbage) return stranger_later(index, kSoon, act, 0);
  // An impostor's session must not outlive its fault by much: the heal is measured from there.
  if (box.list->contains(s.ip)) {
    checks_.hard_row_over(s.node, index_of(s.ip));
    return stranger_later(index, 20s, leave, 0);
  }
  if (s.behaviour != honest) return;
  if (!s.dialled) stranger_later(index, std::chrono::seconds(30 + random_.below(600)), leave, 0);
  // It says whatever it likes of others: nodes that are none, and itself as a masternode.
  std::vector<IpAddress> peers;
  std::vector<ClaimedMasternode> claims{{s.ip, "Gold"}};
  for (int i = 0; i < 20; ++i) {
    const auto r = random_.next();
    peers.push_back(IpAddress::v4(67, 0, 0, static_cast<std::uint8_t>(r % 64)));
    claims.push_back({peers.back(), "Bronze"});
  }
  claims.push_back({address(static_cast<std::uint16_t>(random_.below(size()))), "Free"});
  box.node->on_peers_learned(s.ip, peers, local(box));
  box.node->on_masternodes_claimed(s.ip, claims, local(box));
}

void World::flood_once(const Fault& fault) {
  if (fault.kind == FaultKind::impostor) {
    const auto behaviour = std::array{hangs, closes, mute}[random_.below(3)];
    stranger_connects(fault.a, behaviour, address(fault.b));
    return;
  }
  // From a few networks, as a rented flood comes.
  const auto ip = IpAddress::v4(66, static_cast<std::uint8_t>(random_.below(4)),
                                static_cast<std::uint8_t>(random_.below(8)),
                                static_cast<std::uint8_t>(random_.below(250)));
  stranger_connects(fault.a, static_cast<Behaviour>(fault.b % 5), ip);
}

}  // namespace timectl::sim
