#include "config/sink.h"

#include <algorithm>
#include <array>

#include "config/problem.h"
#include "config/words.h"
#include "daemon/core/alert_rules.h"
#include "daemon/core/sink_url.h"

namespace timectl::config {
namespace {

constexpr std::size_t kLongestText = 4096;
constexpr std::size_t kMostWords = 64;
constexpr std::size_t kLongestAddress = 320;  // RFC 3696: 64 + 1 + 255
constexpr Duration kShortestInterval = 5s;
constexpr Duration kLongestInterval = 24h;

using Outcome = std::optional<SinkRefusal>;

Outcome take_text(const Scalar& value, const std::string& name, std::string& member) {
  const auto* text = std::get_if<std::string>(&value);
  if (text == nullptr || text->size() > kLongestText) {
    return SinkRefusal{name + " must be a text of at most 4096 bytes"};
  }
  // A header, an argument and a line of the log begin nothing new.
  const auto control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  if (std::any_of(text->begin(), text->end(), control)) {
    return SinkRefusal{name + " holds a control character"};
  }
  member = *text;
  return std::nullopt;
}

Outcome take_words(const Scalar& value, const std::string& name, const std::string& example,
                   std::vector<std::string>& member) {
  const auto* words = std::get_if<std::vector<std::string>>(&value);
  const bool fine = words != nullptr && words->size() <= kMostWords &&
                    std::all_of(words->begin(), words->end(), [](const auto& word) {
                      return word.size() <= kLongestText && word.find('\0') == std::string::npos;
                    });
  if (!fine) return SinkRefusal{name + " must be a list of at most 64 texts", example};
  member = *words;
  return std::nullopt;
}

template <class E>
Outcome take_word(const Scalar& value, const std::string& name, E& member) {
  const Word w = word(member);
  const auto* text = std::get_if<std::string>(&value);
  if (text != nullptr && w.set(w.target, *text)) return std::nullopt;
  std::string words;
  for (const auto& one : w.words()) words += (words.empty() ? "" : ", ") + one;
  return SinkRefusal{"this is no value of " + name, "one of: " + words};
}

Outcome take_duration(const Scalar& value, const std::string& name, Duration shortest,
                      Duration longest, Duration& member) {
  std::optional<Duration> read;
  if (const auto* whole = std::get_if<std::int64_t>(&value); whole != nullptr && *whole >= 0) {
    read = std::chrono::seconds(std::min<std::int64_t>(*whole, 1'000'000));
  } else if (const auto* real = std::get_if<double>(&value); real != nullptr && *real >= 0) {
    read = Duration(static_cast<Duration::rep>(std::min(*real, 1e6) * 1e6));
  } else if (const auto* text = std::get_if<std::string>(&value)) {
    if (const auto parsed = parse_duration(*text)) read = *parsed;
  }
  if (!read || *read < shortest || *read > longest) {
    return SinkRefusal{
        name + " must be " + human_duration(shortest) + " to " + human_duration(longest),
        "seconds, or a text like \"5m\""};
  }
  member = *read;
  return std::nullopt;
}

struct Entry {
  std::string_view name;
  Outcome (*take)(AlertSink& sink, const Scalar& value);
};

constexpr auto kEntries = std::to_array<Entry>({
    {"kind", [](AlertSink& s, const Scalar& v) { return take_word(v, "kind", s.kind); }},
    {"severity",
     [](AlertSink& s, const Scalar& v) { return take_word(v, "severity", s.severity); }},
    {"url", [](AlertSink& s, const Scalar& v) { return take_text(v, "url", s.url); }},
    {"template", [](AlertSink& s, const Scalar& v) { return take_word(v, "template", s.form); }},
    {"secret_file",
     [](AlertSink& s, const Scalar& v) { return take_text(v, "secret_file", s.secret_file); }},
    {"ca_file", [](AlertSink& s, const Scalar& v) { return take_text(v, "ca_file", s.ca_file); }},
    {"to", [](AlertSink& s, const Scalar& v) { return take_text(v, "to", s.to); }},
    {"from", [](AlertSink& s, const Scalar& v) { return take_text(v, "from", s.from); }},
    {"command",
     [](AlertSink& s, const Scalar& v) {
       return take_words(v, "command", "[\"/path/program\"]", s.command);
     }},
    {"rules",
     [](AlertSink& s, const Scalar& v) {
       return take_words(v, "rules", "[\"masternode_down\"]", s.rules);
     }},
    {"timeout",
     [](AlertSink& s, const Scalar& v) {
       Duration read{};
       auto refused = take_duration(v, "timeout", 1s, kLongestSinkTimeout, read);
       if (!refused) s.timeout = read;
       return refused;
     }},
    {"interval",
     [](AlertSink& s, const Scalar& v) {
       return take_duration(v, "interval", kShortestInterval, kLongestInterval, s.interval);
     }},
});

bool by_url(SinkKind kind) {
  return kind == SinkKind::webhook || kind == SinkKind::alertmanager || kind == SinkKind::heartbeat;
}

}  // namespace

std::optional<SinkRefusal> assign_sink(AlertSink& sink, const std::string& name,
                                       const Scalar& value) {
  const auto* entry = std::ranges::find(kEntries, name, &Entry::name);
  if (entry != kEntries.end()) return entry->take(sink, value);
  std::vector<std::string> names{"name"};
  for (const auto& known : kEntries) names.emplace_back(known.name);
  const auto like = nearest(name, names);
  return SinkRefusal{"there is no key `" + name + "` in a sink",
                     like.empty() ? "" : "did you mean `" + like + "`?", true};
}

std::vector<SinkProblem> problems_of(const AlertSink& sink) {
  std::vector<SinkProblem> wrong;
  const auto add = [&](const std::string& message, std::string hint = "") {
    wrong.push_back({sink.name + " " + message, std::move(hint)});
  };
  const bool runs = sink.kind == SinkKind::command || sink.kind == SinkKind::sendmail;
  if (by_url(sink.kind) && sink.url.empty()) {
    add("needs a url");
  } else if (by_url(sink.kind)) {
    if (const auto url = parse_sink_url(sink.url); !url) {
      add("cannot use its url: " + url.error().message, url.error().because);
    }
  } else if (!sink.url.empty()) {
    add("has a url, which is not of its kind");
  }
  if (sink.kind == SinkKind::command && sink.command.empty()) {
    add("needs a command", "command = [\"/path/program\", \"argument\"]");
  }
  if (runs && !sink.command.empty() && !sink.command.front().starts_with('/')) {
    add("must name its program by its whole path: it runs without a shell and in /",
        "command = [\"/path/program\", \"argument\"]");
  }
  if (!runs && !sink.command.empty()) add("has a command, which is not of its kind");
  const auto address = [](const std::string& text) {
    return !text.empty() && text.size() <= kLongestAddress && text.front() != '-' &&
           text.find('@') != std::string::npos;
  };
  if (sink.kind == SinkKind::sendmail && !address(sink.to)) {
    add("needs an address in `to`", "to = \"you@example.org\"");
  }
  if (!sink.from.empty() && !address(sink.from)) {
    add("has no address in `from`", "from = \"timectl@example.org\"");
  }
  if (sink.kind != SinkKind::webhook && !sink.secret_file.empty()) {
    add("has a secret_file: only a webhook is signed");
  }
  for (const auto& word : sink.rules) {
    if (value_of<AlertRule>(word)) continue;
    std::vector<std::string> rules;
    for (const auto name : names_of<AlertRule>()) rules.emplace_back(name);
    const auto like = nearest(word, rules);
    add("names the rule " + word + ", which there is not",
        like.empty() ? "`timectl alerts rules` lists them" : "did you mean " + like + "?");
  }
  return wrong;
}

}  // namespace timectl::config
