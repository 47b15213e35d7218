#pragma once
// The dashboard and /metrics of a running node: owns the web server and feeds its board while
// somebody looks. Lives on the network thread, where it only gathers views; texts are made in the
// server's thread, the history in one of its own. Used by the daemon alone.
//
// Promises: a server that cannot start is a line in the log and a reason in `node info`, and the
// node runs on; nobody looks, nothing is gathered; stop() returns at once.

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "config/config.h"
#include "daemon/control/overview_api.h"
#include "daemon/control/server.h"
#include "daemon/dashboard_board.h"
#include "daemon/methods.h"
#include "daemon/web/server.h"

namespace timectl {

struct DashboardSources {
  std::function<Result<control::OverviewReply>()> overview = {};
  // Beside the network thread; none: it cannot be had now.
  std::function<control::Job()> history = {};
  std::function<Result<json::value>(std::size_t most)> events = {};  // the newest, in any order
  std::function<web::Maker()> metrics = {};
  std::function<void(Severity severity, const std::string& line)> log = {};
  std::function<Now()> now = {};
};

class Dashboard {
 public:
  Dashboard(boost::asio::io_context& io, std::string socket_path, std::uint32_t socket_group,
            DashboardSources sources);
  ~Dashboard();
  Dashboard(const Dashboard&) = delete;
  Dashboard& operator=(const Dashboard&) = delete;

  // At start and after a reload: what is different now is served anew.
  [[nodiscard]] DashboardFacts configure(const config::Config& config);
  void on_event(const Event& event);
  void stop();

 private:
  struct Wanted;

  [[nodiscard]] bool start(const Wanted& wanted);
  [[nodiscard]] web::ServerOptions server_options(const Wanted& wanted);
  void schedule(Duration within);
  void on_watched();
  void look();
  void look_within(Duration wish);
  void load_events();
  void add_event(const Event& event);
  void refresh_history();
  void on_history(std::optional<std::string> text);

  boost::asio::io_context& io_;
  boost::asio::steady_timer timer_;
  std::string socket_path_;
  std::uint32_t socket_group_;
  DashboardSources sources_;
  std::unique_ptr<Wanted> serving_;  // what runs, or was tried
  DashboardFacts facts_;
  bool watching_ = false;
  bool reload_events_ = false;
  Instant last_look_{};
  Duration last_cost_{};
  Instant next_look_{};
  std::vector<ShownEvent> events_;  // not on the board yet; at most kShownEvents
  std::uint64_t last_number_ = 0;
  std::string history_;
  std::optional<Instant> history_at_;
  bool history_runs_ = false;
  std::vector<web::Deliver> history_waiters_;  // at most one: the server asks one question
  std::jthread history_thread_;
  std::unique_ptr<web::Server> server_;  // last: its thread ends first
};

}  // namespace timectl
