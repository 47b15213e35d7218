#include "daemon/core/alert_message.h"

#include "daemon/core/events.h"
#include "daemon/core/reflect.h"

namespace timectl {
namespace {

constexpr std::size_t kMaxObject = 64;
constexpr std::size_t kMaxName = 64;

std::string_view word_of(NoticeKind kind) {
  switch (kind) {
    case NoticeKind::fired:
      return "";
    case NoticeKind::resolved:
      return "over: ";
    case NoticeKind::repeated:
      return "still: ";
    case NoticeKind::flapping:
      return "comes and goes: ";
  }
  check_failed("every NoticeKind has a word", __FILE__, __LINE__);
}

}  // namespace

// The time makes it differ where a database was restored and its numbers are used once more.
AlertMessage message_of(const AlertNotice& notice, const NodeIdentity& identity, WallTime at) {
  const auto& alert = notice.alert;
  AlertMessage message;
  message.at = at;
  message.kind = notice.kind;
  message.alert = alert.id;
  message.rule = alert.rule;
  message.object = printable(alert.object, kMaxObject);
  message.severity = alert_rule_row(alert.rule).severity;
  message.text = printable(alert.text, kMaxMessageText);
  message.since = alert.since;
  message.resolved_at = alert.resolved_at;
  message.node = printable(identity.node, kMaxName);
  message.network = printable(identity.network, kMaxName);
  message.key = message.node + "-" + message.network + "-" + std::to_string(alert.id) + "-" +
                std::string(name_of(notice.kind)) + "-" +
                std::to_string(at.time_since_epoch().count());
  return message;
}

AlertMessage message_of(const Alert& alert, const NodeIdentity& identity, WallTime at) {
  return message_of(AlertNotice{NoticeKind::repeated, alert}, identity, at);
}

AlertMessage test_message(const NodeIdentity& identity, WallTime at) {
  Alert alert;
  alert.text = "This is a test of timectl's alerts: nothing is wrong";
  alert.since = at;
  auto message = message_of(AlertNotice{NoticeKind::fired, alert}, identity, at);
  message.severity = Severity::notice;
  message.test = true;
  message.key += "-test";
  return message;
}

std::string sentence_of(NoticeKind kind, const std::string& text) {
  return std::string(word_of(kind)) + text;
}

std::string next_command(const AlertMessage& message) {
  if (message.test) return "timectl alerts";
  const bool peer = alert_rule_row(message.rule).subject == AlertSubject::peer;
  return peer ? "timectl diagnose peer " + message.object
              : "timectl explain " + std::string(name_of(message.rule));
}

std::string runbook_of(AlertRule rule) {
  return "docs/runbooks.md#" + std::string(name_of(rule));
}

}  // namespace timectl
