// Any answer of a peer's RPC, of any method: it is read or refused, and what was learned from it is
// within the bounds that the rules and the terminal rely on.
#include <cmath>
#include <string>
#include <string_view>

#include "daemon/core/events.h"
#include "daemon/probe/rpc.h"
#include "tests/fuzz/fuzz.h"

namespace timectl::probe {

using timectl::fuzz::require;

namespace {

constexpr std::string_view kMethods[] = {
    "getblockchaininfo", "uptime",         "getnetworkinfo",   "getinfo",      "getpeerinfo",
    "getbanlist",        "masternodelist", "masternodestatus", "getwhitelist", "getblockhash"};
constexpr WallTime kNow{std::chrono::milliseconds(1'784'900'000'000)};

void check_text(const std::string& text) {
  require(text.size() <= 1000 && printable(text, 1000) == text, "texts are short and printable");
}

void check_facts(const diagnose::RpcFacts& facts) {
  for (const auto* text : {&facts.version, &facts.masternode_status, &facts.eligibility,
                           &facts.our_tier, &facts.bans_our_subnet}) {
    check_text(*text);
  }
  for (const auto* hash : {&facts.tip_hash, &facts.genesis_hash}) {
    require(hash->empty() || hash->size() == 64, "a hash is whole");
    require(hash->find_first_not_of("0123456789abcdef") == std::string::npos, "and of digits");
  }
  if (facts.bans_us) check_text(facts.bans_us->reason);
  require(facts.uptime_seconds.value_or(0) >= 0, "nobody runs for less than no time");
  require(std::isfinite(facts.clock_seconds.value_or(0)), "numbers are finite");
  require(facts.peers_connected.value_or(0) <= facts.peers_listed.value_or(0), "a part is less");
  require(facts.our_rows.value_or(0) <= facts.peers_listed.value_or(0), "a part is less");
  require(!facts.sees_us || facts.our_rows.value_or(0) > 0, "who sees us lists us");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  RpcRequest request;
  if ((data[0] & 0x80U) != 0) request.us = IpAddress::v4(203, 0, 113, 7);
  if ((data[0] & 0x40U) != 0) request.our_collateral = "ab:0";
  const auto method = kMethods[(data[0] & 0x3fU) % std::size(kMethods)];
  const std::string_view body(reinterpret_cast<const char*>(data) + 1, size - 1);
  diagnose::RpcFacts facts;
  (void)read_rpc_answer(method, body, request, kNow, facts);
  check_facts(facts);
  diagnose::RpcFacts again;
  (void)read_rpc_answer(method, body, request, kNow, again);
  require(diagnose::facts_to_json({{}, diagnose::PeerFacts{.rpc = facts}}) ==
              diagnose::facts_to_json({{}, diagnose::PeerFacts{.rpc = again}}),
          "the same answer means the same");
  return 0;
}

}  // namespace timectl::probe
