#pragma once
// AlertMessage: what a sink is to say of one alert at one time, with all that it takes to say it
// without asking the node again. Made from a notice by the keeper, numbered by the outbox
// (outbox.h), stored as JSON, and formed into a body by daemon/sinks. Its key is the same at each
// attempt and differs between messages and nodes, so that a receiver can tell a second delivery
// from a second alert.

#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>
#include <cstdint>
#include <optional>
#include <string>

#include "daemon/core/alerts.h"

namespace timectl {

// Words of the configuration.
enum class SinkKind : std::uint8_t { log, webhook, command, alertmanager, sendmail, heartbeat };
BOOST_DESCRIBE_ENUM(SinkKind, log, webhook, command, alertmanager, sendmail, heartbeat)
enum class SinkTemplate : std::uint8_t { json, slack, discord };  // of a webhook's body
BOOST_DESCRIBE_ENUM(SinkTemplate, json, slack, discord)

// Whose messages they are; the same in all of one node.
struct NodeIdentity {
  std::string node = {};  // the host's name
  std::string network = {};
  friend bool operator==(const NodeIdentity&, const NodeIdentity&) = default;
};

struct AlertMessage {
  std::uint64_t number = 0;  // ascending; the order of delivery. 0: not put yet, or a test
  std::string key = {};
  WallTime at = {};  // when it was told
  NoticeKind kind = NoticeKind::fired;
  std::uint64_t alert = 0;
  AlertRule rule = AlertRule::database_unwritable;
  std::string object = {};
  Severity severity = Severity::warning;
  std::string text = {};
  WallTime since = {};
  std::optional<WallTime> resolved_at = {};
  std::string node = {};
  std::string network = {};
  bool test = false;  // of `timectl alerts test`: nothing is wrong
};
BOOST_DESCRIBE_STRUCT(AlertMessage, (),
                      (number, key, at, kind, alert, rule, object, severity, text, since,
                       resolved_at, node, network, test))

inline constexpr std::size_t kMaxMessageText = 1000;  // bytes; as the alert's own on disk

[[nodiscard]] AlertMessage message_of(const AlertNotice& notice, const NodeIdentity& identity,
                                      WallTime at);
// The alert as it stands, for receivers that want to hear of it again and again.
[[nodiscard]] AlertMessage message_of(const Alert& alert, const NodeIdentity& identity,
                                      WallTime at);
[[nodiscard]] AlertMessage test_message(const NodeIdentity& identity, WallTime at);

// "Whitelisted peer 1.2.3.4 is not connected", with "over: ", "still: " or "comes and goes: ".
[[nodiscard]] std::string sentence_of(NoticeKind kind, const std::string& text);
// The command that tells more: `timectl diagnose peer IP`, `timectl explain RULE`.
[[nodiscard]] std::string next_command(const AlertMessage& message);
[[nodiscard]] std::string runbook_of(AlertRule rule);  // "docs/runbooks.md#RULE"

}  // namespace timectl
