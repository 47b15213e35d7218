#pragma once
// Outbox: which message goes to which sink, and when. It keeps the messages in the order in which
// they were told, and of each sink how far it has come: a sink gets everything that it wants, in
// order, one parcel at a time, and no sink waits for another. A message is put together with the
// alert that it is about and stored in the same transaction; it is gone when the last sink has it.
//
// What a sink did not take is tried again after 1 s, 2 s, ... 5 minutes, a little earlier or later
// by chance, over restarts, without end; a wish of the receiver (Retry-After) is kept up to an
// hour. Only what a receiver refuses because of its content is given up, after kRefusals attempts,
// so that one message cannot hold up the others. More than kMaxWaiting messages are not kept: the
// oldest are given up, counted and told.
//
// At least once: a crash between sending and noting it sends again, with the same key. Some sinks
// also want to hear something at regular times (`every`): an empty parcel; those are not queued.
// Deterministic: no clock, no thread, no socket. The daemon's SinkKeeper drives it.

#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "daemon/core/alert_message.h"
#include "daemon/core/random.h"

namespace timectl {

struct SinkChoice {
  std::string name = {};
  Severity mildest = Severity::warning;
  AlertRules rules = AlertRules::all();
  std::size_t batch = 1;  // messages of one parcel at most
  Duration every = {};    // an empty parcel at such intervals; 0: never
  bool messages = true;
  bool digests = false;  // kDigestFrom and more that are alike come as one parcel, whatever `batch`
};

enum class DeliveryState : std::uint8_t { waiting, delivered, failed };
BOOST_DESCRIBE_ENUM(DeliveryState, waiting, delivered, failed)

// What became of the last message about one alert at one sink. Waiting ones are not stored.
struct SinkDelivery {
  std::uint64_t alert = 0;
  std::string sink = {};
  std::uint64_t number = 0;
  DeliveryState state = DeliveryState::waiting;
  WallTime at = {};
  std::uint64_t attempts = 0;
  std::string error = {};  // of the last attempt, where it failed
  friend bool operator==(const SinkDelivery&, const SinkDelivery&) = default;
};
BOOST_DESCRIBE_STRUCT(SinkDelivery, (), (alert, sink, number, state, at, attempts, error))

// How far one sink has come.
struct SinkState {
  std::string name = {};
  std::uint64_t done = 0;                      // it has every message up to this number
  std::uint64_t attempts = 0;                  // that failed in a row
  std::optional<WallTime> failing_since = {};  // none: the last attempt was good
  std::optional<WallTime> next_at = {};        // not before
  std::uint64_t given_up = 0;                  // messages, since the last one that it took
  std::string error = {};
  friend bool operator==(const SinkState&, const SinkState&) = default;
};
BOOST_DESCRIBE_STRUCT(SinkState, (),
                      (name, done, attempts, failing_since, next_at, given_up, error))

enum class SendResult : std::uint8_t {
  delivered,
  failed,       // try again
  refused,      // because of what was sent
  interrupted,  // by us: it does not count
};
BOOST_DESCRIBE_ENUM(SendResult, delivered, failed, refused, interrupted)

struct SendOutcome {
  SendResult result = SendResult::delivered;
  std::string error = {};
  std::optional<Duration> retry_after = {};
};

struct Parcel {
  std::string sink = {};
  std::vector<MessagePointer> messages = {};  // empty: it is time for a sign of life
};

class Outbox {
 public:
  static constexpr std::size_t kMaxWaiting = 10'000;
  static constexpr std::size_t kRefusals = 3;
  static constexpr Duration kFirstWait = std::chrono::seconds(1);
  static constexpr Duration kLongestWait = std::chrono::minutes(5);
  static constexpr Duration kLongestWish = std::chrono::hours(1);  // Retry-After
  static constexpr double kJitter = 0.2;
  static constexpr std::size_t kMaxError = 300;  // bytes

  explicit Outbox(std::uint64_t seed) : random_(seed) {}

