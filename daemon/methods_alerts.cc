// alerts.*: what the engine holds. Of a node it is asked in memory; without one what was stored is
// shown, and changed, by an engine that is loaded for the call and never evaluates.

#include <algorithm>

#include "daemon/alert_keeper.h"
#include "daemon/control/alerts_api.h"
#include "daemon/methods_table.h"
#include "daemon/sink_targets.h"
#include "store/alerts_table.h"
#include "store/outbox_table.h"

namespace timectl {
namespace {

constexpr std::size_t kMostAcks = 1000;                            // of one call
constexpr Duration kLongestSilence = std::chrono::hours(24 * 30);  // longer: disable the rule

// The node's engine, or one of the call.
class Engine {
 public:
  [[nodiscard]] static Result<Engine> of(const Call& call) {
    Engine engine;
    if (call.services.alerts != nullptr) {
      engine.alerts_ = &call.services.alerts->alerts();
      engine.outbox_ = call.services.alerts->outbox();
      return engine;
    }
    auto stored = store::load_alerts(*call.services.database);
    if (!stored) return stored.error();
    engine.own_ = std::make_unique<Alerts>();
    engine.own_->load(std::move(stored->alerts), std::move(stored->silences), call.now);
    engine.alerts_ = engine.own_.get();
    auto waiting = store::load_outbox(*call.services.database);
    if (!waiting) return waiting.error();
    engine.own_outbox_ = std::make_unique<Outbox>(0);
    engine.own_outbox_->load(std::move(*waiting));
    std::vector<SinkChoice> choices;
    for (const auto& sink : call.services.config->alerts.sinks) choices.push_back(choice_of(sink));
    engine.own_outbox_->set_sinks(std::move(choices), call.now);
    engine.outbox_ = engine.own_outbox_.get();
    return engine;
  }
  Alerts* operator->() const { return alerts_; }
  [[nodiscard]] std::vector<control::AlertDelivery> deliveries_of(std::uint64_t alert) const {
    std::vector<control::AlertDelivery> rows;
    if (outbox_ == nullptr) return rows;
    for (auto& found : outbox_->deliveries_of(alert)) {
      rows.push_back(
          {std::move(found.sink), found.state, found.at, found.attempts, std::move(found.error)});
    }
    return rows;
  }

