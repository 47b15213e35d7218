#include "daemon/daemon_refresher.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <system_error>
#include <utility>

#include "daemon/core/json.h"

namespace timectl {
namespace {

namespace asio = boost::asio;

constexpr Duration kRetryStore = std::chrono::minutes(1);

store::AuditOrigin own_origin(Now now) {
  return {.at = now.wall, .actor = std::string(store::kActorApi), .via = "node"};
}

}  // namespace

Refresher::Refresher(asio::io_context& io, Services& services, std::uint64_t seed)
    : io_(io), services_(services), random_(seed), timer_(io) {}

Refresher::~Refresher() {
  thread_.request_stop();
}

void Refresher::start() {
  if (!services_.config->discovery.enabled) return;
  plan_next(first_refresh_after(services_.list->state, services_.now().wall));
}

void Refresher::config_changed() {
  timer_.cancel();
  start();
}

void Refresher::plan_next(Duration wait) {
  if (stopped_ || !services_.config->discovery.enabled) return;
  timer_.expires_after(wait);
  timer_.async_wait([this](const boost::system::error_code& failed) {
    if (failed || stopped_) return;
    waiting_.push_back({false, own_origin(services_.now()), [](const auto&) {}});
    begin();
  });
}

void Refresher::ask(bool dry_run, store::AuditOrigin origin, control::Answer done) {
  if (stopped_) return done(Error{Code::interrupted, "the node is stopping"});
  waiting_.push_back({dry_run, std::move(origin), std::move(done)});
  begin();
}

void Refresher::begin() {
  if (busy_ || stopped_ || waiting_.empty()) return;
  served_ = std::exchange(waiting_, {});
  // Whoever asks, the next regular turn counts from here.
  if (!std::ranges::all_of(served_, &Asked::dry_run)) timer_.cancel();
  services_.settle();
  auto job = begin_refresh(services_);
  busy_ = true;
  try {
    thread_ = std::jthread([this, job](std::stop_token stop) {
      auto outcome = run_fetch(job, std::move(stop));
      asio::post(io_, [this, job, outcome = std::move(outcome)] { fetched(job, outcome); });
    });
  } catch (const std::system_error& failure) {  // no thread is to be had
    const FetchFailure failed{
        FetchStep::connect, std::string("no thread: ") + failure.what(), "", {}};
    asio::post(io_, [this, job, failed] { fetched(job, failed); });
  }
}

void Refresher::fetched(const FetchJob& job, const FetchOutcome& outcome) {
  if (stopped_) return;  // those who waited were told
  services_.settle();
  std::vector<Asked> real;
  for (auto& asked : std::exchange(served_, {})) {
    if (!asked.dry_run) {
      real.push_back(std::move(asked));
      continue;
    }
    auto looked = conclude(services_, job, outcome, asked.origin, true, services_.now());
    looked.reply.whitelisted = services_.whitelist->size();
    asked.done(to_json(looked.reply));
  }
  if (real.empty()) return over({});
  take(job, outcome, std::move(real));
}

// One change for all who asked, on behalf of the operator who asked first.
void Refresher::take(const FetchJob& job, const FetchOutcome& outcome, std::vector<Asked> real) {
  const auto now = services_.now();
  auto by =
      std::ranges::find_if(real, [](const Asked& asked) { return asked.origin.uid.has_value(); });
  auto origin = by != real.end() ? by->origin : real.front().origin;
  origin.at = now.wall;
  auto conclusion =
      std::make_shared<Conclusion>(conclude(services_, job, outcome, origin, false, now));
  retry_after_ = conclusion->retry_after;
  auto changes = std::move(conclusion->changes);
  changes.stored = [this, conclusion] {
    remember_list(services_, conclusion->memory);
    for (auto& event : conclusion->events) services_.record(event);
  };
  services_.apply(std::move(changes), [this, conclusion,
                                       real = std::move(real)](const Result<json::value>& stored) {
    conclusion->reply.whitelisted = services_.whitelist->size();
    for (const auto& asked : real) {
      asked.done(stored ? Result<json::value>(to_json(conclusion->reply)) : stored.error());
    }
    // What a full disk refused is tried again soon; the recorder says that it is full.
    over(stored ? next_refresh_after(services_.list->state, rules_of(*services_.config),
                                     retry_after_, random_)
                : kRetryStore);
  });
}

void Refresher::over(std::optional<Duration> next) {
  busy_ = false;
  if (next) plan_next(*next);
  begin();
}

void Refresher::stop() {
  if (std::exchange(stopped_, true)) return;
  timer_.cancel();
  thread_.request_stop();
  for (auto* asking : {&waiting_, &served_}) {
    for (const auto& asked : std::exchange(*asking, {})) {
      asked.done(Error{Code::interrupted, "the node is stopping"});
    }
  }
}

}  // namespace timectl
