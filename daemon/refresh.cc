#include "daemon/refresh.h"

#include <exception>
#include <utility>

#include "daemon/core/json.h"
#include "daemon/methods.h"
#include "store/api_table.h"

namespace timectl {
namespace {

constexpr std::size_t kMaxHostBytes = 100;  // of the 128 that a source's name may have

struct ListSummary {
  std::string sha256 = {};
  std::uint64_t added = 0;
  std::uint64_t missing = 0;
};
BOOST_DESCRIBE_STRUCT(ListSummary, (), (sha256, added, missing))

// What goes into the database besides the changes of the whitelist.
struct Stored {
  ListMemory memory = {};
  ListSnapshot snapshot = {};
  std::string body = {};
  Duration keep = {};
  std::optional<store::AuditEntry> held = {};

  Result<void> write(store::AuditScope& scope) const {
    const store::SnapshotWrite write{snapshot, body, keep};
    if (auto saved = store::save_list(scope, memory, &write); !saved) return saved;
    if (!held) return {};
    return scope.record(*held);
  }
};

void note_failure(ListState& state, const FetchFailure& failure, WallTime now) {
  ++state.failures;
  if (!state.failing_since) state.failing_since = now;
  state.failed_step = failure.step;
  state.failed_because = failure.message;
}

void note_success(ListState& state) {
  state.failures = 0;
  state.failing_since.reset();
  state.failed_step.reset();
  state.failed_because.clear();
}

std::string times(std::size_t count, const char* what) {
  return std::to_string(count) + " " + what;
}

// The events of a refresh that begins or ends something, or changes the whitelist.
std::vector<Event> events_of(const control::RefreshReply& reply, const ListState& before,
                             const ListState& after, WallTime now) {
  const auto host = source_name(reply.url);
  std::vector<Event> events;
  const auto say = [&](EventKind kind, Severity severity, std::string detail) {
    events.push_back({.at = now, .kind = kind, .severity = severity, .detail = std::move(detail)});
  };
  if (reply.error) {
    if (before.failing_since && before.failed_step == after.failed_step) return events;
    say(EventKind::list_failed, Severity::warning,
        std::string(name_of(reply.error->step)) + ": " + reply.error->message +
            (before.accepted_at
                 ? "; the list of " + rfc3339(*before.accepted_at) + " stays in force"
                 : "; no list was ever accepted"));
    return events;
  }
  if (before.failing_since) {
    say(EventKind::list_recovered, Severity::notice,
        host + " answers again, after failures since " + rfc3339(*before.failing_since));
  }
  if (reply.held_back && after.held_since && before.held_because != after.held_because) {
    say(EventKind::list_held_back, Severity::error,
        host + ": " + after.held_because + "; see `timectl whitelist pending`");
  }
  if (!reply.held_back && !reply.added.empty()) {
    say(EventKind::list_changed, Severity::notice,
        host + ": " + times(reply.added.size(), "added, ") + times(reply.kept.size(), "kept, ") +
            times(reply.missing.size(), "missing, ") + times(reply.refused.size(), "refused"));
  }
  return events;
}

void fill(control::RefreshReply& reply, const RefreshPlan& plan) {
  reply.added = plan.added;
  reply.kept = plan.kept;
  reply.missing = plan.missing;
  reply.waiting = plan.waiting;
  reply.refused = plan.refused;
  reply.held_back = !plan.held_back.empty();
  reply.held_because = plan.held_back;
}

std::string_view outcome_of(const RefreshPlan& plan) {
  if (plan.was_rejected) return "rejected";
  return plan.held_back.empty() ? "accepted" : "held_back";
}

Conclusion failed(const Services& services, Conclusion conclusion, const FetchFailure& failure,
                  std::string_view code, bool dry_run, Now now) {
  conclusion.reply.error = {failure.step, std::string(code), failure.message, failure.address};
  conclusion.retry_after = failure.retry_after;
  if (dry_run) return conclusion;
  auto& state = conclusion.memory.state;
  note_failure(state, failure, now.wall);
  conclusion.events = events_of(conclusion.reply, services.list->state, state, now.wall);
  conclusion.changes.also = [memory = conclusion.memory](store::AuditScope& scope) {
    return store::save_list(scope, memory, nullptr);
  };
  return conclusion;
}

FetchOutcome fetch_and_parse(const FetchJob& job, std::stop_token stop) {
  auto answer = discovery::fetch(job.request, std::move(stop));
  if (auto* failure = std::get_if<FetchFailure>(&answer)) {
    return std::move(*failure);
  }
  auto& fetched = std::get<discovery::Fetched>(answer);
  if (fetched.not_modified) {
    fetched.body = job.known_body;
    fetched.etag = job.request.etag;
  }
  auto parsed = discovery::parse_peer_list(fetched.body, job.rules);
  if (auto* failure = std::get_if<FetchFailure>(&parsed)) {
    failure->address = fetched.address;
    return std::move(*failure);
  }
  return FetchedAnswer{{.list = std::get<PeerList>(std::move(parsed)),
                        .sha256 = store::body_hash(fetched.body),
                        .host = source_name(job.request.url)},
                       std::move(fetched)};
}

}  // namespace

DiscoveryRules rules_of(const config::Config& config) {
  const auto& discovery = config.discovery;
  return {.approve_new = config.whitelist.api_policy == config::ApiPolicy::approve,
          .max_shrink = discovery.max_shrink,
          .max_growth = discovery.max_growth,
          .max_subnet_growth = discovery.max_subnet_growth,
          .expire_after = config.policy.whitelist.expire_after,
          .interval = discovery.interval,
          .jitter = discovery.jitter};
}

std::string source_name(const std::string& url) {
  constexpr std::string_view kScheme = "https://";
  if (!url.starts_with(kScheme)) return "file";
  const auto rest = std::string_view(url).substr(kScheme.size());
  return printable(rest.substr(0, rest.find_first_of("/?#")), kMaxHostBytes);
}

FetchJob begin_refresh(const Services& services) {
  const auto& config = *services.config;
  const auto& discovery = config.discovery;
  const auto& state = services.list->state;
  FetchJob job;
  job.request = {.url = config.discovery_url(),
                 .ca_file = discovery.ca_file,
                 .timeout = discovery.timeout,
                 .max_bytes = discovery.max_bytes,
                 .max_redirects = discovery.max_redirects,
                 .allow_private = discovery.allow_private,
                 .user_agent = "timectl/" TIMECTL_VERSION};
  job.rules = {.port = config.p2p_port(),
               .allow_private = discovery.allow_private,
               .own_address = services.facts.own_address,
               .max_bytes = discovery.max_bytes,
               .max_entries = discovery.max_entries};
  if (state.etag.empty() || state.url != job.request.url) return job;
  // Without the body a 304 would say nothing: it is asked for again.
  const auto body = store::load_list_body(*services.database, state.sha256);
  if (!body || body->empty()) return job;
  job.known_body = *body;
  job.request.etag = state.etag;
  return job;
}

FetchOutcome run_fetch(const FetchJob& job, std::stop_token stop) {
  try {
    return fetch_and_parse(job, std::move(stop));
  } catch (const std::exception& failure) {  // out of memory: no reason to end the node
    return FetchFailure{FetchStep::size, printable(failure.what()), "", {}};
  }
}

Conclusion conclude(const Services& services, const FetchJob& job, FetchOutcome outcome,
                    const store::AuditOrigin& origin, bool dry_run, Now now) {
  Conclusion conclusion;
  auto& reply = conclusion.reply;
  reply.url = job.request.url;
  reply.dry_run = dry_run;
  reply.accepted_at = services.list->state.accepted_at;
  conclusion.memory = *services.list;
  conclusion.changes.origin = origin;
  conclusion.memory.state.attempted_at = now.wall;
  if (const auto* failure = std::get_if<FetchFailure>(&outcome)) {
    return failed(services, std::move(conclusion), *failure, fetch_step_row(failure->step).code,
                  dry_run, now);
  }
  auto& answered = std::get<FetchedAnswer>(outcome);
  const auto& list = answered.fetched.list;
  reply.not_modified = answered.answer.not_modified;
  reply.address = answered.answer.address;
  reply.took = answered.answer.took;
  reply.notes = answered.answer.notes;
  reply.notes.insert(reply.notes.end(), list.notes.begin(), list.notes.end());
  reply.duplicates = list.duplicates;
  reply.refused = list.refused;
  if (auto empty = outage(list)) {
    empty->address = answered.answer.address;
    return failed(services, std::move(conclusion), *empty, kOutageCode, dry_run, now);
  }
  auto plan = plan_refresh(answered.fetched, *services.whitelist, *services.list,
                           rules_of(*services.config), now.wall);
  fill(reply, plan);
  if (dry_run) return conclusion;
  auto& state = conclusion.memory.state;
  state = plan.state;
  note_success(state);
  state.url = job.request.url;
  state.etag = answered.answer.etag;
  state.fetched_at = now.wall;
  state.attempted_at = now.wall;
  reply.accepted_at = state.accepted_at;
  conclusion.memory.pending = std::move(plan.pending);
  conclusion.events = events_of(reply, services.list->state, state, now.wall);

  Stored record{.memory = conclusion.memory,
                .snapshot = {now.wall, now.wall, state.url, state.sha256, list.ips.size(),
                             reply.refused.size(), std::string(outcome_of(plan))},
                .body = std::move(answered.answer.body),
                .keep = services.config->discovery.keep_snapshots};
  if (reply.held_back && services.list->state.held_because != state.held_because &&
      state.held_since) {
    const ListSummary summary{state.sha256, reply.added.size(), reply.missing.size()};
    record.held = {"list.held_back",
                   answered.fetched.host,
                   {},
                   json::serialize(to_json(summary)),
                   state.held_because,
                   "held_back"};
  }
  conclusion.changes.changes = std::move(plan.changes);
  conclusion.changes.also = [record = std::move(record)](store::AuditScope& scope) {
    return record.write(scope);
  };
  return conclusion;
}

void remember_list(Services& services, ListMemory memory) {
  services.whitelist->set_listed_ourselves(memory.state.accepted_lists_us);
  *services.list = std::move(memory);
}

Result<control::RefreshReply> refresh_now(Services& services, const store::AuditOrigin& origin,
                                          bool dry_run) {
  const auto job = begin_refresh(services);
  auto outcome = run_fetch(job);
  auto conclusion = conclude(services, job, std::move(outcome), origin, dry_run, services.now());
  if (!dry_run) {
    conclusion.changes.stored = [&] { remember_list(services, std::move(conclusion.memory)); };
    ChangeWriter writer(services, std::move(conclusion.changes));
    if (auto done = writer.finish(); !done) return done.error();
  }
  conclusion.reply.whitelisted = services.whitelist->size();
  return std::move(conclusion.reply);
}

}  // namespace timectl
