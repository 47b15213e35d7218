#pragma once
// What the end-to-end tests of the chain share: scripted peers that serve chains on a thread of
// their own, so that a test can wait for a real node meanwhile; and what a node says of its chain,
// asked with `timectl` as an operator would. The stored chain itself is read with ChainFile once
// its node has ended.

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <future>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "tests/e2e/sandbox.h"
#include "tests/support/chain_maker.h"
#include "tests/support/scripted_peer.h"

namespace timectl::e2e {

using Chain = std::shared_ptr<const test::ServedChain>;

// Scripted peers on addresses of 127/8, all at the sandbox's port, run by one thread. What tests
// want of a peer is done on that thread.
class ScriptedPeers {
 public:
  explicit ScriptedPeers(const Sandbox& sandbox);
  ~ScriptedPeers();
  ScriptedPeers(const ScriptedPeers&) = delete;
  ScriptedPeers& operator=(const ScriptedPeers&) = delete;

  // `words` as of parse_script; `chain` in place of one that they name. An address that is there
  // gets a new script: its connections end, and the next ones go by it.
  void put(const std::string& ip, const std::string& words, Chain chain = nullptr);
  void remove(const std::string& ip);
  void dial(const std::string& from, const std::string& to);

  template <class Work>
  auto with(const std::string& ip, Work work) {
    return on_thread([this, &ip, &work] { return work(*peers_.at(ip)); });
  }
  [[nodiscard]] boost::asio::io_context& io() { return io_; }

 private:
  template <class Work>
  auto on_thread(Work work) -> decltype(work()) {
    std::packaged_task<decltype(work())()> task(std::move(work));
    auto done = task.get_future();
    boost::asio::post(io_, std::move(task));
    return done.get();
  }

  std::uint16_t port_;
  boost::asio::io_context io_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  std::map<std::string, std::unique_ptr<test::ScriptedPeer>> peers_;
  std::thread thread_;
};

// Unsigned blocks, which nobody has a key for and which are made twenty times as fast; the same
// bytes as ServedChain::generated() has.
[[nodiscard]] test::ChainOptions chain_options(std::uint64_t seed);
// `common` blocks of one seed, then `count` of another.
[[nodiscard]] Chain branched(std::uint64_t seed, std::size_t common, std::uint64_t other_seed,
                             std::size_t count);
[[nodiscard]] Chain chain_of(std::uint64_t seed, std::size_t count);
[[nodiscard]] std::string hash_of(const Chain& chain, std::uint64_t height);  // hex

// Puts a chain into the data directory of a node that does not run.
void fill_chain(const NodeProcess& node, std::uint64_t seed, std::size_t count);
void fill_branch(const NodeProcess& node, std::uint64_t seed, std::size_t common,
                 std::uint64_t other_seed, std::size_t count);

// These masternodes, and a sync that looks often enough for a test. `more` goes into [sync].
[[nodiscard]] std::string chain_config(const std::vector<std::string>& masternodes,
                                       const std::string& more = "");

// Returns when the node, which runs, has a connection to each. One whose first handshake failed, as
// can be on a busy machine, would be left alone for 150 s (R6): it is dialled by hand.
void await_connected(const NodeProcess& node, const std::vector<std::string>& ips);
void start_with(NodeProcess& node, const std::vector<std::string>& ips);

struct SyncNow {
  int exit = -1;
  std::optional<std::uint64_t> height = {};
  std::optional<std::uint64_t> best = {};
  std::optional<std::uint64_t> lag = {};
  std::string tip = {};
  std::string activity = {};
  json::value all = {};
  [[nodiscard]] bool at(std::uint64_t wanted, const std::string& hash) const {
    return height == wanted && tip == hash;
  }
};
[[nodiscard]] SyncNow sync_of(const NodeProcess& node);
[[nodiscard]] json::value sync_peer(const NodeProcess& node, const std::string& ip);  // or null
// The node's tip is this block and it is in sync.
[[nodiscard]] bool synced(const NodeProcess& node, const Chain& chain);
[[nodiscard]] json::array events_of(const NodeProcess& node, const std::string& kind);
[[nodiscard]] bool has_event(const NodeProcess& node, const std::string& kind,
                             const std::string& detail = "");

// Of a node that has ended: empty if its chain opens, has every block up to its tip, each on top of
// the one before it and as its hash says; else what is wrong.
[[nodiscard]] std::string wrong_with_chain(const NodeProcess& node);
[[nodiscard]] std::string stored_tip(const NodeProcess& node);  // "height hash"
// Blocks first..last of both, byte for byte.
[[nodiscard]] bool same_bodies(const NodeProcess& a, const NodeProcess& b, std::uint64_t first,
                               std::uint64_t last);
[[nodiscard]] std::size_t peak_kilobytes(const NodeProcess& node);  // VmHWM

}  // namespace timectl::e2e