  struct Stored {
    std::vector<AlertMessage> messages = {};  // by number
    std::vector<SinkState> sinks = {};
    std::vector<SinkDelivery> deliveries = {};
  };
  void load(Stored stored);
  // A sink that is new begins with the next message; what one that is gone did not get is gone.
  void set_sinks(std::vector<SinkChoice> sinks, Now now);
  // The sinks that were new, each once: what was told before is to be put for them.
  [[nodiscard]] std::vector<std::string> take_new_sinks() { return std::exchange(new_sinks_, {}); }

  void put(AlertMessage message, Now now);
  void forget_alert(std::uint64_t alert);  // it is no longer shown

  // What is to be sent now: of each idle sink at most one parcel. Messages that are not stored yet
  // only where `unsaved`, which is for a database that cannot be written.
  [[nodiscard]] std::vector<Parcel> take_due(Now now, bool unsaved);
  void on_outcome(const std::string& sink, const SendOutcome& outcome, Now now);

  // To be stored: what changed since saved().
  struct Changes {
    std::vector<MessagePointer> messages = {};
    std::uint64_t done = 0;  // messages up to this number are gone
    std::vector<SinkState> sinks = {};
    std::vector<std::string> gone_sinks = {};
    std::vector<SinkDelivery> deliveries = {};
    std::vector<std::uint64_t> forgotten = {};  // alerts
    [[nodiscard]] bool empty() const {
      return messages.empty() && sinks.empty() && gone_sinks.empty() && deliveries.empty() &&
             forgotten.empty();
    }
  };
  [[nodiscard]] Changes unsaved() const;
  void saved();

  [[nodiscard]] std::vector<SinkDelivery> deliveries_of(std::uint64_t alert) const;
  struct SinkView {
    SinkState state = {};
    std::uint64_t waiting = 0;
  };
  [[nodiscard]] std::vector<SinkView> failing() const;
  [[nodiscard]] std::optional<SinkView> sink(const std::string& name) const;
  // Sentences for the log, each once: a sink fails, works again, messages are given up.
  [[nodiscard]] std::vector<std::string> take_said() { return std::exchange(said_, {}); }
  [[nodiscard]] std::size_t size() const { return messages_.size(); }

 private:
  struct Sink {
    SinkChoice choice = {};
    SinkState state = {};
    Instant due = {};  // not before
    Instant beat = {};
    std::vector<MessagePointer> sent = {};  // in flight
    bool busy = false;
    std::uint64_t refusals = 0;
    std::uint64_t alone_until = 0;  // up to this number one at a time: one of them is refused
  };
  using Deliveries = std::map<std::string, SinkDelivery>;

  [[nodiscard]] static bool wants(const Sink& sink, const AlertMessage& message);
  [[nodiscard]] std::deque<MessagePointer>::const_iterator after(std::uint64_t number) const;
  void tell_lost(const std::string& name, std::size_t count, const std::string& how_many);
  void wait_for(const Sink& sink, const AlertMessage& message);
  void fill(Sink& sink, bool unsaved, Parcel& parcel);
  // What it wants from there on, up to the next that is not stored; at most so many.
  [[nodiscard]] std::vector<MessagePointer> next_for(const Sink& sink, bool unsaved,
                                                     std::size_t most) const;
  void take_done(Sink& sink, DeliveryState state, const std::string& error, Now now);
  void give_up(Sink& sink, const AlertMessage& message, const std::string& why, Now now);
  void count_failure(Sink& sink, const SendOutcome& outcome, Now now);
  void drop_done();
  void bound(Now now);

  Random random_;
  std::deque<MessagePointer> messages_;
  std::map<std::string, Sink> sinks_;
  std::map<std::string, SinkState> loaded_;  // until the sinks are known
  std::map<std::uint64_t, Deliveries> deliveries_;
  std::uint64_t next_ = 1;
  std::uint64_t stored_ = 0;  // messages up to this number are on disk
  std::set<std::string> dirty_sinks_;
  std::set<std::string> gone_sinks_;
  std::set<std::pair<std::uint64_t, std::string>> dirty_deliveries_;
  std::vector<std::uint64_t> forgotten_;
  std::vector<std::string> said_;
  std::vector<std::string> new_sinks_;
};

}  // namespace timectl
