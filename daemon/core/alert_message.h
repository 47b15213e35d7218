#pragma once
// AlertMessage: what a sink is to say of one alert at one time, with all that it takes to say it
// without asking the node again. Made from a notice by the keeper, numbered by the outbox
// (outbox.h), stored as JSON, and formed into a body by daemon/sinks. Its key is the same at each
// attempt and differs between messages and nodes, so that a receiver can tell a second delivery
// from a second alert.

#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "daemon/core/alerts.h"

namespace timectl {

// Words of the configuration.
enum class SinkKind : std::uint8_t { log, webhook, command, alertmanager, sendmail, heartbeat };
BOOST_DESCRIBE_ENUM(SinkKind, log, webhook, command, alertmanager, sendmail, heartbeat)
enum class SinkTemplate : std::uint8_t { json, slack, discord };  // of a webhook's body
BOOST_DESCRIBE_ENUM(SinkTemplate, json, slack, discord)

// Whose messages they are; the same in all of one node.
struct NodeIdentity {
  std::string node = {};  // a name for people: node.name, or the host's
  std::string network = {};
  // Differs between nodes, for receivers that tie what belongs together; empty: the name.
  std::string instance = {};
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
  std::string label = {};  // of the object
  Severity severity = Severity::warning;
  std::string text = {};  // one sentence: what is wrong, or how it ended
  WallTime since = {};
  std::optional<WallTime> resolved_at = {};
  std::string node = {};
  std::string network = {};
  std::string instance = {};
  bool moot = false;    // over because there is nothing to watch any more
  bool test = false;    // of `timectl alerts test`: nothing is wrong
  std::string to = {};  // of one sink, which is new; empty: of all
};
BOOST_DESCRIBE_STRUCT(AlertMessage, (),
                      (number, key, at, kind, alert, rule, object, label, severity, text, since,
                       resolved_at, node, network, instance, moot, test, to))
using MessagePointer = std::shared_ptr<const AlertMessage>;

inline constexpr std::size_t kMaxMessageText = 1000;  // bytes; as the alert's own on disk

[[nodiscard]] AlertMessage message_of(const AlertNotice& notice, const NodeIdentity& identity,
                                      WallTime at);
// The alert as it stands, for receivers that want to hear of it again and again.
[[nodiscard]] AlertMessage message_of(const Alert& alert, const NodeIdentity& identity,
                                      WallTime at);
[[nodiscard]] AlertMessage test_message(const NodeIdentity& identity, WallTime at);

// So many messages of one rule that say the same of different objects are one digest for those who
// would be called for each: more names than one takes in at a glance, and the cause is likely one.
inline constexpr std::size_t kDigestFrom = 10;
inline constexpr std::size_t kMaxDigest = 1000;  // messages: with a JSON of each below 1 MiB
inline constexpr std::size_t kDigestNames = 10;  // that the sentence gives
// How many from there on say the same, each of another object.
[[nodiscard]] std::size_t alike_from(const std::vector<MessagePointer>& messages, std::size_t at);
// The one message that stands for these, with the first one's key and id, and no object; none where
// they are too few or not alike.
[[nodiscard]] std::optional<AlertMessage> digest_of(const std::vector<MessagePointer>& messages);

// "berlin (203.0.113.7)", or the object alone.
[[nodiscard]] std::string labelled(const std::string& label, const std::string& object);
// What a notice says: what is wrong, or, where it is over, how it ended and how long it was.
[[nodiscard]] std::string text_of(const AlertNotice& notice);
// With "still: " or "comes and goes: " where it is no news.
[[nodiscard]] std::string sentence_of(NoticeKind kind, const std::string& text);
// The command that tells more: `timectl diagnose peer IP`, `timectl explain RULE`; empty where it
// is over, and nothing is to be done.
[[nodiscard]] std::string next_command(const AlertMessage& message);
[[nodiscard]] std::string remedy_of(const AlertMessage& message);  // of the table; empty as above
[[nodiscard]] std::string runbook_of(AlertRule rule);              // "docs/runbooks.md#RULE"

}  // namespace timectl
