#include "config/keys.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

namespace timectl::config {
namespace {

constexpr std::size_t kLongestText = 4096;  // a path
constexpr std::size_t kMostItems = 64;      // operators, rules

template <class... F>
struct Overloaded : F... {
  using F::operator()...;
};
template <class... F>
Overloaded(F...) -> Overloaded<F...>;

std::string number_text(double value) {
  char buffer[32];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value).ptr;
  return {buffer, end};
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

template <class Items, class Text>
std::string listed(const Items& items, Text text) {
  std::string out = "[";
  for (const auto& item : items) out += (out.size() > 1 ? ", " : "") + text(item);
  return out + "]";
}

std::string_view kind_of(const Scalar& value) {
  static constexpr std::string_view kNames[] = {"a boolean", "an integer", "a number", "a text",
                                                "a list"};
  return kNames[value.index()];
}

Refusal wrong_type(const Key& key, std::string_view wanted, const Scalar& value) {
  return {std::string(key.section) + "." + std::string(key.name) + " must be " +
              std::string(wanted) + ", this is " + std::string(kind_of(value)),
          ""};
}

Refusal out_of_range(const Key& key, std::string_view unit) {
  return {std::string(key.section) + "." + std::string(key.name) + " is out of range",
          number_text(key.minimum) + " to " + number_text(key.maximum) + std::string(unit)};
}

using Outcome = std::optional<Refusal>;

template <class Integer>
Outcome assign_count(const Key& key, const Scalar& value, Integer& member) {
  const auto* number = std::get_if<std::int64_t>(&value);
  if (number == nullptr) return wrong_type(key, "an integer", value);
  const auto as_double = static_cast<double>(*number);
  if (as_double < key.minimum || as_double > key.maximum) return out_of_range(key, "");
  member = static_cast<Integer>(*number);
  return std::nullopt;
}

std::optional<double> as_number(const Scalar& value) {
  if (const auto* integer = std::get_if<std::int64_t>(&value)) {
    return static_cast<double>(*integer);
  }
  if (const auto* real = std::get_if<double>(&value)) return *real;
  return std::nullopt;
}

Outcome assign_duration(const Key& key, const Scalar& value, Duration& member) {
  constexpr std::string_view kWanted = "seconds, as a number or like \"30d\" or \"1h30m\"";
  auto number = as_number(value);
  if (const auto* text = std::get_if<std::string>(&value)) {
    const auto parsed = parse_duration(*text);
    if (!parsed) return Refusal{parsed.error().message, std::string(kWanted)};
    number = seconds(*parsed);
  }
  if (!number) return wrong_type(key, kWanted, value);
  if (!(*number >= key.minimum && *number <= key.maximum)) return out_of_range(key, " s");
  member = Duration(std::llround(*number * 1e6));
  return std::nullopt;
}

Outcome assign_ratio(const Key& key, const Scalar& value, double& member) {
  const auto number = as_number(value);
  if (!number) return wrong_type(key, "a number", value);
  if (!(*number >= key.minimum && *number <= key.maximum)) return out_of_range(key, "");
  member = *number;
  return std::nullopt;
}

Outcome check_text(const Key& key, const std::string& text) {
  if (text.size() > kLongestText) {
    return Refusal{std::string(key.name) + " is too long",
                   "at most " + std::to_string(kLongestText) + " bytes"};
  }
  const auto control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  if (std::any_of(text.begin(), text.end(), control)) {
    return Refusal{std::string(key.name) + " holds a control character", ""};
  }
  return std::nullopt;
}

Outcome assign_address(const Key& key, const Scalar& value, IpAddress& member) {
  const auto* text = std::get_if<std::string>(&value);
  if (text == nullptr) return wrong_type(key, "an IP address in quotes", value);
  const auto ip = IpAddress::parse(*text);
  if (!ip) return Refusal{ip.error().message, ip.error().because};
  member = *ip;
  return std::nullopt;
}

Outcome assign_endpoint(const Key& key, const Scalar& value, Endpoint& member) {
  const auto* text = std::get_if<std::string>(&value);
  if (text == nullptr) return wrong_type(key, "\"ADDRESS:PORT\"", value);
  const auto colon = text->rfind(':');
  const Refusal refusal{*text + " is not ADDRESS:PORT", "like 127.0.0.1:24010 or [::1]:24010"};
  if (colon == std::string::npos) return refusal;
  std::string host = text->substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  const auto ip = IpAddress::parse(host);
  std::uint16_t port = 0;
  const char* end = text->data() + text->size();
  const auto parsed = std::from_chars(text->data() + colon + 1, end, port);
  if (!ip || parsed.ec != std::errc{} || parsed.ptr != end || port == 0) return refusal;
  member = {*ip, port};
  return std::nullopt;
}

Outcome assign_word(const Key& key, const Scalar& value, const Word& member) {
  const auto* text = std::get_if<std::string>(&value);
  if (text == nullptr) return wrong_type(key, "one of its words in quotes", value);
  if (member.set(member.target, *text)) return std::nullopt;
  std::string words;
  for (const auto& w : member.words()) words += (words.empty() ? "" : ", ") + w;
  return Refusal{
      quoted(*text) + " is no value of " + std::string(key.section) + "." + std::string(key.name),
      "one of: " + words};
}

Outcome assign_bodies(const Key& key, const Scalar& value, std::optional<std::size_t>& member) {
  if (const auto* text = std::get_if<std::string>(&value)) {
    if (*text != "all" && *text != "none") {
      return Refusal{quoted(*text) + " is no value of chain.keep_bodies",
                     "\"all\", \"none\" or a number of blocks"};
    }
    member = *text == "all" ? std::nullopt : std::optional<std::size_t>(0);
    return std::nullopt;
  }
  std::size_t count = 0;
  if (auto refusal = assign_count(key, value, count)) return refusal;
  member = count;
  return std::nullopt;
}

Outcome assign_list(const Key& key, const Scalar& value, std::vector<std::string>& member) {
  const auto* items = std::get_if<std::vector<std::string>>(&value);
  if (items == nullptr) return wrong_type(key, "a list of texts", value);
  if (items->size() > kMostItems) {
    return Refusal{std::string(key.name) + " is too long",
                   "at most " + std::to_string(kMostItems) + " items"};
  }
  for (const auto& item : *items) {
    if (auto refusal = check_text(key, item)) return refusal;
  }
  member = *items;
  return std::nullopt;
}

// What the text of an environment variable or flag means for a member of this kind.
Scalar scalar_of(const Slot& slot, std::string_view text) {
  const std::string as_text(text);
  if (std::holds_alternative<bool*>(slot)) {
    if (text == "true" || text == "1" || text == "yes" || text == "on") return true;
    if (text == "false" || text == "0" || text == "no" || text == "off") return false;
    return as_text;
  }
  if (std::holds_alternative<std::vector<std::string>*>(slot)) {
    std::vector<std::string> items;
    for (std::size_t at = 0; at < text.size();) {
      const auto end = std::min(text.find(',', at), text.size());
      if (end > at) items.emplace_back(text.substr(at, end - at));
      at = end + 1;
    }
    return items;
  }
  const char* end = text.data() + text.size();
  std::int64_t integer = 0;
  if (auto r = std::from_chars(text.data(), end, integer); r.ec == std::errc{} && r.ptr == end) {
    return integer;
  }
  double real = 0;
  if (auto r = std::from_chars(text.data(), end, real); r.ec == std::errc{} && r.ptr == end) {
    return real;
  }
  return as_text;
}

}  // namespace

const Key* find_key(std::string_view section, std::string_view name) {
  for (const auto& key : key_table()) {
    if (key.section == section && key.name == name) return &key;
  }
  return nullptr;
}

std::vector<std::string> section_names() {
  std::vector<std::string> names;
  for (const auto& key : key_table()) {
    if (names.empty() || names.back() != key.section) names.emplace_back(key.section);
  }
  return names;
}

std::optional<Refusal> assign(Config& config, const Key& key, const Scalar& value) {
  const auto structured = [&](auto*) -> Outcome {
    return Refusal{
        std::string(key.section) + "." + std::string(key.name) + " can be set in the file only",
        ""};
  };
  return std::visit(
      Overloaded{
          [&](Duration* m) { return assign_duration(key, value, *m); },
          [&](std::size_t* m) { return assign_count(key, value, *m); },
          [&](std::uint32_t* m) { return assign_count(key, value, *m); },
          [&](std::uint16_t* m) { return assign_count(key, value, *m); },
          [&](double* m) { return assign_ratio(key, value, *m); },
          [&](bool* m) -> Outcome {
            const auto* flag = std::get_if<bool>(&value);
            if (flag == nullptr) return wrong_type(key, "true or false", value);
            *m = *flag;
            return std::nullopt;
          },
          [&](std::string* m) -> Outcome {
            const auto* text = std::get_if<std::string>(&value);
            if (text == nullptr) return wrong_type(key, "a text in quotes", value);
            if (auto refusal = check_text(key, *text)) return refusal;
            *m = *text;
            return std::nullopt;
          },
          [&](std::vector<std::string>* m) { return assign_list(key, value, *m); },
          [&](IpAddress* m) { return assign_address(key, value, *m); },
          [&](std::optional<IpAddress>* m) -> Outcome {
            if (const auto* text = std::get_if<std::string>(&value); text && text->empty()) {
              m->reset();
              return std::nullopt;
            }
            IpAddress ip;
            if (auto refusal = assign_address(key, value, ip)) return refusal;
            *m = ip;
            return std::nullopt;
          },
          [&](std::optional<std::size_t>* m) { return assign_bodies(key, value, *m); },
          [&](Endpoint* m) { return assign_endpoint(key, value, *m); },
          [&](const Word& m) { return assign_word(key, value, m); },
          [&](std::vector<WhitelistedPeer>* m) { return structured(m); },
          [&](std::vector<BlacklistedPeer>* m) { return structured(m); },
          [&](std::vector<AlertSink>* m) { return structured(m); },
      },
      key.slot(config));
}

std::optional<Refusal> assign_text(Config& config, const Key& key, std::string_view text) {
  const Slot slot = key.slot(config);
  // A text member takes what is given: a directory may be called 1.
  const bool verbatim = std::holds_alternative<std::string*>(slot);
  return assign(config, key, verbatim ? Scalar(std::string(text)) : scalar_of(slot, text));
}

std::string value_text(const Config& config, const Key& key) {
  // The table's accessors serve reading and writing; here nothing is written.
  const Slot slot = key.slot(const_cast<Config&>(config));
  const auto address = [](const auto& peer) { return quoted(peer.ip.to_string()); };
  return std::visit(
      Overloaded{
          [](Duration* m) { return number_text(seconds(*m)); },
          [](std::size_t* m) { return std::to_string(*m); },
          [](std::uint32_t* m) { return std::to_string(*m); },
          [](std::uint16_t* m) { return std::to_string(*m); },
          [](double* m) { return number_text(*m); },
          [](bool* m) { return std::string(*m ? "true" : "false"); },
          [](std::string* m) { return quoted(*m); },
          [](std::vector<std::string>* m) { return listed(*m, quoted); },
          [](IpAddress* m) { return quoted(m->to_string()); },
          [](std::optional<IpAddress>* m) { return quoted(*m ? (*m)->to_string() : ""); },
          [](std::optional<std::size_t>* m) -> std::string {
            if (!*m) return "\"all\"";
            return **m == 0 ? "\"none\"" : std::to_string(**m);
          },
          [](Endpoint* m) {
            const auto ip = m->ip.to_string();
            return quoted((m->ip.is_v4() ? ip : "[" + ip + "]") + ":" + std::to_string(m->port));
          },
          [](const Word& m) { return quoted(m.get(m.target)); },
          [&](std::vector<WhitelistedPeer>* m) { return listed(*m, address); },
          [&](std::vector<BlacklistedPeer>* m) { return listed(*m, address); },
          [](std::vector<AlertSink>* m) {
            return listed(*m, [](const AlertSink& sink) { return quoted(sink.name); });
          },
      },
      slot);
}

}  // namespace timectl::config
