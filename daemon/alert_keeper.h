#pragma once
// AlertKeeper: the alerts of a running node. The daemon calls look() from its tick and on_event()
// for every event; every few seconds, and soon after an event that matters, it gathers what holds,
// asks the engine (core/alerts.h), and has the result on disk, together with the messages to the
// sinks, before somebody is told. While the database cannot be written (write_gate.h: an error, a
// full disk, a lock) it tells all the same: that is one of the alerts. While a large change is
// being written it does not look at all. What takes a query or a file is looked at now and then and
// remembered (SlowAlertFacts).

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "daemon/alert_conditions.h"
#include "daemon/core/events.h"
#include "daemon/core/outbox.h"
#include "daemon/methods.h"
#include "daemon/write_gate.h"
#include "store/database.h"

namespace timectl {

class AlertKeeper {
 public:
  static constexpr Duration kInterval = std::chrono::seconds(5);
  static constexpr Duration kHostInterval = std::chrono::minutes(1);
  static constexpr Duration kQueryInterval = std::chrono::hours(1);  // audit, inbound connections

  // A look that takes long (thousands of alerts at once, a slow disk) is not repeated before it is
  // a small part of the thread's time: after this many times what it took. One that is shorter than
  // kShortLook is repeated as often as the daemon asks.
  static constexpr int kRestFactor = 20;
  static constexpr Duration kShortLook = std::chrono::milliseconds(10);
  static constexpr Duration kLongestRest = std::chrono::minutes(1);

  explicit AlertKeeper(store::Database& database) : database_(database), gate_(database) {}

  // What is stored. After an error it begins with nothing.
  [[nodiscard]] Result<void> open(Now now);
  void on_event(const Event& event);
  // The check after an unclean stop: its first finding, empty where it found nothing.
  void on_integrity(const std::string& problem) { slow_.database_damaged = problem; }
  // Why another writer of the database fails, as the recorder knows it; before each look.
  void note_store(const std::optional<Error>& failure) { gate_.note(failure); }
  // Evaluates where it is time to. An error: the database; what is new is told all the same.
  [[nodiscard]] Result<void> look(const Services& services, Now now);
  // Sentences for the log, each once: conditions for which there is no room.
  [[nodiscard]] std::vector<std::string> take_said() { return std::exchange(said_, {}); }
  [[nodiscard]] std::vector<AlertNotice> take_notices() { return std::exchange(notices_, {}); }
  // Each notice becomes a message in it, stored with the alert. It outlives the keeper.
  void tell_sinks(Outbox& outbox, NodeIdentity identity) {
    outbox_ = &outbox;
    identity_ = std::move(identity);
  }
  [[nodiscard]] const Outbox* outbox() const { return outbox_; }
  // An event has come that is worth a look before the next tick.
  [[nodiscard]] bool due() const { return due_; }

  [[nodiscard]] Alerts& alerts() { return alerts_; }
  [[nodiscard]] const SlowAlertFacts& slow() const { return slow_; }

 private:
  void find_moot(const Services& services, AlertLook& look) const;
  [[nodiscard]] bool rests(Now now) const;
  [[nodiscard]] Result<void> look_now(const Services& services, Now now);
  void look_at_host(const Services& services, Now now);
  void ask_database(const Services& services, Now now);
  [[nodiscard]] Result<void> save(Now now);

  store::Database& database_;
  WriteGate gate_;
  Alerts alerts_;
  SlowAlertFacts slow_;
  Outbox* outbox_ = nullptr;
  NodeIdentity identity_;
  std::vector<AlertNotice> notices_;
  std::vector<std::string> said_;
  bool due_ = true;  // at the next look
  Instant looked_at_ = {};
  Duration took_ = {};  // the last look
  std::optional<Instant> host_at_;
  std::optional<Instant> asked_at_;
};

// Of conditions for which there is no room, for the log and for whoever lists the alerts.
[[nodiscard]] std::string left_out_text(std::size_t count);
// The event that says a notice in the log, to the followers and in the history.
[[nodiscard]] Event event_of(const AlertNotice& notice, WallTime at);

}  // namespace timectl
