#include "daemon/sinks/bodies.h"

#include "daemon/core/events.h"
#include "daemon/core/json.h"
#include "daemon/core/reflect.h"

namespace timectl::sinks {
namespace {

constexpr std::size_t kBatch = 100;
constexpr std::size_t kSlackBatch = 50;
constexpr std::size_t kSlackLine = 600;  // 50 of them, each with its command: below 40,000
constexpr std::size_t kSlackAlone = 3000;
constexpr std::size_t kDiscordBatch = 6;
constexpr std::size_t kDiscordLine = 220;  // 6 of them, each with its command: below 2,000
constexpr std::size_t kDiscordAlone = 1400;
constexpr std::size_t kDiscordRemedy = 300;
constexpr std::size_t kMailLines = 200;    // of a digest; the count says how many there are
constexpr std::size_t kSubject = 150;      // bytes; RFC 5322 advises lines below 78
constexpr std::size_t kHeaderLine = 78;    // RFC 5322's advice
constexpr std::size_t kLongestEscape = 8;  // characters of printable() for one byte at most

std::string severity_word(const AlertMessage& message) {
  if (message.kind == NoticeKind::resolved) return "RESOLVED";
  std::string word(name_of(message.severity));
  for (char& c : word) c = static_cast<char>(c - 'a' + 'A');
  return word;
}

// One line for people. An old message says when it was: it may have waited for its receiver.
std::string line_of(const AlertMessage& message) {
  return severity_word(message) + ": " + sentence_of(message.kind, message.text) + " [" +
         (message.test ? "test" : std::string(name_of(message.rule))) + ", " +
         utc_text(message.at) + ", " + message.node + " " + message.network + "]";
}

// Cut where a character begins.
std::string cut(std::string text, std::size_t most) {
  if (text.size() <= most) return text;
  auto end = most;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0U) == 0x80U) --end;
  return text.substr(0, end) + "\xe2\x80\xa6";
}

// Slack reads <...> as links and mentions and knows these three entities only.
std::string slack_escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '&') {
      out += "&amp;";
    } else if (c == '<') {
      out += "&lt;";
    } else if (c == '>') {
      out += "&gt;";
    } else {
      out += c;
    }
  }
  return out;
}

// Discord's markdown; mentions are off besides.
std::string discord_escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (std::string_view("\\*_~`|>[]()#<@").find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

// What is said, one line each: the messages, or their digest.
struct Shown {
  Messages messages = {};
  bool digest = false;
};
Shown shown_of(const Messages& messages) {
  auto digest = digest_of(messages);
  if (!digest) return {messages, false};
  return {{std::make_shared<const AlertMessage>(std::move(*digest))}, true};
}

std::string without_backticks(std::string text) {
  std::erase(text, '`');
  return text;
}

std::string page_of(const AlertMessage& message) {
  return message.test ? "docs/alerts.md" : runbook_of(message.rule);
}

json::object alert_json(const AlertMessage& message) {
  json::object alert;
  alert["key"] = message.key;
  alert["event"] = to_json(message.kind);
  alert["state"] = message.kind == NoticeKind::resolved ? "resolved" : "firing";
  alert["at"] = to_json(message.at);
  alert["id"] = message.alert;
  alert["rule"] = message.test ? json::value("test") : to_json(message.rule);
  alert["object"] = message.object;
  alert["label"] = message.label;
  alert["severity"] = to_json(message.severity);
  alert["text"] = message.text;
  alert["since"] = to_json(message.since);
  alert["resolved_at"] = to_json(message.resolved_at);
  alert["node"] = message.node;
  alert["network"] = message.network;
  alert["instance"] = message.instance;
  alert["next"] = next_command(message);
  alert["remedy"] = remedy_of(message);
  alert["runbook"] = page_of(message);
  alert["test"] = message.test;
  return alert;
}

std::string base64(std::string_view bytes) {
  static constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const auto byte = [&](std::size_t at) {
      return at < bytes.size() ? static_cast<unsigned char>(bytes[at]) : 0U;
    };
    const unsigned word = byte(i) << 16U | byte(i + 1) << 8U | byte(i + 2);
    for (unsigned k = 0; k < 4; ++k) {
      const bool pad = i + k > bytes.size();
      out += pad ? '=' : kDigits[(word >> (18U - 6U * k)) & 63U];
    }
  }
  return out;
}

// RFC 2047 where it is not plain ASCII; no control character, so no second header.
std::string header_text(const std::string& text) {
  const auto whole = printable(text, kSubject * 4);
  bool plain = true;
  for (const char c : whole) plain = plain && c >= ' ' && c <= '~';
  if (plain) return whole.size() <= kSubject ? whole : whole.substr(0, kSubject) + "...";
  const auto shown = cut(whole, kSubject);
  std::string out;
  for (std::size_t at = 0; at < shown.size();) {
    auto end = std::min(at + 42, shown.size());  // an encoded word has at most 75 characters
    while (end < shown.size() && (static_cast<unsigned char>(shown[end]) & 0xc0U) == 0x80U) --end;
    out += (out.empty() ? "" : "\n ") + ("=?UTF-8?B?" + base64(shown.substr(at, end - at)) + "?=");
    at = end;
  }
  return out;
}

