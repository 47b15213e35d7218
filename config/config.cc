// The one file that includes toml11: it costs 20 s of compile time.
#include "config/config.h"

#include <algorithm>
#include <map>
#include <sstream>
#include <toml.hpp>

#include "config/check.h"
#include "config/keys.h"
#include "config/load.h"
#include "config/override.h"
#include "config/sink.h"
#include "config/toml_guard.h"
#include "config/words.h"
#include "daemon/core/whitelist_import.h"

namespace timectl::config {
namespace {

constexpr std::size_t kMostProblems = 100;
constexpr std::size_t kMostAddresses = 100'000;
constexpr std::size_t kMostSinks = 32;

class Reader {
 public:
  enum class Wanted : std::uint8_t { all, whitelist };
  Reader(std::string_view text, const std::string& file, Checked& out, Wanted wanted = Wanted::all)
      : text_(text), file_(file), out_(out), wanted_(wanted) {}

  void run() {
    std::istringstream stream{std::string(text_)};
    try {
      const toml::value root = toml::parse(stream, file_);
      out_.is_toml = true;
      for (const auto& [name, value] : root.as_table()) read_section(name, value);
    } catch (const toml::syntax_error& error) {
      add_syntax(error);
    } catch (const std::exception& error) {  // toml11 lets out_of_range and others through
      out_.problems.push_back({file_, 0, 0, 0, "the file is not TOML", error.what(), ""});
    }
  }

 private:
  using Location = toml::source_location;

  void read_section(const std::string& name, const toml::value& value) {
    if (wanted_ == Wanted::whitelist) return read_list(name, value);
    const auto sections = section_names();
    if (std::find(sections.begin(), sections.end(), name) == sections.end()) {
      const auto like = nearest(name, sections);
      add(value.location(), "there is no section [" + name + "]", did_you_mean(like), name);
    } else if (!value.is_table()) {
      add(value.location(), name + " is a section", "write [" + name + "]", name);
    } else {
      for (const auto& [key, item] : value.as_table()) read_key(name, key, item);
    }
  }

  void read_list(const std::string& name, const toml::value& value) {
    if (name == "whitelisted_peers") {
      read_key("network", name, value);
    } else if (name == "network" && value.is_table() && value.contains("whitelisted_peers")) {
      read_key(name, "whitelisted_peers", value.at("whitelisted_peers"));
    }
  }

  void read_key(const std::string& section, const std::string& name, const toml::value& value) {
    const Key* key = find_key(section, name);
    if (key == nullptr) {
      add(value.location(), "there is no key `" + name + "` in [" + section + "]",
          did_you_mean(nearest(name, keys_of(section))), name);
      return;
    }
    out_.config.placed[section + "." + name] = {Origin::file, value.location().line()};
    const Slot slot = key->slot(out_.config);
    if (std::holds_alternative<std::vector<WhitelistedPeer>*>(slot)) {
      read_whitelist(value);
    } else if (std::holds_alternative<std::vector<BlacklistedPeer>*>(slot)) {
      read_blacklist(value);
    } else if (std::holds_alternative<std::vector<AlertSink>*>(slot)) {
      read_sinks(value);
    } else if (const auto scalar = scalar_of(value)) {
      if (const auto refusal = assign(out_.config, *key, *scalar)) {
        add(value.location(), refusal->message, refusal->hint);
      }
    } else {
      add(value.location(), section + "." + name + " has a value of the wrong kind",
          "a " + std::string(key->description));
    }
  }

  void read_whitelist(const toml::value& value) {
    for_each_item(value, kMostAddresses, "a list of addresses", [&](const toml::value& item) {
      WhitelistedPeer peer;
      peer.line = item.location().line();
      if (item.is_string()) {
        if (read_address(item, peer.ip)) out_.config.network.whitelisted_peers.push_back(peer);
        return;
      }
      if (!item.is_table()) {
        add(item.location(), "an address is a text or a table",
            "\"1.2.3.4\" or {ip = \"1.2.3.4\", label = \"name\"}");
        return;
      }
      bool complete = false;
      for (const auto& [name, field] : item.as_table()) {
        if (name == "ip") {
          complete = read_address(field, peer.ip);
        } else if (name == "label") {
          read_label(field, peer.label);
        } else if (name == "liveness") {
          LivenessProfile profile{};
          if (read_word(field, "liveness", profile)) peer.liveness = profile;
        } else if (name == "trusts_us" && field.is_boolean()) {
          peer.trusts_us = field.as_boolean();
        } else if (name == "trusts_us") {
          add(field.location(), "trusts_us must be true or false", "");
        } else if (name == "reason") {
          read_text(field, name, peer.reason);
          const auto wrong = wrong_with({.reason = peer.reason});
          if (!wrong.empty()) add(field.location(), wrong, "");
        } else if (name == "expires_at") {
          read_expiry(field, peer.expires_at);
        } else {
          add(field.location(), "there is no key `" + name + "` in an entry",
              did_you_mean(nearest(name, {"ip", "label", "liveness", "trusts_us", "reason"})),
              name);
        }
      }
      if (complete) {
        out_.config.network.whitelisted_peers.push_back(peer);
      } else if (!item.contains("ip")) {
        add(item.location(), "the entry has no ip", "{ip = \"1.2.3.4\"}");
      }
    });
  }

