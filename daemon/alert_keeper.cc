#include "daemon/alert_keeper.h"

#include <algorithm>
#include <array>

#include "daemon/alert_facts.h"
#include "daemon/clock.h"
#include "daemon/core/reflect.h"
#include "daemon/host_facts.h"
#include "store/alerts_table.h"
#include "store/audit_log.h"
#include "store/peer_history.h"

namespace timectl {
namespace {

constexpr Duration kDay = std::chrono::hours(24);

// Kinds after which the next tick looks, not only the one that is due.
constexpr auto kNews = std::to_array<EventKind>({
    EventKind::config_reloaded,
    EventKind::config_rejected,
    EventKind::whitelist_added,
    EventKind::whitelist_removed,
    EventKind::no_masternode_connected,
    EventKind::masternode_connected_again,
    EventKind::store_degraded,
    EventKind::store_recovered,
    EventKind::observer_sick,
    EventKind::observer_well,
    EventKind::protection_lost,
    EventKind::protection_regained,
    EventKind::list_failed,
    EventKind::list_recovered,
    EventKind::list_held_back,
    EventKind::lag_high,
    EventKind::lag_over,
    EventKind::fork_seen,
    EventKind::fork_resolved,
    EventKind::chain_failed,
    EventKind::chain_recovered,
});

std::string why_of(const Error& error) {
  return error.message + (error.because.empty() ? "" : ": " + error.because);
}

}  // namespace

std::string left_out_text(std::size_t count) {
  return std::to_string(Alerts::kMaxOpen) +
         " alerts are open and there is no room for more: " + std::to_string(count) +
         " conditions are not watched";
}

Result<void> AlertKeeper::open(Now now) {
  // A node that starts has read its configuration and opened its files, or says that it has not.
  slow_.config_rejected = "";
  slow_.chain_failed = "";
  auto stored = store::load_alerts(database_);
  if (!stored) return stored.error();
  alerts_.load(std::move(stored->alerts), std::move(stored->silences), now);
  return {};
}

void AlertKeeper::on_event(const Event& event) {
  if (event.kind == EventKind::config_rejected) slow_.config_rejected = event.detail;
  if (event.kind == EventKind::config_reloaded) slow_.config_rejected = "";
  if (event.kind == EventKind::chain_failed) slow_.chain_failed = event.detail;
  if (event.kind == EventKind::chain_recovered) slow_.chain_failed = "";
  due_ = due_ || std::ranges::find(kNews, event.kind) != kNews.end();
  const bool connection =
      event.kind == EventKind::peer_connected || event.kind == EventKind::peer_disconnected;
  due_ = due_ || (event.whitelisted && connection);
}

void AlertKeeper::look_at_host(const Services& services, Now now) {
  host_at_ = now.mono;
  HostSources sources;
  sources.data_dir = services.facts.data_dir;
  slow_.host = host_facts(sources, now.wall);
  if (services.descriptors_refused)
    slow_.host->descriptors_refused = services.descriptors_refused();
}

void AlertKeeper::ask_database(const Services& services, Now now) {
  asked_at_ = now.mono;
  // What cannot be read is not known; that it cannot is said by the others who read.
  if (auto tail = store::audit_tail_problem(database_)) slow_.audit_broken = std::move(*tail);
  slow_.reachable.reset();
  store::EventFilter filter;
  filter.kind = EventKind::inbound_accepted;
  filter.limit = 1;
  const auto guests = store::list_events(database_, filter);
  if (!guests) return;
  if (!guests->empty() && now.wall - guests->back().at < kDay) {
    slow_.reachable = true;
  } else if (services.node != nullptr && services.node->slots().outbound > 0 &&
             now.mono - services.facts.started >= kDay) {
    slow_.reachable = false;  // a day without one guest, although we are in touch with others
  }
}

// What ends because there is nothing to watch any more did not get well.
void AlertKeeper::find_moot(const Services& services, AlertLook& look) const {
  const auto& sinks = services.config->alerts.sinks;
  for (const auto& alert : alerts_.open()) {
    const bool peer = alert_rule_row(alert.rule).subject == AlertSubject::peer;
    std::string text;
    if (const auto ip = peer ? IpAddress::parse(alert.object) : Error{}) {
      if (services.whitelist->contains(*ip)) continue;
      text = "Peer " + labelled(alert.label, alert.object) + " is no longer whitelisted";
    } else if (alert.rule == AlertRule::no_masternode && services.whitelist->size() == 0) {
      text = "The whitelist is empty: no masternode is expected";
    } else if (alert.rule == AlertRule::sink_failing &&
               std::ranges::find(sinks, alert.object, &config::AlertSink::name) == sinks.end()) {
      text = "The alert sink " + alert.object + " is no longer configured";
    }
    if (!text.empty()) look.moot.insert_or_assign({alert.rule, alert.object}, std::move(text));
  }
}

bool AlertKeeper::rests(Now now) const {
  const auto rest = std::min(kRestFactor * took_, kLongestRest);
  return took_ > kShortLook && now.mono - looked_at_ < rest;
}

Result<void> AlertKeeper::look(const Services& services, Now now) {
  // The transaction of another is open: nothing could be stored, so nothing may be told.
  if (database_.batch_open()) return {};
  if (rests(now) || (!due_ && now.mono - looked_at_ < kInterval)) return {};
  const auto before = clock_now().mono;
  auto done = look_now(services, now);
  took_ = clock_now().mono - before;
  return done;
}

Result<void> AlertKeeper::look_now(const Services& services, Now now) {
  due_ = false;
  looked_at_ = now.mono;
  if (!host_at_ || now.mono - *host_at_ >= kHostInterval) look_at_host(services, now);
  if (!asked_at_ || now.mono - *asked_at_ >= kQueryInterval) ask_database(services, now);
  const auto& failure = gate_.failure();
  slow_.write_failure = failure ? why_of(*failure) : "";
  auto holds = alert_look(alert_facts(services, slow_, kMostEntries, now));
  find_moot(services, holds);
  const bool had_room = alerts_.left_out() == 0;
  alerts_.evaluate(holds, now);
  if (had_room && alerts_.left_out() > 0) said_.push_back(left_out_text(alerts_.left_out()));
  auto news = alerts_.take_notices();
  for (auto& notice : news) {
    // Of before a restart: it is over, so no look has brought the label back.
    const auto ip = IpAddress::parse(notice.alert.object);
    const auto* entry = ip ? services.whitelist->find(*ip) : nullptr;
    if (entry != nullptr && notice.alert.label.empty()) notice.alert.label = entry->label;
    if (outbox_ != nullptr) outbox_->put(message_of(notice, identity_, now.wall), now);
    notices_.push_back(std::move(notice));
  }
  return save(now);
}

Result<void> AlertKeeper::save(Now now) {
  if (!gate_.open(now)) return {};
  const auto unsaved = alerts_.unsaved();
  if (outbox_ == nullptr) {
    auto done = store::save_alerts(database_, unsaved);
    if (done) alerts_.saved();
    return gate_.take(std::move(done), now);
  }
  for (const auto id : unsaved.forgotten) outbox_->forget_alert(id);
  auto done = store::save_alerts(database_, unsaved, outbox_->unsaved());
  if (done) {
    alerts_.saved();
    outbox_->saved();
  }
  return gate_.take(std::move(done), now);
}

Event event_of(const AlertNotice& notice, WallTime at) {
  const auto& alert = notice.alert;
  const bool over = notice.kind == NoticeKind::resolved;
  Event event;
  event.at = at;
  event.kind = over ? EventKind::alert_resolved : EventKind::alert_fired;
  event.severity = over ? Severity::notice : alert_rule_row(alert.rule).severity;
  if (alert_rule_row(alert.rule).subject == AlertSubject::peer) {
    if (const auto ip = IpAddress::parse(alert.object)) event.peer = *ip;
    event.whitelisted = event.peer.has_value();
  }
  event.detail = sentence_of(notice.kind, text_of(notice)) + " [" +
                 std::string(name_of(alert.rule)) + ", alert " + std::to_string(alert.id) + "]";
  return event;
}

}  // namespace timectl
