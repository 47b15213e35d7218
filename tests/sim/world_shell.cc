// World: the process: what daemon/net does with sockets, messages and the node's commands.
#include <algorithm>

#include "daemon/core/reflect.h"
#include "tests/sim/world.h"

namespace timectl::sim {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kFrame = 33;  // bytes of a ping on the wire

}  // namespace

std::uint32_t World::wire_of(std::uint16_t node, ConnectionId id) const {
  const auto& wires = boxes_[node].wires;
  const auto it =
      std::lower_bound(wires.begin(), wires.end(), id,
                       [](const auto& entry, ConnectionId i) { return entry.first < i; });
  // The promise "no command for a connection that is gone".
  if (it == wires.end() || it->first != id) {
    violated(now_, "node " + std::to_string(node) + " commands a connection that is gone");
  }
  return it->second;
}

void World::hold(std::uint16_t node, ConnectionId id, std::uint32_t wire) {
  auto& wires = boxes_[node].wires;
  TIMECTL_CHECK(wires.empty() || wires.back().first < id);
  wires.emplace_back(id, wire);
}

void World::forget(std::uint16_t node, ConnectionId id) {
  std::erase_if(boxes_[node].wires, [&](const auto& entry) { return entry.first == id; });
}

void World::deliver(std::uint32_t wire, std::uint8_t side, const Message& message) {
  Wire& w = wires_[wire];
  End& end = w.ends[side];
  Box& box = boxes_[end.node];
  const auto say = static_cast<Say>(message.kind);
  if (end.phase == Phase::closed && !end.open && say > Say::reset && say != Say::fin) {
    end.phase = Phase::gone;  // data for a socket that was closed
    send_reset(wire, 1U - side);
  }
  if (end.phase == Phase::closed || end.phase == Phase::gone) {
    if (say == Say::dead || say == Say::reset) end.phase = Phase::gone;
    release(wire);
    return;
  }
  const Happening h{.kind = Kind::app,
                    .side = side,
                    .node = end.node,
                    .wire = wire,
                    .life = w.life,
                    .message = message};
  if (!box.sleepers.empty()) {
    box.backlog.push_back(h);
  } else if (box.service == Duration::zero() && box.busy_until <= now_) {
    app(h);
  } else {
    box.busy_until = std::max(box.busy_until, now_) + box.service;
    push(box.busy_until, h);
  }
}

void World::app(const Happening& h) {
  Wire* w = find(h.wire, h.life);
  if (w == nullptr) return;
  End& end = w->ends[h.side];
  Box& box = boxes_[end.node];
  if (end.phase == Phase::closed || end.phase == Phase::gone || box.node == nullptr ||
      box.boot != end.boot) {
    return;
  }
  if (!box.sleepers.empty()) {
    box.backlog.push_back(h);
    return;
  }
  const std::uint16_t node = end.node;
  switch (static_cast<Say>(h.message.kind)) {
    case Say::ping:
      if (end.phase != Phase::ready) return;
      if (box.mute == 0) write(h.wire, h.side, Say::pong, h.message.nonce);  // before all else
      box.node->on_traffic(end.id, {kFrame, kFrame, 0, 0}, local(box));
      return take(node, After::talk);
    case Say::pong:
      if (end.phase != Phase::ready) return;
      box.node->on_pong(end.id, h.message.nonce, std::nullopt, local(box));
      return take(node, After::talk);
    case Say::connected:
      if (end.phase != Phase::connecting) return;
      w->established = true;
      end.phase = Phase::tls;
      arm_deadline(h.wire, h.side, options_.policy.transport.tls_timeout);
      box.node->on_dial_progress(end.id, DialStage::tcp_connected, address(node), local(box));
      take(node, After::change);
      if (end.phase == Phase::tls) write(h.wire, h.side, Say::client_hello);
      return;
    case Say::client_hello:
      return inbound(h.wire, *w);
    case Say::server_hello:
      if (end.phase != Phase::tls) return;
      end.phase = Phase::handshaking;
      arm_deadline(h.wire, h.side, options_.policy.transport.ack_timeout);
      box.node->on_dial_progress(end.id, DialStage::tls_done, address(node), local(box));
      take(node, After::change);
      if (end.phase == Phase::handshaking) write(h.wire, h.side, Say::handshake);
      return;
    case Say::handshake:
      if (end.phase != Phase::tls) return;
      write(h.wire, h.side, Say::ack);
      return ready(h.wire, h.side);
    case Say::ack:
      if (end.phase == Phase::handshaking) ready(h.wire, h.side);
      return;
    case Say::ask:
      if (end.phase != Phase::ready) return;
      write(h.wire, h.side, Say::answer, h.message.nonce);
      box.node->on_traffic(end.id, {kFrame, kFrame, 0, 0}, local(box));
      return take(node, After::talk);
    case Say::answer:
      return answer(h.wire, h.side, h.message.nonce);
    case Say::dead:
      return ended(h.wire, h.side, EndReason::transport_dead);
    case Say::reset:
    case Say::fin:
      return ended(h.wire, h.side, EndReason::closed_by_peer);
  }
}