 private:
  std::unique_ptr<Outbox> own_outbox_;
  const Outbox* outbox_ = nullptr;
  std::unique_ptr<Alerts> own_;
  Alerts* alerts_ = nullptr;
};

control::AlertRow row_of(const Alert& alert, const Engine& engine, WallTime now) {
  control::AlertRow row;
  if (alert.id != 0) row.id = alert.id;
  row.rule = alert.rule;
  row.object = alert.object;
  row.severity = alert_rule_row(alert.rule).severity;
  row.state = alert.state;
  row.text = alert.text;
  row.since = alert.since;
  row.fired_at = alert.fired_at;
  if (alert.state == AlertState::firing) row.cleared_at = alert.cleared_at;
  row.resolved_at = alert.resolved_at;
  row.flapping = alert.flapping;
  if (alert.acked_at) row.acked_by = alert.acked_by;
  row.acked_at = alert.acked_at;
  row.deliveries = engine.deliveries_of(alert.id);
  if (alert.state == AlertState::resolved) return row;
  if (const auto* silence = engine->silence_of(alert.rule, alert.object, now)) {
    row.silenced_until = silence->until;
    row.silenced_by = silence->by;
    row.silenced_because = silence->why;
  }
  if (const auto* cause = engine->cause_of(alert.rule, alert.object)) row.hidden_by = cause->rule;
  return row;
}

// The gravest first, what is not said yet last; of one rule in the order of the addresses.
std::vector<const Alert*> open_in_order(const Engine& engine) {
  struct Place {
    const Alert* alert;
    std::optional<IpAddress> ip;
  };
  std::vector<Place> open;
  engine->each_open([&](const Alert& alert) {
    const auto ip = IpAddress::parse(alert.object);
    open.push_back({&alert, ip ? std::optional(*ip) : std::nullopt});
  });
  std::ranges::stable_sort(open, {}, [](const Place& place) {
    const auto& alert = *place.alert;
    return std::tuple(alert.state == AlertState::pending, alert_rule_row(alert.rule).severity,
                      alert.rule, place.ip, alert.object.size());
  });
  std::vector<const Alert*> out;
  out.reserve(open.size());
  for (const auto& place : open) out.push_back(place.alert);
  return out;
}

std::uint64_t& figure_of(control::AlertCounts& counts, Severity severity) {
  switch (severity) {
    case Severity::critical:
      return counts.critical;
    case Severity::error:
      return counts.error;
    case Severity::warning:
      return counts.warning;
    case Severity::notice:
    case Severity::info:
      break;
  }
  return counts.notice;
}

void count(OpenAlerts& out, const Alert& alert, const Engine& engine, WallTime now) {
  const bool silenced = engine->silence_of(alert.rule, alert.object, now) != nullptr;
  const bool fires = alert.state == AlertState::firing;
  auto of_rule = std::ranges::find(out.by_rule, alert.rule, &control::AlertRuleCounts::rule);
  if (of_rule == out.by_rule.end()) {
    of_rule = out.by_rule.insert(of_rule, control::AlertRuleCounts{.rule = alert.rule});
  }
  ++(fires ? of_rule->firing : of_rule->pending);
  if (fires && silenced) ++of_rule->silenced;
  if (engine->cause_of(alert.rule, alert.object) != nullptr) {
    ++out.counts.hidden;
  } else if (silenced) {
    ++out.counts.silenced;
  } else {
    ++(fires ? figure_of(out.counts, alert_rule_row(alert.rule).severity) : out.counts.pending);
  }
}

Error no_such_rule(const std::string& word) {
  return {Code::not_found,
          "there is no alert rule " + printable(word, 64),
          "",
          {"timectl alerts rules"}};
}

Result<void> check_reason(const std::string& reason) {
  if (!reason.empty() && printable(reason, store::kMaxSilenceReasonBytes) == reason) return {};
  return Error{
      Code::invalid_argument,
      reason.empty() ? "a silence needs a reason" : "the reason is not one line of printable text",
      "whoever wonders why nothing was said reads it: at most 500 bytes",
      {"timectl alerts silence RULE --for 2h --reason TEXT"}};
}

Error nothing_there(std::string message, const std::string& because) {
  return {Code::invalid_argument,
          std::move(message),
          because,
          {"timectl alerts list", "the same with --yes, for one that is still to come"}};
}

// Of which object of the rule; none: of the rule as a whole. A slip of the finger here would leave
// the real one loud.
Result<std::optional<std::string>> silenced_object(const Call& call, AlertRule rule,
                                                   const control::AlertSilenceRequest& request) {
  const auto& name = request.peer.empty() ? request.object : request.peer;
  if (name.empty()) return std::optional<std::string>();
  if (!request.peer.empty() && !request.object.empty()) {
    return Error{Code::invalid_argument, "--peer and --object name the same thing: give one"};
  }
  const auto subject = alert_rule_row(rule).subject;
  if (subject == AlertSubject::peer) {
    const auto ip = resolve_peer(call, name);
    if (!ip) return ip.error();
    if (!request.unknown && call.services.whitelist->find(*ip) == nullptr) {
      return nothing_there(ip->to_string() + " is not whitelisted",
                           "no alert is about such an address");
    }
    return std::optional(ip->to_string());
  }
  if (!request.peer.empty() || (subject == AlertSubject::node && rule != AlertRule::sink_failing)) {
    return Error{Code::invalid_argument,
                 "the rule " + request.rule + " is not about single " +
                     (request.peer.empty() ? "objects" : "peers"),
                 "silence it as a whole"};
  }
  const auto& sinks = call.services.config->alerts.sinks;
  const bool is_sink = std::ranges::find(sinks, name, &config::AlertSink::name) != sinks.end();
  if (rule == AlertRule::sink_failing && !is_sink && !request.unknown) {
    return nothing_there("there is no alert sink " + printable(name, 64),
                         "no alert is about such a name");
  }
  if (printable(name, store::kMaxAlertObjectBytes) != name) {
    return Error{Code::invalid_argument, "the object is not one short line of printable text"};
  }
  return std::optional(name);
}

}  // namespace

Result<OpenAlerts> open_alerts(const Call& call, std::size_t most) {
  const auto engine = Engine::of(call);
  if (!engine) return engine.error();
  OpenAlerts out;
  for (const auto* alert : open_in_order(*engine)) {
    count(out, *alert, *engine, call.now.wall);
    if (out.rows.size() < most) {
      out.rows.push_back(row_of(*alert, *engine, call.now.wall));
    } else {
      ++out.left_out;
    }
  }
  return out;
}

control::Reply alerts_list(const Call& call) {
  const auto request = read_params<control::AlertsListRequest>(call);
  if (!request) return {request.error()};
  const auto limit = checked_limit(request->limit, kMaxRows);
  if (!limit) return {limit.error()};
  const auto engine = Engine::of(call);
  if (!engine) return {engine.error()};
  std::vector<control::AlertRow> rows;
  for (const auto* alert : open_in_order(*engine)) {
    rows.push_back(row_of(*alert, *engine, call.now.wall));
  }
  if (request->all) {
    for (const auto& alert : (*engine)->resolved()) {
      rows.push_back(row_of(alert, *engine, call.now.wall));
    }
  }
  if (rows.size() > *limit) rows.resize(*limit);
  return {to_json(rows)};
}

control::Reply alerts_ack(const Call& call) {
  const auto request = read_params<control::AlertAckRequest>(call);
  if (!request) return {request.error()};
  const auto engine = Engine::of(call);
  if (!engine) return {engine.error()};
  const bool several = !request->ids.empty();
  if (request->ids.size() > kMostAcks) {
    return {Error{Code::invalid_argument, "1000 alerts at once are the most"}};
  }
  auto ids = several ? request->ids : std::vector<std::uint64_t>{request->id};
  std::ranges::sort(ids);
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  std::vector<control::AlertAckReply> replies;
  std::vector<Alert> fresh;
  for (const auto id : ids) {
    auto planned = (*engine)->plan_acknowledge(id, call.actor.user, call.now.wall);
    if (!planned) return {planned.error()};
    // The first word stands.
    const bool before = (*engine)->find(planned->rule, planned->object)->acked_at.has_value();
    replies.push_back({planned->id, before ? "unchanged" : "acknowledged", planned->rule,
                       planned->object, planned->acked_by, planned->acked_at});
    if (!before) fresh.push_back(std::move(*planned));
  }
  if (!fresh.empty()) {
    auto done = store::acknowledge(*call.services.database, origin_of(call), fresh);
    if (!done) return {done.error()};
  }
  for (const auto& alert : fresh) (*engine)->put_acknowledged(alert);
  return {several ? to_json(replies) : to_json(replies.front())};
}

control::Reply alerts_silence(const Call& call) {
  const auto request = read_params<control::AlertSilenceRequest>(call);
  if (!request) return {request.error()};
  const auto rule = value_of<AlertRule>(request->rule);
  if (!rule) return {no_such_rule(request->rule)};
  if (auto ok = check_reason(request->reason); !ok) return {ok.error()};
  if (!request->lasts || *request->lasts > kLongestSilence) {
    return {Error{Code::invalid_argument,
                  request->lasts ? "a silence lasts 30 days at most" : "a silence needs an end",
                  "a rule that is not wanted at all goes into alerts.disabled_rules",
                  {"timectl alerts silence " + request->rule + " --for 2h --reason TEXT"}}};
  }
  AlertSilence silence{
      .rule = *rule,
      .by = call.actor.user,
      .why = request->reason,
      .from = call.now.wall,
      .until =
          call.now.wall + std::chrono::duration_cast<std::chrono::milliseconds>(*request->lasts)};
  auto object = silenced_object(call, *rule, *request);
  if (!object) return {object.error()};
  silence.object = std::move(*object);
  const auto engine = Engine::of(call);
  if (!engine) return {engine.error()};
  if (auto ok = (*engine)->check_silence(silence); !ok) return {ok.error()};
  auto done = store::silence(*call.services.database, origin_of(call), silence);
  if (!done) return {done.error()};
  (*engine)->put_silence(silence);
  return {to_json(silence)};
}

control::Reply alerts_rules(const Call& call) {
  const auto engine = Engine::of(call);
  if (!engine) return {engine.error()};
  const auto disabled = disabled_rules(*call.services.config);
  std::vector<control::AlertRuleInfo> rules;
  for (const auto& row : alert_rule_table()) {
    control::AlertRuleInfo info{.rule = row.rule,
                                .severity = row.severity,
                                .subject = row.subject,
                                .hold = row.hold,
                                .clear = row.clear,
                                .enabled = !disabled.contains(row.rule),
                                .meaning = std::string(row.meaning),
                                .remedy = std::string(row.remedy)};
    if (row.repeat > Duration{0}) info.repeat = row.repeat;
    for (const auto& cause : alert_rule_table()) {
      if (row.behind.contains(cause.rule)) info.behind.push_back(cause.rule);
    }
    for (auto& silence : (*engine)->silences()) {
      const bool in_force = silence.until > call.now.wall;
      if (silence.rule == row.rule && in_force) info.silences.push_back(std::move(silence));
    }
    rules.push_back(std::move(info));
  }
  return {to_json(rules)};
}

}  // namespace timectl
