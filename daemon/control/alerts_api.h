#pragma once
// Requests and replies of the methods about alerts, as those of api.h; keys are those of cli.md.

#include <boost/describe/class.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "daemon/core/outbox.h"
#include "daemon/core/vocabulary.h"

namespace timectl::control {

// alerts.list (read): array of AlertRow, open ones first, the gravest first, then resolved ones.
struct AlertsListRequest {
  bool all = false;  // resolved ones, too
  std::uint64_t limit = 1000;
};
BOOST_DESCRIBE_STRUCT(AlertsListRequest, (), (all, limit))
struct AlertDelivery {  // of the last message about it to one sink
  std::string sink = {};
  DeliveryState state = DeliveryState::waiting;
  std::optional<WallTime> at = {};  // delivered or given up; waiting: since
  std::uint64_t attempts = 0;
  std::string error = {};  // of the last attempt that failed
};
BOOST_DESCRIBE_STRUCT(AlertDelivery, (), (sink, state, at, attempts, error))
struct AlertRow {
  std::optional<std::uint64_t> id = {};  // null: pending, not said yet
  AlertRule rule = AlertRule::database_unwritable;
  std::string object = {};  // an address or a height; empty: the node
  Severity severity = Severity::notice;
  AlertState state = AlertState::pending;
  std::string text = {};
  WallTime since = {};
  std::optional<WallTime> fired_at = {};
  std::optional<WallTime> cleared_at = {};  // firing: it holds no more, its end is not said yet
  std::optional<WallTime> resolved_at = {};
  bool flapping = false;
  std::optional<std::string> acked_by = {};
  std::optional<WallTime> acked_at = {};
  std::optional<WallTime> silenced_until = {};
  std::optional<std::string> silenced_by = {};
  std::optional<std::string> silenced_because = {};
  std::optional<AlertRule> hidden_by = {};  // follows from an open alert of that rule
  std::vector<AlertDelivery> deliveries = {};
};
BOOST_DESCRIBE_STRUCT(AlertRow, (),
                      (id, rule, object, severity, state, text, since, fired_at, cleared_at,
                       resolved_at, flapping, acked_by, acked_at, silenced_until, silenced_by,
                       silenced_because, hidden_by, deliveries))

// alerts.ack (operate): of `id` an AlertAckReply, of `ids` an array of them, all or none.
struct AlertAckRequest {
  std::uint64_t id = 0;
  std::vector<std::uint64_t> ids = {};
};
BOOST_DESCRIBE_STRUCT(AlertAckRequest, (), (id, ids))
struct AlertAckReply {
  std::uint64_t id = 0;
  std::string result = {};  // acknowledged unchanged
  AlertRule rule = AlertRule::database_unwritable;
  std::string object = {};
  std::string acked_by = {};
  std::optional<WallTime> acked_at = {};
};
BOOST_DESCRIBE_STRUCT(AlertAckReply, (), (id, result, rule, object, acked_by, acked_at))

// alerts.silence (operate): AlertSilence.
struct AlertSilenceRequest {
  std::string rule = {};
  std::string peer = {};    // an address or a label; it and `object` empty: the whole rule
  std::string object = {};  // what the rule is about: a peer, the name of a sink
  std::optional<Duration> lasts = {};
  std::string reason = {};
  bool unknown = false;  // also of a peer or a sink that there is not (yet)
};
BOOST_DESCRIBE_STRUCT(AlertSilenceRequest, (), (rule, peer, object, lasts, reason, unknown))

// alerts.rules (read): array of AlertRuleInfo.
struct AlertRuleInfo {
  AlertRule rule = AlertRule::database_unwritable;
  Severity severity = Severity::notice;
  AlertSubject subject = AlertSubject::node;
  Duration hold = {};
  Duration clear = {};
  std::optional<Duration> repeat = {};
  std::vector<AlertRule> behind = {};
  bool enabled = true;
  std::vector<AlertSilence> silences = {};  // in force
  std::string meaning = {};
  std::string remedy = {};
};
BOOST_DESCRIBE_STRUCT(AlertRuleInfo, (),
                      (rule, severity, subject, hold, clear, repeat, behind, enabled, silences,
                       meaning, remedy))

// alerts.test (operate, slow): sends a real message through one sink, now.
struct AlertTestRequest {
  std::string sink = {};
};
BOOST_DESCRIBE_STRUCT(AlertTestRequest, (), (sink))
struct AlertTestReply {
  std::string sink = {};
  SinkKind kind = SinkKind::log;
  std::string to = {};  // the host, the program, the address; never a whole url
  SendResult result = SendResult::delivered;
  std::optional<std::int64_t> status = {};       // of HTTP
  std::optional<std::int64_t> exit_status = {};  // of a command
  Duration took = {};
  std::string answer = {};  // its first line
  std::string error = {};
};
BOOST_DESCRIBE_STRUCT(AlertTestReply, (),
                      (sink, kind, to, result, status, exit_status, took, answer, error))

}  // namespace timectl::control
