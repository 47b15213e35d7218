#include "config/sink.h"

#include <algorithm>
#include <array>
#include <initializer_list>

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

class Kinds {
 public:
  constexpr Kinds(std::initializer_list<SinkKind> kinds) {
    for (const auto kind : kinds) bits_ |= bit(kind);
  }
  [[nodiscard]] constexpr bool contains(SinkKind kind) const { return (bits_ & bit(kind)) != 0; }

 private:
  static constexpr unsigned bit(SinkKind kind) { return 1U << static_cast<unsigned>(kind); }
  unsigned bits_ = 0;
};
constexpr Kinds kByUrl{SinkKind::webhook, SinkKind::alertmanager, SinkKind::heartbeat};
constexpr Kinds kPrograms{SinkKind::command, SinkKind::sendmail};

struct Use {
  std::string_view key;
  Kinds kinds;
};
// Keys that do something in a sink of some kinds only.
constexpr auto kUses = std::to_array<Use>({
    {"url", kByUrl},
    {"ca_file", kByUrl},
    {"template", {SinkKind::webhook}},
    {"secret_file", {SinkKind::webhook}},
    {"command", kPrograms},
    {"to", {SinkKind::sendmail}},
    {"from", {SinkKind::sendmail}},
    {"interval", {SinkKind::heartbeat}},
    {"timeout",
     {SinkKind::webhook, SinkKind::alertmanager, SinkKind::heartbeat, SinkKind::command,
      SinkKind::sendmail}},
});

bool is_address(const std::string& text) {
  return !text.empty() && text.size() <= kLongestAddress && text.front() != '-' &&
         text.find('@') != std::string::npos;
}

class SinkRules {
 public:
  SinkRules(const AlertSink& sink, const std::vector<std::string>& given)
      : sink_(sink), given_(given) {}

  // What the kind decides.
  void kind() {
    for (const auto& use : kUses) unused(use);
    if (kByUrl.contains(sink_.kind)) url();
    if (sink_.kind == SinkKind::command && sink_.command.empty()) {
      add("", "needs a command", kCommand);
    }
    if (kPrograms.contains(sink_.kind) && !sink_.command.empty() &&
        !sink_.command.front().starts_with('/')) {
      add("command", "must name its program by its whole path: it runs without a shell and in /",
          kCommand);
    }
    if (sink_.kind == SinkKind::sendmail && !is_address(sink_.to)) {
      add("to", "needs an address in `to`", "to = \"you@example.org\"");
    }
    if (sink_.kind == SinkKind::sendmail && !sink_.from.empty() && !is_address(sink_.from)) {
      add("from", "has no address in `from`", "from = \"timectl@example.org\"");
    }
  }

  void rules() {
    for (const auto& word : sink_.rules) {
      if (value_of<AlertRule>(word)) continue;
      std::vector<std::string> rules;
      for (const auto name : names_of<AlertRule>()) rules.emplace_back(name);
      const auto like = nearest(word, rules);
      add("rules", "names the rule " + word + ", which there is not",
          like.empty() ? "`timectl alerts rules` lists them" : "did you mean " + like + "?");
    }
  }
  std::vector<SinkProblem> wrong() && { return std::move(wrong_); }

 private:
  static constexpr const char* kCommand = "command = [\"/path/program\", \"argument\"]";

  void unused(const Use& use) {
    if (use.kinds.contains(sink_.kind)) return;
    if (std::ranges::find(given_, use.key) == given_.end()) return;
    std::string kinds;
    for (const auto name : names_of<SinkKind>()) {
      if (use.kinds.contains(*value_of<SinkKind>(name))) {
        kinds += (kinds.empty() ? "" : ", ") + std::string(name);
      }
    }
    add(std::string(use.key),
        "has `" + std::string(use.key) + "`, which does nothing in a sink of kind " +
            std::string(name_of(sink_.kind)),
        "it is of " + kinds);
  }

  void url() {
    if (sink_.url.empty()) return add("url", "needs a url", "url = \"https://...\"");
    if (const auto url = parse_sink_url(sink_.url); !url) {
      add("url", "cannot use its url: " + url.error().message, url.error().because);
    }
  }

  void add(std::string key, const std::string& message, std::string hint) {
    wrong_.push_back({std::move(key), sink_.name + " " + message, std::move(hint)});
  }

  const AlertSink& sink_;
  const std::vector<std::string>& given_;
  std::vector<SinkProblem> wrong_ = {};
};

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

std::string wrong_with_name(const std::string& name) {
  const auto fine = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
  };
  // It is a word of a command line, of a table and of the audit log.
  return std::ranges::all_of(name, fine) ? "" : "the name of a sink is of letters, digits, - _ .";
}

std::vector<SinkProblem> problems_of(const AlertSink& sink, const std::vector<std::string>& given,
                                     bool kind_known) {
  SinkRules rules(sink, given);
  if (kind_known) rules.kind();
  rules.rules();
  return std::move(rules).wrong();
}

}  // namespace timectl::config