void World::inbound(std::uint32_t wire, Wire& w) {
  End& end = w.ends[1];
  if (end.phase != Phase::connecting) return;
  Box& box = boxes_[end.node];
  end.id = box.node->next_connection();
  const IpAddress remote = address(w.ends[0].node);
  const auto admission = box.node->on_inbound(end.id, remote, address(end.node), local(box));
  note(static_cast<std::uint64_t>(admission.verdict) + 100);
  if (admission.verdict == Admit::reject) {
    const bool full = box.node->slots().total >= options_.policy.slots.max_connections;
    if (admission.reason == EndReason::refused && !full) {
      violated(now_, "node " + std::to_string(end.node) +
                         " refused a masternode though a slot is free: " + admission.detail);
    }
    end.phase = Phase::closed;
    write(wire, 1, Say::fin);
    return take(end.node, After::change);
  }
  end.open = true;
  end.phase = Phase::tls;
  end.held = admission.verdict == Admit::hold;
  hold(end.node, end.id, wire);
  if (!end.held) {
    arm_deadline(wire, 1, options_.policy.transport.accept_timeout);
    write(wire, 1, Say::server_hello);
  }
  take(end.node, After::change);
}

void World::ready(std::uint32_t wire, std::uint8_t side) {
  Wire& w = wires_[wire];
  End& end = w.ends[side];
  Box& box = boxes_[end.node];
  end.phase = Phase::ready;
  const std::uint32_t life = w.life;
  box.node->on_ready(end.id, PeerHello{2, 2344}, local(box));
  take(end.node, After::change);
  // After the commands: the session that it replaces has just been closed by them.
  if (find(wire, life) == nullptr || end.phase != Phase::ready) return;
  end.counted = true;
  note(w.ends[1U - side].node + 7U);
  checks_.session_began(now_, end.node, w.ends[1U - side].node, side == 0);
}

void World::uncount(const Wire& w, std::uint8_t side, EndReason reason) {
  const End& end = w.ends[side];
  const std::uint16_t target = w.ends[1U - side].node;
  note(static_cast<std::uint64_t>(reason) + 50);
  if (end.counted) {
    // Where the dialer never had the Ack (it slept, say), it was no session that could be lost.
    const bool mutual = w.ends[1U - side].counted;
    checks_.session_ended(now_, end.node, target, mutual ? reason : EndReason::shutdown);
  } else if (side == 0) {
    // An attempt that ends while another connection with the peer is up teaches the node nothing.
    bool another = false;
    for (const auto& [id, index] : boxes_[end.node].wires) {
      if (id == end.id) continue;
      if ((index & kStranger) != 0) {
        another = another || strangers_[index & ~kStranger].ip == address(target);
        continue;
      }
      const Wire& other = wires_[index];
      const bool with_it = other.ends[0].node == target || other.ends[1].node == target;
      another = another || (with_it && other.ends[other.ends[0].node == target ? 0 : 1].open);
    }
    checks_.dial_failed(now_, end.node, target, another ? EndReason::duplicate : reason);
  }
}

