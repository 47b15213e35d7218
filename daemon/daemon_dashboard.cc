#include "daemon/daemon_dashboard.h"

#include <sys/resource.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <cstdlib>
#include <filesystem>
#include <utility>

#include "daemon/web/token_file.h"

namespace timectl {
namespace {

namespace asio = boost::asio;

constexpr Duration kLookInterval = std::chrono::seconds(1);
// An event is seen at once; a hundred of them are one look.
constexpr Duration kAfterEvent = std::chrono::milliseconds(50);
constexpr Duration kLeastInterval = std::chrono::milliseconds(250);
constexpr int kRest = 20;  // times as long as a look took is the pause after it: 5 % of the thread
constexpr Duration kHistoryInterval = std::chrono::seconds(60);

std::string url_of(const IpAddress& ip, std::uint16_t port, const std::string& path, bool tls) {
  // Of a wildcard no link can be made; on this host the loopback is part of it.
  const auto shown = !ip.is_unspecified() ? ip
                     : ip.is_v4()         ? IpAddress::v4(127, 0, 0, 1)
                                  : IpAddress({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1});
  const auto text = shown.to_string();
  return (tls ? "https://" : "http://") + (shown.is_v4() ? text : "[" + text + "]") + ":" +
         std::to_string(port) + path;
}

// Where it stays over a reboot, or the links and what Prometheus has would be worthless after it: a
// service's state directory, which its group may enter; else beside the socket.
std::string token_path(const config::Config& config, const std::string& socket_path) {
  if (!config.dashboard.token_file.empty()) return config.dashboard.token_file;
  const char* state = std::getenv("STATE_DIRECTORY");  // config/paths.h finds the data by it
  const auto folder = state != nullptr && *state == '/'
                          ? std::filesystem::path(state)
                          : std::filesystem::path(socket_path).parent_path();
  return (folder / (std::string(name_of(config.network.name)) + ".token")).string();
}

// The node's own connections come first where descriptors are few.
web::Limits limits_for_descriptors() {
  constexpr rlim_t kLeast = 8;
  constexpr std::size_t kNotStreams = 16;
  web::Limits limits;
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return limits;
  const auto share = std::max(kLeast, limit.rlim_cur / 4);
  limits.connections = std::min<std::size_t>(limits.connections, share);
  limits.streams = std::max(limits.connections / 2,
                            limits.connections - std::min(limits.connections, kNotStreams));
  return limits;
}

bool same(const web::Listen& a, const web::Listen& b) {
  return a.ip == b.ip && a.port == b.port && a.pages == b.pages && a.metrics == b.metrics &&
         a.certificate == b.certificate && a.key == b.key;
}

}  // namespace

struct Dashboard::Wanted {
  std::string token = {};
  std::vector<std::string> hosts = {};
  std::vector<web::Listen> listen = {};

