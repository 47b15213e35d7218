#pragma once
// DaemonChain: the chain of a running node. It connects the coordinator
// (daemon/chain/coordinator.h) to the sessions, the clock, the file and the thread that works on
// it: sessions report through ChainPort, the coordinator's commands go out through Network::send(),
// jobs go to the worker. Everything is on the network thread but the worker's tasks.
//
// Where the file cannot be opened the node goes on without a chain: it tells no height, serves no
// blocks, and says why. A damaged file is put aside and the chain fetched again.

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/config.h"
#include "daemon/chain/coordinator.h"
#include "daemon/chain_worker.h"
#include "daemon/methods.h"
#include "daemon/net/chain_port.h"
#include "store/chain_file.h"

namespace timectl {

// What the chain needs of the rest of the node; called on the network thread.
struct ChainHost {
  std::function<Now()> now;
  std::function<bool(const IpAddress&)> masternode;
  std::function<std::size_t()> masternodes;      // whitelisted, without ourselves
  std::function<bool(const IpAddress&)> poorly;  // its health score is low
  // To the ready session of that address; what cannot leave is lost, and comes as a silence.
  std::function<void(const IpAddress&, wire::OutgoingMessage)> send;
  std::function<void(Event)> record;
  std::function<void(const IpAddress&, ViolationKind, const std::string&)> accuse;
};

[[nodiscard]] chain::CoordinatorPolicy coordinator_policy(const config::Config& config);

class DaemonChain final : public net::ChainPort {
 public:
  struct Options {
    std::string data_dir;
    timectl::Network network = timectl::Network::mainnet;
    chain::CoordinatorPolicy policy = {};
    std::uint64_t seed = 0;
    std::optional<ForkView> open_fork = {};  // open() looks for it in the file
  };
  // Errors: those of store::ChainFile::open, but for damage, which is put aside and recorded.
  [[nodiscard]] static Result<std::unique_ptr<DaemonChain>> open(boost::asio::io_context& io,
                                                                 Options options, ChainHost host);
  ~DaemonChain() override;

  void on_ready(const IpAddress& peer, Now now) override;
  void on_gone(const IpAddress& peer, Now now) override;
  void on_message(const IpAddress& peer, const wire::Message& message, wire::Bytes payload,
                  Now now) override;
  [[nodiscard]] std::optional<wire::OutgoingMessage> answer(const IpAddress& peer,
                                                            const wire::Message& request,
                                                            Now now) override;
  [[nodiscard]] std::optional<std::uint64_t> own_height(Now now) const override;

  void start();  // from here on it polls and fetches
  void stop();   // no timers, no commands; the file is closed by the destructor
  void set_policy(const chain::CoordinatorPolicy& policy);
  void on_whitelist_changed();

  [[nodiscard]] SyncServices services();

 private:
  DaemonChain(boost::asio::io_context& io, Options options, ChainHost host, store::ChainFile file,
              store::ChainFile reader, bool paused);
  void pump();
  void schedule();
  void note_damage();
  void execute(const chain::AskBlocks& ask);
  void execute(const chain::AskTip& ask);
  void execute(const chain::AskHash& ask);
  void execute(chain::StartJob& start);
  void execute(chain::RecordEvent& record);
  void execute(const chain::Accuse& accuse);
  void execute(chain::SaveFork& save);
  void execute(const chain::SavePaused& save);
  void save(std::function<Result<void>(store::ChainFile&)> write, const char* what);

  ChainHost host_;
  std::string data_dir_;
  timectl::Network network_;
  bool damage_said_ = false;
  ChainWorker worker_;  // outlives the reader: who closes the file last merges its log
  boost::asio::steady_timer timer_;
  Instant timer_at_ = Instant::max();
  bool running_ = false;
  bool pumping_ = false;
  store::ChainFile reader_;
  chain::Coordinator coordinator_;
  std::vector<std::function<void(Result<void>)>> pause_answers_;  // for the SavePaused to come
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);    // what is posted looks at it
};

}  // namespace timectl