  void read_blacklist(const toml::value& value) {
    for_each_item(value, kMostAddresses, "a list of addresses", [&](const toml::value& item) {
      BlacklistedPeer peer;
      peer.line = item.location().line();
      if (read_address(item, peer.ip)) out_.config.network.blacklisted_peers.push_back(peer);
    });
  }

  void read_sinks(const toml::value& value) {
    std::map<std::string, std::size_t> names;
    for_each_item(value, kMostSinks, "a list of tables: [[alerts.sink]]",
                  [&](const toml::value& item) {
                    if (!item.is_table()) {
                      add(item.location(), "a sink is a table", "[[alerts.sink]]");
                      return;
                    }
                    auto sink = read_sink(item);
                    if (sink.name.empty())
                      return out_.config.alerts.sinks.push_back(std::move(sink));
                    const auto at = item.at("name").location();
                    if (const auto [first, fresh] = names.emplace(sink.name, at.line()); !fresh) {
                      add(at, "two sinks are called " + sink.name,
                          "the first in line " + std::to_string(first->second));
                    }
                    out_.config.alerts.sinks.push_back(std::move(sink));
                  });
  }

  AlertSink read_sink(const toml::value& item) {
    AlertSink sink;
    std::vector<std::string> given;
    bool kind_known = true;
    const auto before = out_.problems.size();
    for (const auto& [name, field] : item.as_table()) {
      std::optional<SinkRefusal> refusal;
      if (name == "name") {
        read_label(field, sink.name);
        if (const auto wrong = wrong_with_name(sink.name); !wrong.empty()) refusal = {{wrong}};
      } else if (const auto scalar = scalar_of(field); !scalar) {
        refusal = SinkRefusal{name + " of a sink has a value of the wrong kind", "", true};
      } else {
        refusal = assign_sink(sink, name, *scalar);
      }
      given.push_back(name);
      if (!refusal) continue;
      add(field.location(), refusal->message, refusal->hint, refusal->is_name ? name : "");
      kind_known = kind_known && name != "kind";
    }
    // A nameless one because of its name was told of that.
    if (sink.name.empty() && !item.contains("name")) {
      add(item.location(), "the sink has no name", "name = \"pager\"");
    }
    for (const auto& wrong : problems_of(sink, given, kind_known)) {
      // What was refused by itself is not said to be missing, too.
      const bool here = !wrong.key.empty() && item.contains(wrong.key);
      const auto at = here ? item.at(wrong.key).location() : item.location();
      const bool said = std::any_of(
          out_.problems.begin() + static_cast<std::ptrdiff_t>(before), out_.problems.end(),
          [&](const auto& problem) { return here && problem.line == at.line(); });
      if (!said) add(at, wrong.message, wrong.hint, here ? wrong.key : "");
    }
    return sink;
  }

  template <class Each>
  void for_each_item(const toml::value& value, std::size_t most, const std::string& wanted,
                     Each each) {
    if (!value.is_array()) {
      add(value.location(), "this must be " + wanted, "");
    } else if (value.as_array().size() > most) {
      add(value.location(), "the list is too long", "at most " + std::to_string(most) + " items");
    } else {
      for (const auto& item : value.as_array()) each(item);
    }
  }

  bool read_address(const toml::value& value, IpAddress& ip) {
    if (!value.is_string()) {
      add(value.location(), "an address is a text in quotes", "\"1.2.3.4\"");
      return false;
    }
    const auto parsed = IpAddress::parse(value.as_string().str);
    if (!parsed) {
      add(value.location(), parsed.error().message, parsed.error().because);
      return false;
    }
    ip = *parsed;
    return true;
  }

  void read_label(const toml::value& value, std::string& label) {
    const std::string text = value.is_string() ? value.as_string().str : "";
    const auto control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
    if (text.empty() || text.size() > kLongestLabel ||
        std::any_of(text.begin(), text.end(), control)) {
      add(value.location(), "a name is a text of 1 to 64 printable bytes", "");
    } else if (IpAddress::parse(text)) {
      add(value.location(), "a name must not look like an address", "");
    } else {
      label = text;
    }
  }

  void read_expiry(const toml::value& value, std::optional<WallTime>& at) {
    if (wanted_ == Wanted::all) {
      add(value.location(), "an entry of the config never expires",
          "timectl whitelist add IP --expires 30d", "expires_at");
      return;
    }
    const auto parsed = parse_rfc3339(value.is_string() ? value.as_string().str : "");
    if (parsed) {
      at = *parsed;
    } else {
      add(value.location(), "expires_at must be a time in quotes", "\"2027-01-31T00:00:00Z\"");
    }
  }