// A header of addresses, all of them: the configuration bounds them. Folded after the commas that
// stand between addresses; one in a quoted name is part of the name.
std::string address_header(const std::string& name, const std::string& addresses) {
  const auto text = printable(addresses, addresses.size() * kLongestEscape);
  std::string out;
  std::string line = name + ":";
  bool quoted = false;
  for (std::size_t at = 0; at < text.size();) {
    auto end = at;
    for (; end < text.size() && (quoted || text[end] != ','); ++end) {
      if (text[end] == '\\') {
        ++end;  // what follows is no sign
      } else if (text[end] == '"') {
        quoted = !quoted;
      }
    }
    end = std::min(end + 1, text.size());
    const auto begin = std::min(text.find_first_not_of(' ', at), end);
    const auto address = text.substr(begin, end - begin);
    at = end;
    if (address.empty()) continue;
    if (line.size() + 1 + address.size() > kHeaderLine && line != name + ":") {
      out += line + "\n";
      line.clear();
    }
    line += " " + address;
  }
  return out + line + "\n";
}

std::string subject_of(const Messages& messages) {
  const auto shown = shown_of(messages);
  const auto& first = *shown.messages.front();
  const auto prefix = "[timectl " + first.node + "] ";
  if (shown.messages.size() == 1) {
    return prefix + severity_word(first) + ": " + sentence_of(first.kind, first.text);
  }
  return prefix + std::to_string(messages.size()) +
         " alerts, the first: " + sentence_of(first.kind, first.text);
}

// "Fri, 27 Nov 2026 10:20:30 +0000"
std::string mail_date(WallTime at) {
  static constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                            "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto day = std::chrono::floor<std::chrono::days>(at);
  const std::chrono::year_month_day date(day);
  const auto text = utc_text(at);  // 2026-11-21 11:30:00 UTC
  return std::string(kDays[std::chrono::weekday(day).c_encoding()]) + ", " + text.substr(8, 2) +
         " " + kMonths[static_cast<unsigned>(date.month()) - 1] + " " + text.substr(0, 4) + " " +
         text.substr(11, 8) + " +0000";
}

}  // namespace

std::string json_body(const Messages& messages, WallTime sent_at) {
  json::array alerts;
  for (const auto& message : messages) alerts.push_back(alert_json(*message));
  return json::serialize(json::object{{"schema", "timectl.alerts.message/1"},
                                      {"version", TIMECTL_VERSION},
                                      {"sent_at", to_json(sent_at)},
                                      {"alerts", std::move(alerts)}});
}

// Plain text (mrkdwn is off), so no backticks. One alone says what to do, too.
std::string slack_body(const Messages& messages) {
  const auto shown = shown_of(messages);
  const auto most = shown.messages.size() == 1 ? kSlackAlone : kSlackLine;
  std::string text;
  for (const auto& message : shown.messages) {
    text += (text.empty() ? "" : "\n") + cut(slack_escaped(line_of(*message)), most);
    const auto remedy = shown.messages.size() == 1 ? remedy_of(*message) : "";
    if (!remedy.empty()) text += "\ndo: " + slack_escaped(without_backticks(remedy));
    const auto next = next_command(*message);
    if (!next.empty()) text += "\nnext: " + slack_escaped(next);
  }
  return json::serialize(json::object{
      {"text", text}, {"mrkdwn", false}, {"unfurl_links", false}, {"unfurl_media", false}});
}

std::string discord_body(const Messages& messages) {
  const auto shown = shown_of(messages);
  const auto most = shown.messages.size() == 1 ? kDiscordAlone : kDiscordLine;
  std::string text;
  for (const auto& message : shown.messages) {
    text += (text.empty() ? "" : "\n") + cut(discord_escaped(line_of(*message)), most);
    const auto remedy = shown.messages.size() == 1 ? remedy_of(*message) : "";
    // Its backticks are ours, of the table.
    if (!remedy.empty()) text += "\ndo: " + cut(remedy, kDiscordRemedy);
    const auto next = next_command(*message);
    if (!next.empty()) text += "\nnext: `" + next + "`";
  }
  return json::serialize(json::object{
      {"content", text}, {"allowed_mentions", json::object{{"parse", json::array{}}}}});
}

