#include "tests/net/world.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace timectl::net {

using namespace std::chrono_literals;

Policy fast_policy() {
  Policy policy;
  policy.transport.connect_timeout = 400ms;
  policy.transport.tls_timeout = 400ms;
  policy.transport.ack_timeout = 400ms;
  policy.transport.accept_timeout = 400ms;
  policy.transport.frame_grace = 150ms;
  policy.transport.close_timeout = 300ms;
  policy.liveness.duplicate_probe_timeout = 200ms;
  policy.reconnect.masternode_first_delay = 1h;
  policy.reconnect.masternode_max_delay = 1h;
  policy.reconnect.pass_interval = 1h;
  policy.slots.per_ip_per_minute = 1000;
  policy.slots.per_subnet_per_minute = 1000;
  return policy;
}

Now real_now() {
  return {Instant(std::chrono::duration_cast<Duration>(
              std::chrono::steady_clock::now().time_since_epoch())),
          std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now())};
}

test::Script script(std::string_view words) {
  return test::parse_script(words).value();
}

World::World(Policy numbers) : policy(numbers) {}

World::~World() {
  network.reset();
  io.restart();
  (void)io.poll();
}

Now World::now() const {
  Now now = real_now();
  now.mono += ahead;
  now.wall += std::chrono::floor<std::chrono::milliseconds>(ahead);
  return now;
}

void World::start(std::uint16_t port, const std::vector<IpAddress>& dials) {
  std::vector<WhitelistEntry> entries;
  for (const auto& ip : dials) {
    WhitelistEntry entry;
    entry.ip = ip;
    entry.sources.emplace_back();
    entries.push_back(entry);
  }
  whitelist.load(entries);
  NodeOptions node_options;
  node_options.policy = policy;
  node_options.own_address = listen;
  node_options.seed = 7;
  node = std::make_unique<Node>(node_options, whitelist);
  NetworkOptions options;
  options.network = timectl::Network::testnet;
  options.listen = listen;
  options.port = port;
  options.policy = policy;
  options.chain = chain;
  options.served_blocks = served_blocks;
  NetworkSinks sinks;
  sinks.event = [this](const Event& event) { events.push_back(event); };
  sinks.session = [this](const SessionRecord& session) { sessions.push_back(session); };
  sinks.memory = [](const PeerMemory&) {};
  sinks.trouble = [this](const std::string& text) { troubles.push_back(text); };
  network = std::make_unique<Network>(
      io, options, *node, whitelist, [this] { return now(); }, sinks);
  const auto started = network->start();
  ASSERT_TRUE(started) << started.error().message << ": " << started.error().because;
}

std::optional<Event> World::find(EventKind kind, const IpAddress& ip) const {
  const auto it = std::find_if(events.rbegin(), events.rend(), [&](const Event& event) {
    return event.kind == kind && event.peer == ip;
  });
  return it == events.rend() ? std::nullopt : std::optional(*it);
}

std::optional<Event> World::ending(const IpAddress& ip) {
  std::optional<Event> found;
  (void)until([&] {
    for (const auto kind :
         {EventKind::peer_disconnected, EventKind::dial_failed, EventKind::inbound_rejected}) {
      if (!found) found = find(kind, ip);
    }
    return found.has_value();
  });
  return found;
}

bool World::stop() {
  bool stopped = false;
  network->stop([&] { stopped = true; });
  return until([&] { return stopped; });
}

}  // namespace timectl::net
