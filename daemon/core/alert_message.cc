#include "daemon/core/alert_message.h"

#include <algorithm>
#include <array>
#include <set>

#include "daemon/core/events.h"
#include "daemon/core/reflect.h"

namespace timectl {
namespace {

constexpr std::size_t kMaxObject = 64;
constexpr std::size_t kMaxName = 64;
constexpr std::size_t kMaxInstance = 128;  // a name and an address

std::string_view word_of(NoticeKind kind) {
  switch (kind) {
    case NoticeKind::fired:
    case NoticeKind::resolved:
      return "";
    case NoticeKind::repeated:
      return "still: ";
    case NoticeKind::flapping:
      return "comes and goes: ";
  }
  check_failed("every NoticeKind has a word", __FILE__, __LINE__);
}

void fill_in(std::string& text, std::string_view place, const std::string& with) {
  if (const auto at = text.find(place); at != std::string::npos) {
    text.replace(at, place.size(), with);
  }
}

// Of the rules that many objects have at once; the others are counted.
struct Many {
  AlertRule rule;
  std::string_view wrong;
  std::string_view over;
};
constexpr auto kMany = std::to_array<Many>({
    {AlertRule::masternode_down, " whitelisted peers are not connected",
     " whitelisted peers are connected again"},
    {AlertRule::protection_lost, " whitelisted peers are kept out",
     " whitelisted peers are no longer kept out"},
});

bool alike(const AlertMessage& one, const AlertMessage& other) {
  const auto over = [](const AlertMessage& message) {
    return message.kind == NoticeKind::resolved;
  };
  return one.rule == other.rule && over(one) == over(other) && one.moot == other.moot &&
         one.test == other.test && one.node == other.node;
}

std::string digest_text(const std::vector<MessagePointer>& messages) {
  const auto& first = *messages.front();
  const bool over = first.kind == NoticeKind::resolved;
  std::string text = std::to_string(messages.size());
  const auto* row = std::ranges::find(kMany, first.rule, &Many::rule);
  if (row == kMany.end() || first.moot) {
    text += " alerts " + std::string(name_of(first.rule)) + (over ? " are over" : "") +
            ", the first: " + first.text + "; of ";
  } else {
    text += std::string(over ? row->over : row->wrong) + ": ";
  }
  const auto named = std::min(messages.size(), kDigestNames);
  for (std::size_t i = 0; i < named; ++i) {
    text += (i == 0 ? "" : ", ") + labelled(messages[i]->label, messages[i]->object);
  }
  if (messages.size() > named) text += " and " + std::to_string(messages.size() - named) + " more";
  return text;
}

}  // namespace

std::string labelled(const std::string& label, const std::string& object) {
  return label.empty() ? object : label + " (" + object + ")";
}

// It was wrong until it was gone, not until that was believed.
std::string text_of(const AlertNotice& notice) {
  const auto& alert = notice.alert;
  if (notice.kind != NoticeKind::resolved) return alert.text;
  if (!notice.moot.empty()) return notice.moot;
  const auto until = alert.cleared_at.value_or(alert.resolved_at.value_or(alert.since));
  std::string text(alert_rule_row(alert.rule).end);
  fill_in(text, "{time}", human_duration(std::max<Duration>(until - alert.since, Duration{0})));
  fill_in(text, "{who}", labelled(alert.label, alert.object));
  return text;
}

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
  message.label = printable(alert.label, kMaxName);
  message.text = printable(text_of(notice), kMaxMessageText);
  message.moot = !notice.moot.empty();
  message.since = alert.since;
  message.resolved_at = alert.resolved_at;
  message.node = printable(identity.node, kMaxName);
  message.network = printable(identity.network, kMaxName);
  message.instance =
      identity.instance.empty() ? message.node : printable(identity.instance, kMaxInstance);
  message.key = message.instance + "-" + message.network + "-" + std::to_string(alert.id) + "-" +
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

std::size_t alike_from(const std::vector<MessagePointer>& messages, std::size_t at) {
  std::set<std::string_view> objects;
  for (auto i = at; i < messages.size(); ++i) {
    const bool next =
        alike(*messages[i], *messages[at]) && objects.insert(messages[i]->object).second;
    if (!next) return i - at;
  }
  return messages.size() - at;
}

std::optional<AlertMessage> digest_of(const std::vector<MessagePointer>& messages) {
  if (messages.size() < kDigestFrom || alike_from(messages, 0) < messages.size()) {
    return std::nullopt;
  }
  auto digest = *messages.front();
  for (const auto& message : messages) {
    if (message->kind != digest.kind) digest.kind = NoticeKind::fired;
  }
  digest.text = printable(digest_text(messages), kMaxMessageText);
  digest.object = digest.label = "";
  return digest;
}

std::string next_command(const AlertMessage& message) {
  if (message.kind == NoticeKind::resolved) return "";
  const bool peer = alert_rule_row(message.rule).subject == AlertSubject::peer;
  if (message.test || (peer && message.object.empty())) return "timectl alerts";
  return peer ? "timectl diagnose peer " + message.object
              : "timectl explain " + std::string(name_of(message.rule));
}

std::string remedy_of(const AlertMessage& message) {
  const bool none = message.test || message.kind == NoticeKind::resolved;
  return none ? "" : std::string(alert_rule_row(message.rule).remedy);
}

std::string runbook_of(AlertRule rule) {
  return "docs/runbooks.md#" + std::string(name_of(rule));
}

}  // namespace timectl
