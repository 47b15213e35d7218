#include "tests/e2e/chain_support.h"

#include <gtest/gtest.h>

#include <fstream>

#include "daemon/wire/arena.h"
#include "daemon/wire/codec.h"
#include "store/chain_file.h"
#include "tests/support/chain_fill.h"

namespace timectl::e2e {
namespace {

constexpr wire::Network kNetwork = wire::Network::testnet;
constexpr std::size_t kRead = 500;  // blocks at once
constexpr std::size_t kReadBytes = 1U << 26U;

test::Script script_of(const std::string& words, Chain chain) {
  auto script = test::parse_script(words);
  EXPECT_TRUE(script) << words;
  if (!script) return {};
  if (chain) script->chain = std::move(chain);
  return *script;
}

net::Endpoint endpoint(const std::string& ip, std::uint16_t port) {
  return {IpAddress::parse(ip).value(), port};
}

Result<store::ChainFile> stored_chain(const NodeProcess& node) {
  return store::ChainFile::open(node.data_dir(), Network::testnet, store::OpenMode::read_only);
}

std::optional<std::uint64_t> number(const json::value& from, const char* key) {
  if (!from.is_object() || from.at(key).is_null()) return std::nullopt;
  return from.at(key).to_number<std::uint64_t>();
}

std::string text(const json::value& from, const char* key) {
  if (!from.is_object() || !from.at(key).is_string()) return {};
  return std::string(from.at(key).as_string());
}

void fill(const NodeProcess& node, test::FillOptions options) {
  options.directory = node.data_dir();
  const auto filled = test::fill_directory(options);
  ASSERT_TRUE(filled) << filled.error().message << " " << filled.error().because;
}

}  // namespace

ScriptedPeers::ScriptedPeers(const Sandbox& sandbox)
    : port_(static_cast<std::uint16_t>(sandbox.port())),
      work_(boost::asio::make_work_guard(io_)),
      thread_([this] { io_.run(); }) {}

ScriptedPeers::~ScriptedPeers() {
  on_thread([this] { peers_.clear(); });
  io_.stop();
  thread_.join();
}

void ScriptedPeers::put(const std::string& ip, const std::string& words, Chain chain) {
  auto script = script_of(words, std::move(chain));
  on_thread([&] {
    auto& peer = peers_[ip];
    if (!peer) {
      peer = std::make_unique<test::ScriptedPeer>(io_, endpoint(ip, port_), std::move(script));
    } else {
      peer->set_script(std::move(script));
      peer->close_all();
    }
  });
}

void ScriptedPeers::remove(const std::string& ip) {
  on_thread([&] { peers_.erase(ip); });
}

void ScriptedPeers::dial(const std::string& from, const std::string& to) {
  with(from, [&](test::ScriptedPeer& peer) { peer.dial(endpoint(to, port_)); });
}

test::ChainOptions chain_options(std::uint64_t seed) {
  test::ChainOptions options;
  options.network = kNetwork;
  options.seed = seed;
  options.sign = false;
  return options;
}

Chain chain_of(std::uint64_t seed, std::size_t count) {
  return test::ServedChain::generated(kNetwork, seed, count);
}

Chain branched(std::uint64_t seed, std::size_t common, std::uint64_t other_seed,
               std::size_t count) {
  test::ChainMaker maker(chain_options(seed));
  auto blocks = maker.next(common);
  for (auto& block : maker.branch(other_seed).next(count)) blocks.push_back(std::move(block));
  return std::make_shared<test::ServedChain>(kNetwork, std::move(blocks));
}

std::string hash_of(const Chain& chain, std::uint64_t height) {
  return wire::to_hex(chain->hash(height));
}

void fill_chain(const NodeProcess& node, std::uint64_t seed, std::size_t count) {
  test::FillOptions options;
  options.chain = chain_options(seed);
  options.count = count;
  fill(node, std::move(options));
}

void fill_branch(const NodeProcess& node, std::uint64_t seed, std::size_t common,
                 std::uint64_t other_seed, std::size_t count) {
  test::FillOptions options;
  options.chain = chain_options(seed);
  options.branch = test::FillOptions::Branch{common, other_seed, count};
  fill(node, std::move(options));
}

std::string chain_config(const std::vector<std::string>& masternodes, const std::string& more) {
  std::string config = "whitelisted_peers = [";
  for (const auto& ip : masternodes) config += "\"" + ip + "\", ";
  return config + "]\n[sync]\ninterval = 1\npoll_interval = 0.5\n" + more;
}

void start_with(NodeProcess& node, const std::vector<std::string>& ips) {
  node.start();
  await_connected(node, ips);
}

void await_connected(const NodeProcess& node, const std::vector<std::string>& ips) {
  constexpr milliseconds kPatience(3000);
  const auto all = [&] {
    return std::all_of(ips.begin(), ips.end(),
                       [&](const auto& ip) { return node.connected_to(ip); });
  };
  if (wait_for(all, kPatience)) return;
  for (const auto& ip : ips) {
    if (!node.connected_to(ip)) (void)node.timectl({"peer", "connect", ip});
  }
  ASSERT_TRUE(wait_for(all, kPatience)) << node.log();
}

SyncNow sync_of(const NodeProcess& node) {
  const auto outcome = node.timectl({"--json", "sync", "status"});
  SyncNow now;
  now.exit = outcome.status;
  now.all = outcome.data();
  now.height = number(now.all, "height");
  now.best = number(now.all, "best_height");
  now.lag = number(now.all, "lag_blocks");
  now.tip = text(now.all, "tip_hash");
  now.activity = text(now.all, "activity");
  return now;
}

json::value sync_peer(const NodeProcess& node, const std::string& ip) {
  const auto peers = node.query({"sync", "peers"});
  if (!peers.is_array()) return nullptr;
  for (const auto& peer : peers.get_array()) {
    if (peer.at("ip").as_string() == ip) return peer;
  }
  return nullptr;
}

bool synced(const NodeProcess& node, const Chain& chain) {
  const auto now = sync_of(node);
  return now.exit == 0 && now.at(chain->height(), hash_of(chain, chain->height()));
}

json::array events_of(const NodeProcess& node, const std::string& kind) {
  const auto events = node.query({"events", "--since", "1h", "--kind", kind});
  return events.is_array() ? events.get_array() : json::array{};
}

bool has_event(const NodeProcess& node, const std::string& kind, const std::string& detail) {
  for (const auto& event : events_of(node, kind)) {
    if (text(event, "detail").find(detail) != std::string::npos) return true;
  }
  return false;
}

std::string wrong_with_chain(const NodeProcess& node) {
  const auto file = stored_chain(node);
  if (!file) return file.error().message + ": " + file.error().because;
  const auto tip = file->tip().block;
  auto parent = file->hash_at(0);
  for (std::uint64_t first = 1; first <= tip.height; first += kRead) {
    const auto last = std::min<std::uint64_t>(first + kRead - 1, tip.height);
    const auto bodies = file->bodies(first, last, kReadBytes);
    if (bodies.size() != last - first + 1)
      return "bodies are missing from " + std::to_string(first);
    for (std::size_t i = 0; i < bodies.size(); ++i) {
      const std::string where = " at " + std::to_string(first + i);
      wire::Arena arena;
      const auto block = wire::decode_block(bodies[i], arena);
      if (!block) return "no block" + where;
      const auto hash = wire::block_hash(block->header);
      if (block->header.height != first + i) return "another height" + where;
      if (file->hash_at(first + i) != hash) return "another hash" + where;
      if (block->header.previous_hash != parent) return "another parent" + where;
      parent = hash;
    }
  }
  return parent == tip.hash ? "" : "another tip";
}

std::string stored_tip(const NodeProcess& node) {
  const auto file = stored_chain(node);
  if (!file) return file.error().message;
  const auto tip = file->tip().block;
  return std::to_string(tip.height) + " " + wire::to_hex(tip.hash);
}

bool same_bodies(const NodeProcess& a, const NodeProcess& b, std::uint64_t first,
                 std::uint64_t last) {
  const auto file_a = stored_chain(a);
  const auto file_b = stored_chain(b);
  if (!file_a || !file_b) return false;
  for (; first <= last; first += kRead) {
    const auto upto = std::min<std::uint64_t>(first + kRead - 1, last);
    const auto bodies = file_a->bodies(first, upto, kReadBytes);
    if (bodies.size() != upto - first + 1) return false;
    if (bodies != file_b->bodies(first, upto, kReadBytes)) return false;
  }
  return true;
}

std::size_t peak_kilobytes(const NodeProcess& node) {
  std::ifstream status("/proc/" + std::to_string(node.pid()) + "/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) return std::stoul(line.substr(6));
  }
  return 0;
}

}  // namespace timectl::e2e
