#include "daemon/diagnose/facts.h"

#include <algorithm>
#include <array>

#include "daemon/core/json.h"

namespace timectl::diagnose {
namespace {

// More rows than a node ever has are no facts of a node.
constexpr std::size_t kMaxPeers = 5'000;
constexpr std::size_t kMaxSessions = 10'000;
constexpr std::size_t kMaxDepth = 16;
constexpr std::size_t kMaxQuoted = 500;  // bytes of a refusal

bool holds_addresses(std::string_view member) {
  constexpr std::array<std::string_view, 7> kMembers{
      "ip", "address", "external_ip", "from", "best_peer", "vouched_by", "peers"};
  return std::ranges::find(kMembers, member) != kMembers.end();
}

// Where the text stands that was refused as an address: IpAddress does not know its field.
std::string field_of(const json::value& value, const Error& refused, const std::string& path,
                     std::string_view member) {
  if (value.is_string() && holds_addresses(member)) {
    const auto ip = IpAddress::parse({value.get_string().data(), value.get_string().size()});
    return !ip && ip.error().message == refused.message ? path : "";
  }
  std::string found;
  if (value.is_array()) {
    std::size_t i = 0;
    for (const auto& item : value.get_array()) {
      if (!found.empty()) break;
      found = field_of(item, refused, path + "[" + std::to_string(i++) + "]", member);
    }
  } else if (value.is_object()) {
    for (const auto& pair : value.get_object()) {
      if (!found.empty()) break;
      const std::string key(pair.key());
      found = field_of(pair.value(), refused, path.empty() ? key : path + "." + key, key);
    }
  }
  return found;
}

// A bad address is bad data like any other bad field, and not a bad argument.
Error named(Error refused, const json::value& value) {
  if (refused.code != Code::not_an_address) return refused;
  auto error = bad_field(field_of(value, refused, "", ""), refused.message);
  error.because = refused.because;
  return error;
}

}  // namespace

std::string facts_to_json(const Facts& facts) {
  return json::serialize(to_json(facts));
}

Result<Facts> facts_from_json(std::string_view text) {
  if (text.size() > kMaxFactsBytes) {
    return Error{Code::too_large, "these facts have " + std::to_string(text.size()) + " bytes",
                 "at most " + std::to_string(kMaxFactsBytes) + " are read"};
  }
  json::parse_options options;
  options.max_depth = kMaxDepth;
  boost::system::error_code failed;
  const auto value = json::parse(text, failed, {}, options);
  if (failed) {
    return Error{Code::bad_data,
                 "these facts are no JSON",
                 failed.message(),
                 {"timectl diagnose peer IP --facts"}};
  }
  Facts facts;
  if (auto ok = from_json(value, facts, ""); !ok) {
    // It quotes what it refuses, which may drive a terminal.
    auto refused = named(ok.error(), value);
    refused.message = printable(refused.message, kMaxQuoted);
    refused.because = printable(refused.because, kMaxQuoted);
    return refused;
  }
  if (facts.node.peers.size() > kMaxPeers) {
    return bad_field("node.peers", "has more than " + std::to_string(kMaxPeers) + " rows");
  }
  if (facts.peer && facts.peer->sessions.size() > kMaxSessions) {
    return bad_field("peer.sessions", "has more than " + std::to_string(kMaxSessions) + " rows");
  }
  return facts;
}

}  // namespace timectl::diagnose
