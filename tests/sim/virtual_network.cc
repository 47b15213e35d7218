#include "tests/sim/virtual_network.h"

#include <algorithm>

namespace timectl {

VirtualNetwork::VirtualNetwork(std::size_t nodes, std::uint64_t seed, const Policy& policy)
    : policy_(policy), random_(seed), seed_(seed), nodes_(nodes) {
  for (std::size_t i = 0; i < nodes; ++i) {
    nodes_[i].list = std::make_unique<Whitelist>(1000);
    for (std::size_t k = 0; k < nodes; ++k) {
      if (k == i) continue;
      AddRequest request;
      request.ip = address(k);
      request.trusts_us = true;
      nodes_[i].list->put(nodes_[i].list->plan_add(request));
    }
  }
}

IpAddress VirtualNetwork::address(std::size_t node) {
  return IpAddress::v4(64, 0, 0, static_cast<std::uint8_t>(10 + node));
}

void VirtualNetwork::start_all() {
  for (std::size_t i = 0; i < nodes_.size(); ++i) start(i);
}

void VirtualNetwork::start(std::size_t node) {
  Box& box = nodes_[node];
  NodeOptions options;
  options.policy = policy_;
  options.own_address = address(node);
  options.seed = seed_ * 1000 + node * 50 + ++box.boot;
  box.node = std::make_unique<Node>(options, *box.list);
  std::vector<PeerMemory> memories;
  for (const auto& [ip, memory] : box.store) memories.push_back(memory);
  box.node->remember(memories);
  box.tick_at = Instant::max();
  box.node->start(now_);
  take(node);
}

void VirtualNetwork::kill(std::size_t node) {
  for (const auto& [id, wire_id] : nodes_[node].wires) {
    Wire& wire = wires_.at(wire_id);
    const bool dialer_died = wire.dialer.node == node;
    const End& other = dialer_died ? wire.acceptor : wire.dialer;
    (dialer_died ? wire.dialer : wire.acceptor).open = false;
    const bool attempt = !other.ready;
    at(latency(), Kind::end, wire_id, !dialer_died,
       attempt ? (dialer_died ? EndReason::no_handshake : EndReason::closed_before_tls)
               : EndReason::closed_by_peer);
  }
  power_cut(node);
}

void VirtualNetwork::power_cut(std::size_t node) {
  Box& box = nodes_[node];
  box.node.reset();
  box.wires.clear();
  note(node);
}

void VirtualNetwork::cut(std::size_t a, std::size_t b, bool is_cut) {
  const auto pair = std::minmax(a, b);
  if (is_cut)
    cuts_.insert(pair);
  else
    cuts_.erase(pair);
}

Duration VirtualNetwork::latency() {
  return std::chrono::milliseconds(10 + static_cast<int>(random_.below(60)));
}

void VirtualNetwork::note(std::uint64_t value) {
  trace_ = (trace_ ^ (value + static_cast<std::uint64_t>(now_.mono.time_since_epoch().count()))) *
           0x100000001b3U;
}

bool VirtualNetwork::alive(const End& end) const {
  return end.open && nodes_[end.node].node != nullptr && nodes_[end.node].boot == end.boot;
}

bool VirtualNetwork::blocked(const Wire& wire) const {
  return !cuts_.empty() && cuts_.contains(std::minmax(wire.dialer.node, wire.acceptor.node));
}

void VirtualNetwork::at(Duration in, Kind kind, std::uint64_t wire, bool to_dialer,
                        EndReason reason, std::uint64_t nonce) {
  queue_.push({now_.mono + in, ++last_order_, kind, to_dialer, reason, 0, wire, nonce});
}

void VirtualNetwork::run(Duration d) {
  const Instant until = now_.mono + d;
  const auto set = [&](Instant at) {
    now_.wall += std::chrono::duration_cast<std::chrono::milliseconds>(
        at.time_since_epoch() - now_.mono.time_since_epoch());
    now_.mono = at;
  };
  while (!queue_.empty() && queue_.top().at <= until) {
    const Happening h = queue_.top();
    queue_.pop();
    set(h.at);
    ++handled_;
    handle(h);
  }
  set(until);
}

void VirtualNetwork::handle(const Happening& h) {
  if (h.kind == Kind::tick) {
    Box& box = nodes_[h.node];
    if (box.node == nullptr || box.tick_at != h.at) return;
    box.tick_at = Instant::max();
    box.node->tick(now_);
    take(h.node);
    return;
  }
  const auto it = wires_.find(h.wire);
  if (it == wires_.end()) return;
  Wire& wire = it->second;
  if (h.kind == Kind::syn) {
    syn(h.wire, wire);
    return;
  }
  // Decided on this side, so no path is crossed.
  const bool local = h.kind == Kind::end && h.reason == EndReason::transport_dead;
  if (!local && blocked(wire)) {
    if (!wire.stalled) {
      wire.stalled = now_.mono;
      at(45s, Kind::end, h.wire, true, EndReason::transport_dead);
      at(45s, Kind::end, h.wire, false, EndReason::transport_dead);
    }
    Happening later = h;  // TCP tries again
    later.at = now_.mono + 1s;
    later.order = ++last_order_;
    queue_.push(later);
    return;
  }
  if (local) {
    const bool dead = wire.stalled && (blocked(wire) || now_.mono - *wire.stalled >= 45s);
    if (dead) end_here(wire, h.to_dialer, EndReason::transport_dead);
  } else {
    deliver(h, wire);
  }
  if (!alive(wire.dialer) && !alive(wire.acceptor)) wires_.erase(h.wire);
}

void VirtualNetwork::syn(std::uint64_t id, Wire& wire) {
  if (blocked(wire) || !running(wire.acceptor.node)) {
    // A host that is up refuses; a path that is cut says nothing until the connect time-out.
    const bool silent = blocked(wire);
    if (silent)
      end_here(wire, true, EndReason::timed_out);
    else
      at(latency(), Kind::refused, id, true, EndReason::refused);
    return;
  }
  Node& node = *nodes_[wire.acceptor.node].node;
  wire.acceptor.boot = nodes_[wire.acceptor.node].boot;
  wire.acceptor.id = node.next_connection();
  const auto admission = node.on_inbound(wire.acceptor.id, address(wire.dialer.node),
                                         address(wire.acceptor.node), now_);
  at(latency(), Kind::tcp_up, id, true);
  if (admission.verdict == Admit::reject) {
    at(latency() + 1ms, Kind::end, id, true, EndReason::closed_before_tls);
  } else {
    wire.acceptor.open = true;
    wire.held = admission.verdict == Admit::hold;
    nodes_[wire.acceptor.node].wires[wire.acceptor.id] = id;
  }
  take(wire.acceptor.node);
}

// Both ends want it: three more crossings until both are ready, the acceptor last.
void VirtualNetwork::handshake(std::uint64_t id, Wire& wire) {
  if (wire.handshake || wire.held || !wire.up || !wire.acceptor.open) return;
  wire.handshake = true;
  const Duration there = latency();
  at(there, Kind::tls, id, true);
  at(there * 2, Kind::ready_in, id, false);
  at(there * 3, Kind::ready_out, id, true);
}

void VirtualNetwork::end_here(Wire& wire, bool dialer_side, EndReason reason) {
  End& end = dialer_side ? wire.dialer : wire.acceptor;
  if (!alive(end)) return;
  end.open = false;
  Box& box = nodes_[end.node];
  box.wires.erase(end.id);
  if (end.ready) ++losses_;
  note(static_cast<std::uint64_t>(reason));
  box.node->on_closed(end.id, reason, "", now_);
  take(end.node);
}

void VirtualNetwork::deliver(const Happening& h, Wire& wire) {
  End& end = h.to_dialer ? wire.dialer : wire.acceptor;
  if (h.kind == Kind::end || h.kind == Kind::refused) {
    end_here(wire, h.to_dialer, h.reason);
    return;
  }
  End& other = h.to_dialer ? wire.acceptor : wire.dialer;
  if (!alive(end)) {
    // A host that restarted answers what it does not know with a reset.
    const bool up = running(end.node);
    if (alive(other) && up)
      at(latency(), Kind::end, h.wire, !h.to_dialer, EndReason::closed_by_peer);
    if (alive(other) && !up && !wire.stalled) {
      wire.stalled = now_.mono;
      at(45s, Kind::end, h.wire, !h.to_dialer, EndReason::transport_dead);
    }
    return;
  }
  Node& node = *nodes_[end.node].node;
  switch (h.kind) {
    case Kind::tcp_up:
      wire.up = true;
      node.on_dial_progress(end.id, DialStage::tcp_connected, address(end.node), now_);
      handshake(h.wire, wire);
      break;
    case Kind::tls:
      node.on_dial_progress(end.id, DialStage::tls_done, address(end.node), now_);
      break;
    case Kind::ready_in:
    case Kind::ready_out:
      if (!alive(other)) break;
      end.ready = true;
      node.on_ready(end.id, PeerHello{2, 2344}, now_);
      break;
    case Kind::ping:
      wire.stalled.reset();
      node.on_traffic(end.id, Traffic{29, 29, 0, 0}, now_);
      at(latency(), Kind::pong, h.wire, !h.to_dialer, EndReason::shutdown, h.nonce);
      break;
    case Kind::pong:
      node.on_pong(end.id, h.nonce, std::nullopt, now_);
      break;
    default:
      break;
  }
  take(end.node);
}

void VirtualNetwork::take(std::size_t index) {
  Box& box = nodes_[index];
  if (handled_ % check_every == 0) box.node->check_invariants();
  for (auto& command : box.node->take_commands()) {
    if (const auto* dial = std::get_if<Dial>(&command)) {
      Wire wire;
      wire.dialer = {index, box.boot, dial->connection, true, false};
      wire.acceptor.node = dial->ip.bytes()[15] - 10U;
      const std::uint64_t id = ++last_wire_;
      box.wires[dial->connection] = id;
      wires_[id] = wire;
      const bool silent = blocked(wire);
      at(silent ? Duration(10s) : latency(), Kind::syn, id, false);
      note(id);
    } else if (const auto* ping = std::get_if<SendPing>(&command)) {
      const auto wire = box.wires.find(ping->connection);
      if (wire == box.wires.end()) continue;
      const bool is_dialer = wires_.at(wire->second).dialer.node == index;
      at(latency(), Kind::ping, wire->second, !is_dialer, EndReason::shutdown, ping->nonce);
    } else if (const auto* go = std::get_if<Proceed>(&command)) {
      const std::uint64_t id = box.wires.at(go->connection);
      wires_.at(id).held = false;
      handshake(id, wires_.at(id));
    } else if (const auto* close = std::get_if<Close>(&command)) {
      const auto found = box.wires.find(close->connection);
      if (found == box.wires.end()) continue;
      const std::uint64_t id = found->second;
      Wire& wire = wires_.at(id);
      const bool is_dialer = wire.dialer.node == index;
      const bool attempt = !(is_dialer ? wire.acceptor : wire.dialer).ready;
      at(latency(), Kind::end, id, !is_dialer,
         attempt ? EndReason::closed_before_tls : EndReason::closed_by_peer);
      at(Duration(0), Kind::end, id, is_dialer, close->reason);
    } else if (auto* memory = std::get_if<Remember>(&command)) {
      box.store[memory->memory.ip] = std::move(memory->memory);
    }
  }
  const Instant next = std::max(box.node->next_tick(), now_.mono);
  if (next < box.tick_at) {
    box.tick_at = next;
    queue_.push({next, ++last_order_, Kind::tick, false, EndReason::shutdown, index, 0, 0});
  }
}

bool VirtualNetwork::connected(std::size_t a, std::size_t b) const {
  return running(a) && running(b) && nodes_[a].node->connected(address(b)) &&
         nodes_[b].node->connected(address(a));
}

std::size_t VirtualNetwork::missing_pairs() const {
  std::size_t missing = 0;
  for (std::size_t a = 0; a < nodes_.size(); ++a) {
    for (std::size_t b = a + 1; b < nodes_.size(); ++b) {
      if (running(a) && running(b) && !connected(a, b)) ++missing;
    }
  }
  return missing;
}

std::size_t VirtualNetwork::sessions(std::size_t a, std::size_t b) const {
  return static_cast<std::size_t>(std::count_if(wires_.begin(), wires_.end(), [&](const auto& w) {
    const auto& [id, wire] = w;
    return alive(wire.dialer) && alive(wire.acceptor) && wire.dialer.ready && wire.acceptor.ready &&
           std::minmax(wire.dialer.node, wire.acceptor.node) == std::minmax(a, b);
  }));
}

}  // namespace timectl
