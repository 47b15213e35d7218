#include "config/whitelist_file.h"

#include <algorithm>
#include <boost/json/serialize.hpp>

#include "config/load.h"
#include "daemon/core/events.h"
#include "daemon/core/reflect.h"

namespace timectl::config {
namespace {

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
constexpr std::size_t kShownBytes = 80;  // of a bad entry

void read_toml_list(std::string_view text, const std::string& name, ListBuilder& builder) {
  auto checked = check_list(text, name);
  for (const auto& problem : checked.problems) {
    const auto place = problem.line == 0 ? "" : "line " + std::to_string(problem.line);
    builder.bad(place, problem.excerpt,
                problem.message + (problem.hint.empty() ? "" : " (" + problem.hint + ")"));
  }
  if (!checked.problems.empty()) return;
  if (!checked.config.placed.contains("network.whitelisted_peers")) {
    return builder.bad("", "", "there is no whitelisted_peers in it");
  }
  for (auto& peer : checked.config.network.whitelisted_peers) {
    const auto place = "line " + std::to_string(peer.line);
    if (builder.full(place)) return;
    builder.add({peer.ip, std::move(peer.label), peer.liveness, peer.trusts_us,
                 std::move(peer.reason), peer.expires_at},
                place);
  }
}

// The first line that says something.
std::string_view first_line(std::string_view text) {
  while (!text.empty()) {
    auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    const auto start = line.find_first_not_of(" \t\r");
    if (start == std::string_view::npos || line[start] == '#') continue;
    return line.substr(start);
  }
  return {};
}

bool is_key(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '-' || c == '.';
}

// A basic string of TOML: the texts of an entry have no control characters.
std::string toml_text(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + '"';
}

std::string toml_entry(const ListedPeer& peer) {
  std::string entry = "{ip = " + toml_text(peer.ip.to_string());
  if (!peer.label.empty()) entry += ", label = " + toml_text(peer.label);
  if (peer.liveness) entry += ", liveness = " + toml_text(name_of(*peer.liveness));
  if (peer.trusts_us) entry += ", trusts_us = true";
  if (!peer.reason.empty()) entry += ", reason = " + toml_text(peer.reason);
  if (peer.expires_at) entry += ", expires_at = " + toml_text(rfc3339(*peer.expires_at));
  return entry + "}";
}

std::string write_toml(const std::vector<ListedPeer>& peers) {
  std::string text = "[network]\nwhitelisted_peers = [\n";
  for (const auto& peer : peers) text += "  " + toml_entry(peer) + ",\n";
  return text + "]\n";
}

// A value of a line of text: in quotes where it would not read back as one word.
std::string word(std::string_view text) {
  const auto plain = [](char c) {
    return static_cast<unsigned char>(c) > ' ' && c != '"' && c != '\\' && c != '#';
  };
  return std::all_of(text.begin(), text.end(), plain) ? std::string(text) : toml_text(text);
}

std::string write_text(const std::vector<ListedPeer>& peers) {
  std::string text = "# timectl whitelist: " + std::to_string(peers.size()) +
                     (peers.size() == 1 ? " entry" : " entries") + "\n";
  for (const auto& peer : peers) {
    text += peer.ip.to_string();
    if (!peer.label.empty()) text += " label=" + word(peer.label);
    if (peer.liveness) text += " liveness=" + std::string(name_of(*peer.liveness));
    if (peer.trusts_us) text += " trusts_us=true";
    if (peer.expires_at) text += " expires_at=" + rfc3339(*peer.expires_at);
    if (!peer.reason.empty()) text += " reason=" + word(peer.reason);
    text += '\n';
  }
  return text;
}

}  // namespace

void ListBuilder::add(ListedPeer peer, std::string place) {
  const auto [first, fresh] = places_.try_emplace(peer.ip, place);
  if (!fresh) {
    return bad(std::move(place), peer.ip.to_string(),
               "the address is in " + first->second + " too");
  }
  if (auto why = wrong_with(peer); !why.empty()) {
    return bad(std::move(place), peer.ip.to_string(), why);
  }
  list_.peers.push_back(std::move(peer));
}

void ListBuilder::bad(std::string place, std::string_view text, std::string_view why) {
  if (++list_.problem_count > kMostListProblems) return;
  list_.problems.push_back({std::move(place), printable(text, kShownBytes), printable(why, 500)});
}

bool ListBuilder::full(const std::string& place) {
  if (places_.size() < kMostListed) return false;
  bad(place, "", "a list has at most " + std::to_string(kMostListed) + " entries");
  return true;
}

ListFormat format_of(std::string_view text, const std::string& name) {
  if (name.ends_with(".json")) return ListFormat::json;
  if (name.ends_with(".toml")) return ListFormat::toml;
  if (name.ends_with(".txt")) return ListFormat::text;
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  const auto line = first_line(text);
  if (line.starts_with('{')) return ListFormat::json;
  const auto key = static_cast<std::size_t>(
      std::find_if_not(line.begin() + (line.starts_with('[') ? 1 : 0), line.end(), is_key) -
      line.begin());
  if (line.starts_with('[')) return key > 1 ? ListFormat::toml : ListFormat::json;
  const auto next = line.find_first_not_of(" \t", key);
  const bool assigned = next != std::string_view::npos && line[next] == '=';
  return key > 0 && assigned ? ListFormat::toml : ListFormat::text;
}

PeerList read_list(std::string_view text, const std::string& name, const ReadOptions& options) {
  PeerList list;
  ListBuilder builder(list);
  list.format = options.format ? *options.format : format_of(text, name);
  if (text.size() > kMostListBytes) {
    builder.bad("", "", "the list is larger than " + std::to_string(kMostListBytes) + " bytes");
    return list;
  }
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  if (list.format == ListFormat::text) read_text_list(text, builder);
  if (list.format == ListFormat::json) read_json_list(text, options.all_sources, list, builder);
  if (list.format == ListFormat::toml) read_toml_list(text, name, builder);
  if (list.problem_count > 0) list.peers.clear();
  return list;
}

std::string write_list(const std::vector<ListedPeer>& peers, ListFormat format) {
  if (format == ListFormat::text) return write_text(peers);
  if (format == ListFormat::toml) return write_toml(peers);
  return boost::json::serialize(list_json(peers)) + "\n";
}

}  // namespace timectl::config
