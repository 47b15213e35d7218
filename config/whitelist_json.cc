// JSON lists: a bare array of addresses or objects, or a document of `timectl whitelist export` or
// `timectl whitelist list` that has the array in `data`.
#include <algorithm>

#include "config/problem.h"
#include "config/whitelist_file.h"
#include "daemon/core/json.h"

namespace timectl::config {
namespace {

constexpr std::size_t kDepth = 8;  // a document with its sources needs 4
constexpr std::string_view kSchemas = "timectl.whitelist.";

// What `whitelist list --json` has besides; nothing of it is imported.
constexpr auto kIgnored = std::to_array<std::string_view>(
    {"added_at", "added_by", "missing_since", "connected", "by_source"});

struct Parsed {
  json::value value = {};
  std::string problem = {};
  std::size_t line = 0;
};

Parsed parse(std::string_view text) {
  json::parse_options options;
  options.max_depth = kDepth;
  json::stream_parser parser(json::storage_ptr(), options);
  boost::system::error_code failed;
  const auto used = parser.write_some(text.data(), text.size(), failed);
  const auto rest = text.find_first_not_of(" \t\r\n", used);
  Parsed parsed;
  if (!failed && rest != std::string_view::npos) {
    parsed.problem = "there is more after the end of the JSON value";
  } else if (!failed) {
    parser.finish(failed);
  }
  if (failed) parsed.problem = "not JSON: " + failed.message();
  if (parsed.problem.empty()) {
    parsed.value = parser.release();
  } else {
    const auto end = text.begin() + static_cast<std::ptrdiff_t>(std::min(used, text.size()));
    parsed.line = 1 + static_cast<std::size_t>(std::count(text.begin(), end, '\n'));
  }
  return parsed;
}

const json::array* entries_of(const json::value& value) {
  if (const auto* array = value.if_array()) return array;
  const auto* object = value.if_object();
  if (object == nullptr) return nullptr;
  const auto* schema = object->if_contains("schema");
  if (schema == nullptr || !schema->is_string()) return nullptr;
  const std::string_view name(schema->get_string().data(), schema->get_string().size());
  const auto* data = object->if_contains("data");
  return name.starts_with(kSchemas) && data != nullptr ? data->if_array() : nullptr;
}

// Empty: taken over. null is: not said.
std::string set_field(ListedPeer& peer, std::string_view key, const json::value& value) {
  if (value.is_null()) return {};
  Result<void> read;
  const std::string name(key);
  if (name == "ip" || name == "address") {
    read = from_json(value, peer.ip, name);
  } else if (name == "label") {
    read = from_json(value, peer.label, name);
  } else if (name == "reason") {
    read = from_json(value, peer.reason, name);
  } else if (name == "liveness") {
    read = from_json(value, peer.liveness, name);
  } else if (name == "trusts_us") {
    read = from_json(value, peer.trusts_us, name);
  } else if (name == "expires_at") {
    read = from_json(value, peer.expires_at, name);
  } else {
    const auto like =
        nearest(name, {"ip", "label", "reason", "liveness", "trusts_us", "expires_at"});
    return "there is no field " + name.substr(0, 64) +
           (like.empty() ? "" : "; did you mean " + like + "?");
  }
  if (read) return {};
  return read.error().because.empty() ? read.error().message : read.error().because;
}

bool is_manual(const json::object& object) {
  const auto* sources = object.if_contains("sources");
  if (sources == nullptr || !sources->is_array()) return true;
  return std::any_of(sources->get_array().begin(), sources->get_array().end(),
                     [](const json::value& one) { return one == "manual"; });
}

std::string shown(const json::value& value) {
  const auto* object = value.if_object();
  for (const char* key : {"ip", "address"}) {
    const auto* ip = object == nullptr ? nullptr : object->if_contains(key);
    if (ip != nullptr && ip->is_string()) return std::string(ip->get_string().subview(0, 80));
  }
  if (const auto* text = value.if_string()) return std::string(text->subview(0, 80));
  return {};
}

void read_entry(const json::value& value, std::string place, ListBuilder& builder) {
  ListedPeer peer;
  std::string why;
  const auto* object = value.if_object();
  if (value.is_string()) {
    why = set_field(peer, "ip", value);
  } else if (object == nullptr) {
    why = "an entry is an address in quotes or an object with `ip`";
  } else {
    const bool listing = object->contains("own_liveness");  // `liveness` is then the one in force
    for (const auto& pair : *object) {
      const std::string_view key(pair.key().data(), pair.key().size());
      const bool ignored = key == "sources" || (listing && key == "liveness") ||
                           std::find(kIgnored.begin(), kIgnored.end(), key) != kIgnored.end();
      if (ignored || !why.empty()) continue;
      why = set_field(peer, key == "own_liveness" ? "liveness" : key, pair.value());
    }
    const auto given = [&](const char* key) {
      const auto* ip = object->if_contains(key);
      return ip != nullptr && ip->is_string();
    };
    if (why.empty() && !given("ip") && !given("address")) why = "the entry has no `ip`";
    if (why.empty() && given("ip") && given("address")) why = "the entry has `ip` and `address`";
  }
  if (!why.empty()) return builder.bad(std::move(place), shown(value), why);
  builder.add(std::move(peer), std::move(place));
}

}  // namespace

void read_json_list(std::string_view text, bool all_sources, PeerList& list, ListBuilder& builder) {
  const auto parsed = parse(text);
  if (!parsed.problem.empty()) {
    return builder.bad("line " + std::to_string(parsed.line), "", parsed.problem);
  }
  const auto* entries = entries_of(parsed.value);
  if (entries == nullptr) {
    return builder.bad("", "",
                       "neither an array nor a document of `timectl whitelist export --json`");
  }
  std::size_t number = 0;
  for (const auto& entry : *entries) {
    const auto place = "entry " + std::to_string(++number);
    if (builder.full(place)) return;
    const auto* object = entry.if_object();
    if (object != nullptr && !all_sources && !is_manual(*object)) {
      ++list.left_out;
      continue;
    }
    read_entry(entry, place, builder);
  }
}

json::array list_json(const std::vector<ListedPeer>& peers) {
  json::array entries;
  entries.reserve(peers.size());
  for (const auto& peer : peers) entries.push_back(to_json(peer));
  return entries;
}

}  // namespace timectl::config
