#include "daemon/core/alerts.h"

#include <algorithm>
#include <ranges>
#include <set>

namespace timectl {
namespace {

// How long ago that was by the monotonic clock: at most `most`, and not in the future, because the
// wall clock may have been set meanwhile.
Instant instant_of(WallTime at, Duration most, Now now) {
  const auto age = std::chrono::duration_cast<Duration>(now.wall - at);
  return now.mono - std::clamp(age, Duration{0}, most);
}

std::string moot_of(const AlertLook& look, const std::pair<AlertRule, std::string>& key) {
  if (look.disabled.contains(key.first)) return "No longer watched: alerts.disabled_rules has it";
  const auto found = look.moot.find(key);
  return found == look.moot.end() ? "" : found->second;
}

}  // namespace

std::vector<AlertCondition> without_consequences(std::vector<AlertCondition> all) {
  AlertRules whole;  // about the node
  std::set<std::pair<AlertRule, std::string>> single;
  for (const auto& condition : all) {
    if (condition.object.empty()) {
      whole.insert(condition.rule);
    } else {
      single.emplace(condition.rule, condition.object);
    }
  }
  std::erase_if(all, [&](const auto& condition) {
    const auto behind = alert_rule_row(condition.rule).behind;
    return std::ranges::any_of(alert_rule_table(), [&](const auto& cause) {
      return behind.contains(cause.rule) &&
             (whole.contains(cause.rule) || single.contains({cause.rule, condition.object}));
    });
  });
  return all;
}

void Alerts::load(std::vector<Alert> alerts, std::vector<AlertSilence> silences, Now now) {
  for (auto& alert : alerts) {
    next_id_ = std::max(next_id_, alert.id + 1);
    const Key key{alert.rule, alert.object};
    if (alert.flap_since) {
      auto& flap = flaps_[key];
      if (alert.firings >= flap.firings) flap = {*alert.flap_since, alert.firings};
    }
    if (alert.state != AlertState::firing) {
      keep_resolved(std::move(alert));
      continue;
    }
    const auto& row = alert_rule_row(alert.rule);
    Entry entry;
    entry.since = instant_of(alert.told_at.value_or(alert.since), row.repeat, now);
    if (alert.cleared_at) {
      entry.clear = instant_of(*alert.cleared_at, std::max(row.clear, kFlapClear), now);
    }
    entry.holds = !alert.cleared_at;
    entry.alert = std::move(alert);
    open_.insert_or_assign(key, std::move(entry));
  }
  for (const auto& silence : silences) put_silence(silence);
}

void Alerts::take(const AlertCondition& condition, Now now) {
  const Key key{condition.rule, condition.object};
  auto it = open_.find(key);
  if (it == open_.end()) {
    const auto& row = alert_rule_row(condition.rule);
    if (row.subject == AlertSubject::peer && open_.size() >= kMaxOpen) {
      ++left_out_;
      return;
    }
    Entry entry;
    entry.alert.rule = condition.rule;
    entry.alert.object = condition.object;
    entry.alert.since = std::min(condition.since.value_or(now.wall), now.wall);
    entry.held = now.mono - instant_of(entry.alert.since, row.hold, now);
    entry.since = now.mono;
    it = open_.emplace(key, std::move(entry)).first;
  }
  it->second.holds = true;
  it->second.alert.text = condition.text;
  it->second.alert.label = condition.label;
}

void Alerts::evaluate(const AlertLook& look, Now now) {
  left_out_ = 0;
  for (auto& [key, entry] : open_) {
    if (entry.alert.state == AlertState::pending) count(entry, now);
    // What cannot be known now stays as it is; what is pending counts as gone.
    const bool kept = !look.known.contains(key.first) && entry.alert.state == AlertState::firing;
    if (!kept || !moot_of(look, key).empty()) entry.holds = false;
  }
  // What is about the node first: the peers may take all the room that there is.
  for (const bool peers : {false, true}) {
    for (const auto& condition : look.holding) {
      const bool peer = alert_rule_row(condition.rule).subject == AlertSubject::peer;
      if (peer == peers && !look.disabled.contains(condition.rule)) take(condition, now);
    }
  }
  // By rule, so that causes are decided before what follows from them.
  Causes causes;
  std::optional<AlertRule> rule;
  for (auto it = open_.begin(); it != open_.end();) {
    auto& [key, entry] = *it;
    if (rule != key.first) causes = causes_of(key.first);
    rule = key.first;
    const bool known = look.known.contains(key.first);
    const auto moot = moot_of(look, key);
    const bool stays = entry.alert.state == AlertState::pending
                           ? step_pending(entry, causes, known && moot.empty(), now)
                           : step_firing(entry, known, moot, now);
    it = stays ? std::next(it) : open_.erase(it);
  }
  forget_flaps(now.wall);
}

// The time since it was last counted: held, or gone.
void Alerts::count(Entry& entry, Now now) {
  const auto passed = std::max(now.mono - entry.since, Duration{0});
  entry.since = now.mono;
  if (entry.holds) {
    entry.held += passed;
    return;
  }
  // Of the whole hold time nothing is left after `clear`.
  const auto& row = alert_rule_row(entry.alert.rule);
  const double share = std::min(seconds(passed) / std::max(seconds(row.clear), 1.0), 1.0);
  const double lost = share * static_cast<double>(row.hold.count());
  entry.held = std::min(entry.held, row.hold) - Duration(static_cast<Duration::rep>(lost));
}

bool Alerts::step_pending(Entry& entry, const Causes& causes, bool known, Now now) {
  const auto& row = alert_rule_row(entry.alert.rule);
  // Once its cause is gone it has the whole hold time to come back.
  if (!causes.none() && hiding(causes, entry.alert.object) != nullptr) entry.held = {};
  if (!entry.holds) return known && row.clear > Duration{0} && entry.held > Duration{0};
  // A cause that is about to fire is told in its place.
  if (entry.held >= row.hold + causes.wait) fire(entry, now);
  return true;
}

Alerts::Causes Alerts::causes_of(AlertRule rule) const {
  Causes causes;
  const auto behind = alert_rule_row(rule).behind;
  if (behind.empty()) return causes;
  for (const auto& row : alert_rule_table()) {
    if (!behind.contains(row.rule)) continue;
    const auto at = open_.lower_bound({row.rule, ""});
    if (at == open_.end() || at->first.first != row.rule) continue;
    if (row.subject != AlertSubject::node) causes.single.push_back(row.rule);
    const auto& alert = at->second.alert;
    if (!alert.object.empty()) continue;
    if (alert.state == AlertState::pending) {
      causes.wait = std::max(causes.wait, row.hold);
    } else if (causes.firing == nullptr) {
      causes.firing = &alert;
    }
  }
  return causes;
}

const Alert* Alerts::hiding(const Causes& causes, const std::string& object) const {
  if (causes.firing != nullptr) return causes.firing;
  for (const auto rule : causes.single) {
    const auto* same = object.empty() ? nullptr : find(rule, object);
    if (same != nullptr && same->state == AlertState::firing) return same;
  }
  return nullptr;
}

bool Alerts::step_firing(Entry& entry, bool known, const std::string& moot, Now now) {
  auto& alert = entry.alert;
  if (entry.holds) {
    if (alert.cleared_at) {
      alert.cleared_at.reset();
      dirty_.insert_or_assign(alert.id, alert);
    }
    remind(entry, now);
    return true;
  }
  if (!known && moot.empty()) return true;
  if (!alert.cleared_at) {
    alert.cleared_at = now.wall;
    entry.clear = now.mono;
    dirty_.insert_or_assign(alert.id, alert);
  }
  const auto& row = alert_rule_row(alert.rule);
  const Duration clear = alert.flapping ? std::max(row.clear, kFlapClear) : row.clear;
  if (moot.empty() && now.mono - entry.clear < clear) return true;
  resolve(entry, moot, now);
  return false;
}

void Alerts::fire(Entry& entry, Now now) {
  auto& alert = entry.alert;
  auto& flap = flaps_[{alert.rule, alert.object}];
  const auto age = now.wall - flap.since;
  if (flap.firings == 0 || age >= kFlapWindow || age < Duration{0}) flap = {now.wall, 0};
  ++flap.firings;
  alert.id = next_id_++;
  alert.state = AlertState::firing;
  alert.fired_at = now.wall;
  alert.firings = flap.firings;
  alert.flap_since = flap.since;
  alert.flapping = flap.firings >= kFlapFirings;
  dirty_.insert_or_assign(alert.id, alert);
  remind(entry, now);
}

// Tells it where nobody was told yet, and again when it is time.
void Alerts::remind(Entry& entry, Now now) {
  const auto& alert = entry.alert;
  if (silence_of(alert.rule, alert.object, now.wall) != nullptr) return;
  if (!alert.told_at) {
    return tell(alert.flapping ? NoticeKind::flapping : NoticeKind::fired, entry, now);
  }
  const auto& row = alert_rule_row(alert.rule);
  if (row.repeat == Duration{0} || alert.acked_at || now.mono - entry.since < row.repeat) return;
  if (cause_of(alert.rule, alert.object) != nullptr) return;
  tell(NoticeKind::repeated, entry, now);
}

// The end of what was told is told, silenced or not: it closes what the receiver holds open.
void Alerts::resolve(Entry& entry, const std::string& moot, Now now) {
  entry.alert.state = AlertState::resolved;
  entry.alert.resolved_at = now.wall;
  if (entry.alert.told_at) tell(NoticeKind::resolved, entry, now, moot);
  dirty_.insert_or_assign(entry.alert.id, entry.alert);
  keep_resolved(std::move(entry.alert));
}

void Alerts::tell(NoticeKind kind, Entry& entry, Now now, std::string moot) {
  entry.alert.told_at = now.wall;
  entry.since = now.mono;
  dirty_.insert_or_assign(entry.alert.id, entry.alert);
  notices_.push_back({kind, entry.alert, std::move(moot)});
}

void Alerts::keep_resolved(Alert alert) {
  const auto id = alert.id;
  resolved_.insert_or_assign(id, std::move(alert));
  while (resolved_.size() > kMaxResolved) {
    const auto oldest = resolved_.begin()->first;
    resolved_.erase(resolved_.begin());
    dirty_.erase(oldest);
    forgotten_.push_back(oldest);
  }
}

void Alerts::forget_flaps(WallTime now) {
  std::erase_if(flaps_, [&](const auto& flap) {
    return now - flap.second.since >= kFlapWindow && !open_.contains(flap.first);
  });
}

Alerts::Unsaved Alerts::unsaved() const {
  Unsaved out;
  for (const auto& [id, alert] : dirty_) out.alerts.push_back(alert);
  out.forgotten = forgotten_;
  return out;
}

Result<Alert> Alerts::plan_acknowledge(std::uint64_t id, const std::string& by, WallTime at) const {
  for (const auto& [key, entry] : open_) {
    if (id == 0 || entry.alert.id != id) continue;
    Alert planned = entry.alert;
    if (planned.acked_at) return planned;  // the first word stands
    planned.acked_by = by;
    planned.acked_at = at;
    return planned;
  }
  if (resolved_.contains(id)) {
    return Error{Code::invalid_argument,
                 "alert " + std::to_string(id) + " is resolved already",
                 "only what is open is acknowledged",
                 {"timectl alerts"}};
  }
  return Error{Code::not_found, "there is no alert " + std::to_string(id), "", {"timectl alerts"}};
}

void Alerts::put_acknowledged(const Alert& planned) {
  const auto it = open_.find({planned.rule, planned.object});
  if (it == open_.end() || it->second.alert.id != planned.id) return;
  it->second.alert.acked_by = planned.acked_by;
  it->second.alert.acked_at = planned.acked_at;
  // What still waits to be stored must not take it back.
  if (const auto dirty = dirty_.find(planned.id); dirty != dirty_.end()) {
    dirty->second = it->second.alert;
  }
}

Result<void> Alerts::check_silence(const AlertSilence& silence) const {
  if (silence.until <= silence.from) {
    return Error{Code::invalid_argument, "the silence ends before it begins"};
  }
  const auto in_force = std::ranges::count_if(
      silences_, [&](const auto& other) { return other.second.until > silence.from; });
  if (static_cast<std::size_t>(in_force) < kMaxSilences ||
      silences_.contains({silence.rule, silence.object})) {
    return {};
  }
  return Error{Code::invalid_argument,
               "there are " + std::to_string(kMaxSilences) + " silences already",
               "silence the rule as a whole instead",
               {"timectl alerts silence RULE --for 2h --reason TEXT"}};
}

void Alerts::put_silence(const AlertSilence& silence) {
  std::erase_if(silences_, [&](const auto& old) { return old.second.until <= silence.from; });
  silences_.insert_or_assign({silence.rule, silence.object}, silence);
}

std::vector<Alert> Alerts::open() const {
  std::vector<Alert> all;
  for (const auto& [key, entry] : open_) all.push_back(entry.alert);
  return all;
}

std::vector<Alert> Alerts::resolved() const {
  std::vector<Alert> all;
  for (const auto& [id, alert] : resolved_ | std::views::reverse) all.push_back(alert);
  return all;
}

const Alert* Alerts::find(AlertRule rule, const std::string& object) const {
  const auto it = open_.find({rule, object});
  return it == open_.end() ? nullptr : &it->second.alert;
}

const AlertSilence* Alerts::silence_of(AlertRule rule, const std::string& object,
                                       WallTime at) const {
  for (const auto& key : {SilenceKey{rule, object}, SilenceKey{rule, std::nullopt}}) {
    const auto it = silences_.find(key);
    if (it == silences_.end()) continue;
    // Not `from`: a clock that is set back must not end it.
    if (at < it->second.until) return &it->second;
  }
  return nullptr;
}

const Alert* Alerts::cause_of(AlertRule rule, const std::string& object) const {
  return hiding(causes_of(rule), object);
}

std::vector<AlertSilence> Alerts::silences() const {
  std::vector<AlertSilence> all;
  for (const auto& [key, silence] : silences_) all.push_back(silence);
  return all;
}

}  // namespace timectl
