#include "daemon/diagnose/facts.h"

#include "daemon/core/json.h"

namespace timectl::diagnose {
namespace {

// More rows than a node ever has are no facts of a node.
constexpr std::size_t kMaxPeers = 5'000;
constexpr std::size_t kMaxSessions = 10'000;
constexpr std::size_t kMaxDepth = 16;
constexpr std::size_t kMaxQuoted = 500;  // bytes of a refusal

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
    auto refused = ok.error();
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