std::string alertmanager_body(const Messages& messages, WallTime sent_at, Duration lasts) {
  json::array alerts;
  for (const auto& message : messages) {
    const bool over = message->kind == NoticeKind::resolved;
    const auto until = sent_at + std::chrono::duration_cast<std::chrono::milliseconds>(lasts);
    json::object labels{
        {"alertname", message->test ? std::string("timectl_test")
                                    : "timectl_" + std::string(name_of(message->rule))},
        {"severity", to_json(message->severity)},
        {"instance", message->instance},
        {"network", message->network}};
    if (!message->object.empty()) labels["object"] = message->object;
    json::object annotations{{"summary", message->text}, {"runbook", page_of(*message)}};
    // None of them is empty: Alertmanager drops those.
    for (const auto& [name, value] :
         {std::pair("label", message->label), std::pair("next", next_command(*message)),
          std::pair("remedy", remedy_of(*message))}) {
      if (!value.empty()) annotations[name] = value;
    }
    alerts.push_back(json::object{
        {"labels", std::move(labels)},
        {"annotations", std::move(annotations)},
        {"startsAt", to_json(message->since)},
        {"endsAt", to_json(over ? message->resolved_at.value_or(message->at) : until)}});
  }
  return json::serialize(alerts);
}

std::string mail(const SinkTarget& target, const Messages& messages, WallTime sent_at) {
  std::string out;
  if (!target.from.empty()) out += address_header("From", target.from);
  out += address_header("To", target.to);
  out += "Subject: " + header_text(subject_of(messages)) + "\n";
  out += "Date: " + mail_date(sent_at) + "\n";
  out += "Auto-Submitted: auto-generated\n";
  out += "X-Timectl-Key: " + printable(idempotency_key(messages)) + "\n";
  out += "MIME-Version: 1.0\nContent-Type: text/plain; charset=UTF-8\n";
  out += "Content-Transfer-Encoding: 8bit\n\n";
  const auto shown = shown_of(messages);
  for (const auto& message : shown.messages) {
    out += line_of(*message) + "\n  since: " + utc_text(message->since) + "\n";
    if (const auto next = next_command(*message); !next.empty()) out += "  next:  " + next + "\n";
    if (const auto remedy = remedy_of(*message); !remedy.empty()) {
      out += "  what:  " + std::string(alert_rule_row(message->rule).meaning) +
             "\n  do:    " + remedy + "\n";
    }
    out += "\n";
  }
  const auto listed = shown.digest ? std::min(messages.size(), kMailLines) : 0;
  for (std::size_t i = 0; i < listed; ++i) out += line_of(*messages[i]) + "\n";
  return out;
}

std::vector<std::pair<std::string, std::string>> environment_of(const Messages& messages) {
  const auto shown = shown_of(messages);
  const auto& message = *shown.messages.front();
  return {
      {"TIMECTL_ALERT_KEY", message.key},
      {"TIMECTL_ALERT_EVENT", std::string(name_of(message.kind))},
      {"TIMECTL_ALERT_STATE", message.kind == NoticeKind::resolved ? "resolved" : "firing"},
      {"TIMECTL_ALERT_ID", std::to_string(message.alert)},
      {"TIMECTL_ALERT_RULE", message.test ? "test" : std::string(name_of(message.rule))},
      {"TIMECTL_ALERT_OBJECT", message.object},
      {"TIMECTL_ALERT_LABEL", message.label},
      {"TIMECTL_ALERT_COUNT", std::to_string(shown.digest ? messages.size() : 1)},
      {"TIMECTL_ALERT_SEVERITY", std::string(name_of(message.severity))},
      {"TIMECTL_ALERT_TEXT", message.text},
      {"TIMECTL_ALERT_SINCE", rfc3339(message.since)},
      {"TIMECTL_ALERT_AT", rfc3339(message.at)},
      {"TIMECTL_ALERT_NEXT", next_command(message)},
      {"TIMECTL_ALERT_REMEDY", remedy_of(message)},
      {"TIMECTL_ALERT_RUNBOOK", page_of(message)},
      {"TIMECTL_ALERT_NODE", message.node},
      {"TIMECTL_ALERT_NETWORK", message.network},
      {"TIMECTL_ALERT_INSTANCE", message.instance},
      {"TIMECTL_ALERT_TEST", message.test ? "1" : "0"},
  };
}

std::string webhook_body(const SinkTarget& target, const Messages& messages, WallTime sent_at) {
  switch (target.form) {
    case SinkTemplate::json:
      return json_body(messages, sent_at);
    case SinkTemplate::slack:
      return slack_body(messages);
    case SinkTemplate::discord:
      return discord_body(messages);
  }
  check_failed("every SinkTemplate has a body", __FILE__, __LINE__);
}

std::string idempotency_key(const Messages& messages) {
  if (messages.empty()) return "";
  const auto more = messages.size() - 1;
  return messages.front()->key + (more == 0 ? "" : "+" + std::to_string(more));
}

std::size_t batch_of(SinkKind kind, SinkTemplate form) {
  if (kind == SinkKind::command) return 1;
  if (kind != SinkKind::webhook) return kBatch;
  if (form == SinkTemplate::slack) return kSlackBatch;
  return form == SinkTemplate::discord ? kDiscordBatch : kBatch;
}

bool takes_digests(SinkKind kind, SinkTemplate form) {
  if (kind == SinkKind::webhook) return form != SinkTemplate::json;
  return kind == SinkKind::command || kind == SinkKind::sendmail;
}

}  // namespace timectl::sinks