// The peer, its kernel or ours has ended it.
void World::ended(std::uint32_t wire, std::uint8_t side, EndReason reason) {
  Wire& w = wires_[wire];
  End& end = w.ends[side];
  if (!end.open) {  // an acceptor that never came to know of it
    end.phase = Phase::gone;
    return release(wire);
  }
  const Phase phase = end.phase;
  if (reason == EndReason::closed_by_peer) {
    if (phase == Phase::connecting) reason = EndReason::refused;
    if (phase == Phase::tls) reason = EndReason::closed_before_tls;
    if (phase == Phase::handshaking) reason = EndReason::no_handshake;
  }
  shell_closes(wire, side, reason);
}

void World::shell_closes(std::uint32_t wire, std::uint8_t side, EndReason reason) {
  Wire& w = wires_[wire];
  End& end = w.ends[side];
  Box& box = boxes_[end.node];
  uncount(w, side, reason);
  shut(wire, side);
  end.open = false;
  const ConnectionId id = end.id;
  const std::uint16_t node = end.node;
  forget(node, id);
  release(wire);
  box.node->on_closed(id, reason, "", local(box));
  take(node, After::change);
}

// The socket is closed on this side; what the kernel owes the peer it still sends.
void World::shut(std::uint32_t wire, std::uint8_t side) {
  Wire& w = wires_[wire];
  End& end = w.ends[side];
  if (end.phase == Phase::closed || end.phase == Phase::gone) return;
  const bool connected = side == 0 ? w.established : end.phase != Phase::connecting;
  end.phase = connected ? Phase::closed : Phase::gone;
  end.held = false;
  if (connected) write(wire, side, Say::fin);
}

void World::closed(const Happening& h) {
  Wire* w = find(h.wire, h.life);
  if (w == nullptr) return;
  End& end = w->ends[h.side];
  Box& box = boxes_[end.node];
  if (!end.open || box.node == nullptr || box.boot != end.boot) return;
  if (!box.sleepers.empty()) {
    box.backlog.push_back(h);
    return;
  }
  end.open = false;
  const ConnectionId id = end.id;
  const std::uint16_t node = end.node;
  const EndReason reason = end.closing;
  forget(node, id);
  release(h.wire);
  box.node->on_closed(id, reason, "", local(box));
  take(node, After::change);
}

void World::arm_deadline(std::uint32_t wire, std::uint8_t side, Duration in) {
  const Wire& w = wires_[wire];
  push(now_ + in, {.kind = Kind::deadline,
                   .side = side,
                   .wire = wire,
                   .life = w.life,
                   .message = {0, static_cast<std::uint8_t>(w.ends[side].phase)}});
}

void World::deadline(const Happening& h) {
  Wire* w = find(h.wire, h.life);
  if (w == nullptr) return;
  const End& end = w->ends[h.side];
  Box& box = boxes_[end.node];
  if (!end.open || end.held || box.boot != end.boot || box.node == nullptr ||
      end.phase != static_cast<Phase>(h.message.kind)) {
    return;
  }
  if (!box.sleepers.empty()) {
    box.backlog.push_back(h);
    return;
  }
  EndReason reason = EndReason::tls_failed;
  if (end.phase == Phase::connecting) reason = EndReason::timed_out;
  if (end.phase == Phase::handshaking) reason = EndReason::no_handshake;
  shell_closes(h.wire, h.side, reason);
}

void World::answer(std::uint32_t wire, std::uint8_t side, std::uint64_t question) {
  const Wire& w = wires_[wire];
  const End& end = w.ends[side];
  if (end.phase != Phase::ready) return;
  Box& box = boxes_[end.node];
  const std::uint16_t node = end.node;
  const IpAddress from = address(w.ends[1U - side].node);
  box.node->on_traffic(end.id, {kFrame, kFrame, 0, 0}, local(box));
  std::vector<IpAddress> known;
  for (std::uint16_t i = 0; i < size() && i < 64; ++i) known.push_back(address(i));
  if (question == static_cast<std::uint64_t>(Question::peers)) {
    box.node->on_peers_learned(from, known, local(box));
  } else if (question == static_cast<std::uint64_t>(Question::masternodes)) {
    std::vector<ClaimedMasternode> claims;
    for (const IpAddress& ip : known) claims.push_back({ip, "Gold"});
    box.node->on_masternodes_claimed(from, claims, local(box));
  }
  take(node, After::talk);
}

}  // namespace timectl::sim