  void read_text(const toml::value& value, const std::string& name, std::string& member) {
    if (!value.is_string() || value.as_string().str.size() > 4096) {
      add(value.location(), name + " must be a text of at most 4096 bytes", "");
    } else {
      member = value.as_string().str;
    }
  }

  template <class E>
  bool read_word(const toml::value& value, const std::string& name, E& member) {
    const Word w = word(member);
    if (value.is_string() && w.set(w.target, value.as_string().str)) return true;
    std::string words;
    for (const auto& one : w.words()) words += (words.empty() ? "" : ", ") + one;
    add(value.location(), "this is no value of " + name, "one of: " + words);
    return false;
  }

  static std::optional<Scalar> scalar_of(const toml::value& value) {
    if (value.is_boolean()) return value.as_boolean();
    if (value.is_integer()) return static_cast<std::int64_t>(value.as_integer());
    if (value.is_floating()) return value.as_floating();
    if (value.is_string()) return value.as_string().str;
    if (!value.is_array()) return std::nullopt;
    std::vector<std::string> items;
    for (const auto& item : value.as_array()) {
      if (!item.is_string()) return std::nullopt;
      items.push_back(item.as_string().str);
    }
    return items;
  }

  static std::vector<std::string> keys_of(const std::string& section) {
    std::vector<std::string> names;
    for (const auto& key : key_table()) {
      if (key.section == section) names.emplace_back(key.name);
    }
    return names;
  }

  static std::string did_you_mean(const std::string& like) {
    return like.empty() ? "" : "did you mean `" + like + "`?";
  }

  // With `name`, the caret is put under the key instead of its value.
  void add(const Location& at, std::string message, std::string hint,
           const std::string& name = "") {
    Problem problem{file_,           at.line(),    at.column(), at.region(), std::move(message),
                    std::move(hint), at.line_str()};
    const auto found = name.empty() ? std::string::npos : problem.excerpt.find(name);
    if (found != std::string::npos && found < problem.column) {
      problem.column = found + 1;
      problem.width = name.size();
    }
    out_.problems.push_back(std::move(problem));
  }

  // toml11's own text is a page with its source positions: keep its first line.
  void add_syntax(const toml::syntax_error& error) {
    const std::string text = error.what();
    std::string message = text.substr(0, text.find('\n'));
    if (message.starts_with("[error] ")) message.erase(0, 8);
    std::string hint;
    if (message.find("already exists") != std::string::npos ||
        message.find("already defined") != std::string::npos) {
      const auto open = message.find('"');
      const auto close = message.rfind('"');
      const auto name = open < close ? message.substr(open + 1, close - open - 1) : "this key";
      message = "`" + name + "` is given twice";
      const auto bar = text.find(" | ");  // the first excerpt is the first of the two
      const auto start = bar == std::string::npos ? bar : text.rfind('\n', bar);
      if (start != std::string::npos) {
        auto number = text.substr(start + 1, bar - start - 1);
        number.erase(0, std::min(number.find_first_not_of(' '), number.size()));
        hint = "first in line " + number;
      }
    } else {
      if (const auto colon = message.find(": "); message.starts_with("toml::")) {
        message.erase(0, colon == std::string::npos ? 0 : colon + 2);
      }
      message = "not TOML: " + message;
    }
    add(error.location(), std::move(message), std::move(hint));
  }

  std::string_view text_;
  const std::string& file_;
  Checked& out_;
  Wanted wanted_;
};

}  // namespace

std::uint16_t Config::p2p_port() const {
  if (network.port != 0) return network.port;
  return network.name == Network::mainnet ? 24'000 : 24'100;
}

std::string Config::discovery_url() const {
  if (!discovery.url.empty()) return discovery.url;
  return network.name == Network::mainnet ? "https://time-coin.io/api/peers"
                                          : "https://time-coin.io/api/testnet/peers";
}

std::string Config::where(std::size_t line) const {
  return file + ":" + std::to_string(line);
}

Checked check_text(std::string_view text, const std::string& file, const Request& request) {
  Checked out;
  out.config.file = file;
  out.problems = unsafe_to_parse(text, file);
  if (out.problems.empty()) Reader(text, file, out).run();
  apply_overrides(request.environment, request.flags, out);
  auto broken = broken_list_rules(out.config);
  if (out.problems.empty() && broken.empty()) broken = broken_number_rules(out.config);
  for (auto& problem : broken) point_at(problem, text);
  out.problems.insert(out.problems.end(), broken.begin(), broken.end());
  std::stable_sort(out.problems.begin(), out.problems.end(),
                   [](const auto& a, const auto& b) { return a.line < b.line; });
  if (out.problems.size() > kMostProblems) out.problems.resize(kMostProblems);
  return out;
}

Checked check_list(std::string_view text, const std::string& file) {
  Checked out;
  out.config.file = file;
  out.problems = unsafe_to_parse(text, file);
  if (out.problems.empty()) Reader(text, file, out, Reader::Wanted::whitelist).run();
  return out;
}

}  // namespace timectl::config