  [[nodiscard]] bool same_as(const Wanted& other) const {
    return token == other.token && hosts == other.hosts &&
           std::ranges::equal(listen, other.listen, same);
  }
  // Its files may be others by now, of the same names.
  [[nodiscard]] bool tls() const {
    return std::ranges::any_of(listen, [](const auto& one) { return !one.certificate.empty(); });
  }
};

namespace {

std::vector<web::Listen> listeners(const config::Config& config) {
  const auto& [dashboard, metrics] = std::tie(config.dashboard, config.metrics);
  const bool together = dashboard.enabled && metrics.enabled &&
                        dashboard.listen.ip == metrics.listen.ip &&
                        dashboard.listen.port == metrics.listen.port;
  std::vector<web::Listen> out;
  const auto add = [&](const config::Endpoint& at, bool pages, bool with_metrics) {
    out.push_back({.ip = at.ip,
                   .port = at.port,
                   .pages = pages,
                   .metrics = with_metrics,
                   .certificate = dashboard.tls_certificate,
                   .key = dashboard.tls_key});
  };
  if (dashboard.enabled) add(dashboard.listen, true, together);
  if (metrics.enabled && !together) add(metrics.listen, false, true);
  return out;
}

}  // namespace

Dashboard::Dashboard(asio::io_context& io, std::string socket_path, std::uint32_t socket_group,
                     DashboardSources sources)
    : io_(io),
      timer_(io),
      socket_path_(std::move(socket_path)),
      socket_group_(socket_group),
      sources_(std::move(sources)) {}

Dashboard::~Dashboard() {
  stop();
}

void Dashboard::stop() {
  server_.reset();
  timer_.cancel();
  watching_ = false;
  history_thread_.request_stop();
  if (history_thread_.joinable()) history_thread_.join();
}

DashboardFacts Dashboard::configure(const config::Config& config) {
  Wanted wanted{.hosts = config.dashboard.hosts, .listen = listeners(config)};
  DashboardFacts facts{.token_file = token_path(config, socket_path_)};
  if (wanted.listen.empty()) {
    server_.reset();
    serving_.reset();
    facts_ = {.token_file = facts.token_file, .off_because = "dashboard.enabled is false"};
    return facts_;
  }
  auto token = web::open_token(facts.token_file, static_cast<gid_t>(socket_group_));
  if (!token) {
    server_.reset();
    serving_.reset();
    facts.off_because = token.error().message + ": " + token.error().because;
    sources_.log(Severity::warning, "No dashboard: " + facts.off_because);
    return facts_ = std::move(facts);
  }
  wanted.token = std::move(*token);
  if (server_ && serving_ && serving_->same_as(wanted) && !wanted.tls()) return facts_;
  facts_ = std::move(facts);
  if (!start(wanted)) server_.reset();
  serving_ = std::make_unique<Wanted>(std::move(wanted));
  return facts_;
}

web::ServerOptions Dashboard::server_options(const Wanted& wanted) {
  const auto on_node = [this](std::function<void()> work) { asio::post(io_, std::move(work)); };
  web::ServerOptions options{.token = wanted.token, .hosts = wanted.hosts};
  options.limits = limits_for_descriptors();
  options.overview = [this, on_node](web::Deliver deliver) {
    on_node([this, deliver = std::move(deliver)] {
      deliver([overview = sources_.overview()] {
        return overview ? json::serialize(to_json(*overview)) : std::string();
      });
    });
  };
  options.history = [this, on_node](web::Deliver deliver) {
    on_node([this, deliver = std::move(deliver)]() mutable {
      if (history_at_ && sources_.now().mono - *history_at_ < kHistoryInterval) {
        return deliver([text = history_] { return text; });
      }
      history_waiters_.push_back(std::move(deliver));
      refresh_history();
    });
  };
  options.metrics = [this, on_node](web::Deliver deliver) {
    on_node([this, deliver = std::move(deliver)] { deliver(sources_.metrics()); });
  };
  options.watched = [this, on_node] { on_node([this] { on_watched(); }); };
  return options;
}

// True: something is served. One that cannot start does not keep the other.
bool Dashboard::start(const Wanted& wanted) {
  server_.reset();
  server_ = std::make_unique<web::Server>(server_options(wanted));
  bool any = false;
  for (const auto& listen : wanted.listen) {
    const auto port = server_->listen(listen);
    const std::string what = listen.pages ? "The dashboard" : "/metrics";
    if (!port) {
      const auto& error = port.error();
      const auto why = error.message + ": " + error.because;
      if (listen.pages) facts_.off_because = why;
      sources_.log(error.code == Code::port_in_use ? Severity::notice : Severity::warning,
                   what + " is off: " + why);
      continue;
    }
    any = true;
    const auto url =
        url_of(listen.ip, *port, listen.pages ? "/" : "/metrics", !listen.certificate.empty());
    if (listen.pages) facts_.url = url;
    sources_.log(Severity::info, what + " is at " + url);
  }
  if (!facts_.url && facts_.off_because.empty()) {
    facts_.off_because = "dashboard.enabled is false";
  }
  if (any) server_->run();
  return any;
}

void Dashboard::schedule(Duration within) {
  const auto at = sources_.now().mono + within;
  next_look_ = at;
  timer_.expires_after(within);
  timer_.async_wait([this](const boost::system::error_code& failed) {
    if (!failed) look();
  });
}

void Dashboard::on_watched() {
  if (!watching_) {
    watching_ = true;
    reload_events_ = true;
    events_.clear();
  }
  look_within(Duration{0});
}

// However often streams come and go, and however large the whitelist is, looking takes a small
// share of the thread that answers pings.
void Dashboard::look_within(Duration wish) {
  const auto now = sources_.now().mono;
  const auto least = std::max(kLeastInterval, kRest * last_cost_);
  const auto within = std::max(wish, last_look_ + least - now);
  if (within <= Duration{0}) return look();
  if (next_look_ <= now || next_look_ > now + within) schedule(within);
}

void Dashboard::add_event(const Event& event) {
  const auto at =
      static_cast<std::uint64_t>(std::max<WallTime::rep>(event.at.time_since_epoch().count(), 0));
  last_number_ = std::max(at, last_number_ + 1);
  if (events_.size() >= kShownEvents) events_.erase(events_.begin());
  events_.push_back({last_number_, json::serialize(to_json(event))});
}

void Dashboard::on_event(const Event& event) {
  if (!watching_) return;
  add_event(event);
  look_within(kAfterEvent);
}

// What was before; from now on they come one by one.
void Dashboard::load_events() {
  reload_events_ = false;
  events_.clear();
  const auto rows = sources_.events(kShownEvents);
  if (!rows || !rows->is_array()) return;
  std::vector<Event> events;
  for (const auto& row : rows->get_array()) {
    Event event;
    if (from_json(row, event, "")) events.push_back(std::move(event));
  }
  std::ranges::stable_sort(events, {}, &Event::at);
  for (const auto& event : events) add_event(event);
}

void Dashboard::look() {
  const auto now = sources_.now().mono;
  last_look_ = now;
  if (!server_ || server_->streams() == 0) {
    watching_ = false;
    events_.clear();
    return;
  }
  auto overview = sources_.overview();
  last_cost_ = sources_.now().mono - now;
  schedule(std::max(kLookInterval, kRest * last_cost_));
  if (!overview) return;
  const bool anew = reload_events_;
  if (anew) load_events();
  const bool taken =
      server_->update([overview = std::move(*overview), events = events_, anew,
                       history = anew ? history_ : std::string()](web::Board& board) {
        show_overview(board, overview);
        show_events(board, events, anew);
        if (!history.empty()) (void)board.set("history", history);
      });
  if (taken) {
    events_.clear();
  } else {
    reload_events_ = anew;
  }
  if (!history_at_ || now - *history_at_ >= kHistoryInterval) refresh_history();
}

void Dashboard::refresh_history() {
  if (history_runs_) return;
  auto job = sources_.history();
  if (!job) return on_history(std::nullopt);
  history_runs_ = true;
  if (history_thread_.joinable()) history_thread_.join();  // it has posted its last word
  history_thread_ = std::jthread([this, job = std::move(job)](std::stop_token stop) {
    auto made = job(std::move(stop));
    std::optional<std::string> text;
    if (made) text = json::serialize(*made);
    asio::post(io_, [this, text = std::move(text)]() mutable {
      history_runs_ = false;
      on_history(std::move(text));
    });
  });
}

void Dashboard::on_history(std::optional<std::string> text) {
  history_at_ = sources_.now().mono;
  if (text) history_ = std::move(*text);
  for (const auto& deliver : std::exchange(history_waiters_, {})) {
    deliver([known = history_] { return known; });
  }
  if (!server_ || history_.empty()) return;
  const bool taken =
      server_->update([known = history_](web::Board& board) { (void)board.set("history", known); });
  if (!taken) history_at_.reset();  // with the next look
}

}  // namespace timectl
