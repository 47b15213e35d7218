#pragma once
// The loop that keeps the API's list (requirements D1): at start without delaying it, every
// interval with jitter, with back-off after failures, and when an operator asks. The fetch runs in
// a thread of its own; what follows from it is decided and stored on the node's thread. Made by the
// daemon; all calls come from its thread.

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <optional>
#include <thread>
#include <vector>

#include "daemon/core/random.h"
#include "daemon/methods.h"
#include "daemon/refresh.h"

namespace timectl {

class Refresher {
 public:
  // `services` outlives it and has apply, record and settle.
  Refresher(boost::asio::io_context& io, Services& services, std::uint64_t seed);
  ~Refresher();  // asks a fetch under way to stop, and waits for it
  Refresher(const Refresher&) = delete;
  Refresher& operator=(const Refresher&) = delete;

  void start();
  // Answered with a RefreshReply when its own fetch, or one that begins after the call, is done.
  void ask(bool dry_run, store::AuditOrigin origin, control::Answer done);
  void config_changed();  // a new URL or interval counts from now on
  void stop();            // those who wait are answered `interrupted`

 private:
  struct Asked {
    bool dry_run = false;
    store::AuditOrigin origin = {};
    control::Answer done = {};
  };
  void plan_next(Duration wait);
  void begin();
  void fetched(const FetchJob& job, const FetchOutcome& outcome);
  void take(const FetchJob& job, const FetchOutcome& outcome, std::vector<Asked> real);
  void over(std::optional<Duration> next);  // none: the timer goes on as it is

  boost::asio::io_context& io_;
  Services& services_;
  Random random_;
  boost::asio::steady_timer timer_;
  std::optional<Duration> retry_after_;
  std::vector<Asked> waiting_;  // for the next fetch
  std::vector<Asked> served_;   // by the fetch under way
  bool busy_ = false;           // from the fetch to the end of what follows from it
  bool stopped_ = false;
  std::jthread thread_;
};

}  // namespace timectl
