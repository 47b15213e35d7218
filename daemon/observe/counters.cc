#include "daemon/observe/counters.h"

namespace timectl::observe {
namespace {

PeerRole role_of(bool whitelisted) {
  return whitelisted ? PeerRole::masternode : PeerRole::regular;
}

std::size_t index(PeerRole role) {
  return static_cast<std::size_t>(role);
}

}  // namespace

void Counters::on_event(const Event& event) {
  events_.add(event.kind);
  if (event.kind == EventKind::dial_failed && event.reason) {
    dial_failures_.at(index(role_of(event.whitelisted))).add(*event.reason);
  }
}

void Counters::on_session(const SessionRecord& session) {
  const auto role = role_of(session.whitelisted);
  sessions_ended_.at(index(role)).add(session.end_reason);
  received_.add(role, session.bytes_in);
  sent_.add(role, session.bytes_out);
}

void Counters::on_notice(const AlertNotice& notice) {
  notices_.at(static_cast<std::size_t>(notice.alert.rule)).add(notice.kind);
}

void Counters::on_late(Duration late) {
  if (late > Duration::zero()) late_ += late;
}

const Tally<EndReason>& Counters::sessions_ended(PeerRole role) const {
  return sessions_ended_.at(index(role));
}

const Tally<EndReason>& Counters::dial_failures(PeerRole role) const {
  return dial_failures_.at(index(role));
}

const Tally<NoticeKind>& Counters::notices(AlertRule rule) const {
  return notices_.at(static_cast<std::size_t>(rule));
}

}  // namespace timectl::observe
