#pragma once
// SinkKeeper: the alert sinks of a running node. It drives the outbox (core/outbox.h): gives each
// sink's thread what is due, takes the report back on the node's thread, and has it stored. All of
// it is called from the node's thread, which never waits here: not for a sink that hangs, not at a
// reload, and at a stop only until what is under way has been interrupted.
//
// The signs of life come from the node's own tick, so that a node whose loop stands still is missed
// by whoever waits for them.

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/config.h"
#include "daemon/core/outbox.h"
#include "daemon/sinks/worker.h"
#include "daemon/write_gate.h"
#include "store/database.h"

namespace timectl {

class SinkKeeper {
 public:
  struct Ways {
    // Runs the function on the node's thread, from any thread.
    std::function<void(std::function<void()>)> post = {};
    std::function<void(Severity severity, const std::string& line)> log = {};
    std::function<Now()> now = {};
  };

  SinkKeeper(store::Database& database, std::uint64_t seed, Ways ways);
  ~SinkKeeper();
  SinkKeeper(const SinkKeeper&) = delete;
  SinkKeeper& operator=(const SinkKeeper&) = delete;

  // What waits since before. After an error it begins with nothing.
  [[nodiscard]] Result<void> open();
  void configure(const config::Config& config, Now now);  // at the start and at a reload
  // Why another writer of the database fails, as the recorder knows it: then what is not stored is
  // sent all the same.
  void note_store(const std::optional<Error>& failure) { gate_.note(failure); }
  // Sends what is due, and stores what became of the rest. An error: the database.
  [[nodiscard]] Result<void> run(const Alerts& alerts, Now now);
  void stop();  // nothing new is sent
  [[nodiscard]] bool idle() const { return under_way_ == 0; }

  [[nodiscard]] Outbox& outbox() { return outbox_; }
  [[nodiscard]] const NodeIdentity& identity() const { return identity_; }

 private:
  struct Sink {
    std::shared_ptr<const sinks::SinkTarget> target = {};
    std::unique_ptr<sinks::Worker> worker = {};
    std::uint64_t worker_number = 0;  // a report of one that was retired is not of this sink
  };
  void begin(Parcel parcel, const Alerts& alerts, Now now);
  void take(const std::string& sink, std::uint64_t worker, const sinks::SendReport& report);
  void catch_up(const Alerts& alerts, Now now);
  void write_log(const Parcel& parcel, Now now);
  void tell();
  [[nodiscard]] std::vector<MessagePointer> firing(const std::string& sink, const Alerts& alerts,
                                                   Now now) const;

  store::Database& database_;
  WriteGate gate_;
  Outbox outbox_;
  Ways ways_;
  NodeIdentity identity_;
  std::map<std::string, Sink> sinks_;
  std::map<std::string, SinkChoice> choices_;
  std::vector<std::unique_ptr<sinks::Worker>> retired_;  // until they have finished
  const Alerts* alerts_ = nullptr;                       // of the last run()
  std::size_t under_way_ = 0;
  std::uint64_t workers_made_ = 0;
  bool stopped_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // reports may come later than we go
};

}  // namespace timectl
