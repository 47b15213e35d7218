#pragma once
// NodeShell: the smallest shell a Node can have. It keeps the virtual time, ticks the node when
// it is due, answers nothing by itself and collects the commands, so that a test reads like the
// story it tells.

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "daemon/core/node.h"

namespace timectl {

class NodeShell {
 public:
  explicit NodeShell(const std::vector<IpAddress>& masternodes, Policy policy = {},
                     NodeMode mode = NodeMode::active)
      : NodeShell(masternodes, options(policy, mode)) {}
  NodeShell(const std::vector<IpAddress>& masternodes, NodeOptions node_options)
      : list(1000), node(std::move(node_options), list) {
    for (const auto& ip : masternodes) put(ip);
  }

  static NodeOptions options(const Policy& policy, NodeMode mode) {
    NodeOptions o;
    o.policy = policy;
    o.own_address = IpAddress::v4(64, 0, 0, 50);
    o.seed = 42;
    o.mode = mode;
    return o;
  }

  void put(const IpAddress& ip) {
    AddRequest request;
    request.ip = ip;
    list.put(list.plan_add(request));
  }
  void take_away(const IpAddress& ip) { list.put(list.plan_remove(ip, Source::manual)); }

  void start() {
    node.start(now);
    collect();
  }

  // Lets time pass, with all ticks that become due.
  void run(Duration d) {
    const Instant until = now.mono + d;
    while (node.next_tick() <= until) {
      set(std::max(now.mono, node.next_tick()));
      node.tick(now);
      collect();
    }
    set(until);
  }

  void collect() {
    node.check_invariants();
    for (auto& command : node.take_commands()) {
      if (const auto* close = std::get_if<Close>(&command)) pending_closes.push_back(*close);
      commands.push_back(std::move(command));
    }
    while (!pending_closes.empty()) {  // the shell closes at once and reports it
      const Close close = pending_closes.front();
      pending_closes.erase(pending_closes.begin());
      node.on_closed(close.connection, close.reason, close.detail, now);
      node.check_invariants();
      for (auto& command : node.take_commands()) {
        if (const auto* next = std::get_if<Close>(&command)) pending_closes.push_back(*next);
        commands.push_back(std::move(command));
      }
    }
  }

  template <class C>
  [[nodiscard]] std::vector<C> all() const {
    std::vector<C> found;
    for (const auto& command : commands) {
      if (const auto* c = std::get_if<C>(&command)) found.push_back(*c);
    }
    return found;
  }
  [[nodiscard]] std::vector<Event> events(EventKind kind) const {
    std::vector<Event> found;
    for (const auto& r : all<Record>()) {
      if (r.event.kind == kind) found.push_back(r.event);
    }
    return found;
  }
  [[nodiscard]] std::size_t dials(const IpAddress& ip) const {
    const auto made = all<Dial>();
    return static_cast<std::size_t>(
        std::count_if(made.begin(), made.end(), [&](const Dial& d) { return d.ip == ip; }));
  }
  [[nodiscard]] ConnectionId last_dial(const IpAddress& ip) const {
    ConnectionId id{};
    for (const auto& d : all<Dial>()) {
      if (d.ip == ip) id = d.connection;
    }
    return id;
  }
  void clear() { commands.clear(); }

  // What the world does.
  Admission inbound(const IpAddress& ip, ConnectionId* id = nullptr) {
    const ConnectionId connection = node.next_connection();
    if (id != nullptr) *id = connection;
    const auto admission = node.on_inbound(connection, ip, IpAddress::v4(64, 0, 0, 50), now);
    collect();
    return admission;
  }
  void progress(ConnectionId id, DialStage stage) {
    node.on_dial_progress(id, stage, IpAddress::v4(64, 0, 0, 50), now);
    collect();
  }
  void ready(ConnectionId id) {
    node.on_ready(id, PeerHello{2, 2344}, now);
    collect();
  }
  void closed(ConnectionId id, EndReason reason, const std::string& detail = {}) {
    node.on_closed(id, reason, detail, now);
    collect();
  }
  void talk(ConnectionId id) {
    node.on_traffic(id, Traffic{100, 0, 0, 0}, now);
    collect();
  }
  // An accepted session; returns its connection.
  ConnectionId inbound_session(const IpAddress& ip) {
    ConnectionId id{};
    EXPECT_EQ(inbound(ip, &id).verdict, Admit::accept);
    ready(id);
    return id;
  }
  // The dial that is under way succeeds.
  ConnectionId finish_dial(const IpAddress& ip) {
    const ConnectionId id = last_dial(ip);
    progress(id, DialStage::tcp_connected);
    progress(id, DialStage::tls_done);
    ready(id);
    return id;
  }

  Whitelist list;
  Node node;
  Now now{Instant{1000h}, WallTime{400'000h}};
  std::vector<Command> commands;

 private:
  using hours = std::chrono::hours;
  void set(Instant at) {
    now.wall += std::chrono::duration_cast<std::chrono::milliseconds>(at - now.mono);
    now.mono = at;
  }
  std::vector<Close> pending_closes;
};

}  // namespace timectl
