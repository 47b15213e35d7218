// Rules about the configuration, the API's list and the peers' RPC: FM-C and FM-A.
#include <array>

#include "daemon/core/reflect.h"
#include "daemon/diagnose/rules.h"

namespace timectl::diagnose {
namespace {

void wrong_external_ip(const Scene& s, Proof& p) {
  const auto& configured = s.node().config.external_ip;
  const auto& seen = s.node().address;
  if (!configured || !seen || seen->is_unspecified() || *configured == *seen) return;
  p.add(Side::others, 0.85,
        "configured is " + configured->to_string() + ", peers see " + seen->to_string());
}

void custom_port(const Scene& s, Proof& p) {
  const auto& listener = s.node().listener;
  if (listener.wanted != true || listener.port == 0 || listener.network_port == 0) return;
  if (listener.port == listener.network_port) return;
  p.add(Side::ours, 0.9,
        "we listen on port " + std::to_string(listener.port) + ", every node dials " +
            std::to_string(listener.network_port));
}

void ignored_keys(const Scene& s, Proof& p) {
  for (const auto& key : s.node().config.unknown_keys) {
    p.add(Side::ours, 0.8, printable(key) + " has no effect");
  }
}

void two_identities(const Scene& s, Proof& p) {
  if (s.rpc().our_identity_at.value_or(0) < 2) return;
  p.add(Side::peer, 0.85,
        "its registry has our collateral at " + std::to_string(*s.rpc().our_identity_at) +
            " addresses");
}

void no_masternode(const Scene& s, Proof& p) {
  if (!s.peer().whitelisted || s.rpc().masternode_status != "not_a_masternode") return;
  p.add(Side::peer, 0.85, "it says itself that it is no masternode");
}

void rpc_locked(const Scene& s, Proof& p) {
  if (!s.rpc_is(RpcAnswer::unauthorized)) return;
  p.add(Side::ours, 0.8, "its RPC asks for credentials even for public methods");
}

void by_hand(const Scene& s, Proof& p) {
  if (!s.node().timed || s.node().timed->outside_systemd != true) return;
  p.add(Side::ours, 0.8, "the timed here runs outside of systemd");
}

void api_is(const Scene& s, Proof& p, ApiAnswer answer, double weight) {
  const auto& api = s.node().api;
  if (api.answer != answer) return;
  p.add(Side::ours, weight,
        "the last answer: " + std::string(name_of(answer)) +
            (api.detail.empty() ? "" : ", " + printable(api.detail)));
}

void api_dns(const Scene& s, Proof& p) {
  api_is(s, p, ApiAnswer::unresolved, 0.9);
}
void api_http(const Scene& s, Proof& p) {
  api_is(s, p, ApiAnswer::http_error, 0.9);
  api_is(s, p, ApiAnswer::timed_out, 0.7);
}
void api_tls(const Scene& s, Proof& p) {
  api_is(s, p, ApiAnswer::tls_failed, 0.9);
}
void api_shape(const Scene& s, Proof& p) {
  api_is(s, p, ApiAnswer::wrong_shape, 0.9);
}
void api_empty(const Scene& s, Proof& p) {
  api_is(s, p, ApiAnswer::empty, 0.8);
  if (s.node().api.answer != ApiAnswer::empty) return;
  if (s.node().api.entries > 0) {
    p.add(Side::others, 0.5, "it had " + std::to_string(s.node().api.entries) + " before");
  }
  if (s.node().whitelisted == 0U) {
    p.add(Side::ours, 0.5, "and 0 addresses are whitelisted");
    p.weighs(Severity::critical);
  }
}
void api_poisoned(const Scene& s, Proof& p) {
  api_is(s, p, ApiAnswer::held_back, 0.8);
  const auto bad = s.node().api.refused_entries;
  if (bad == 0) return;
  p.add(Side::ours, 0.7,
        count_text(bad, "entry of it is", "entries of it are") + " no public address and refused");
}
void api_huge(const Scene& s, Proof& p) {
  api_is(s, p, ApiAnswer::too_large, 0.9);
}

void api_stale(const Scene& s, Proof& p) {
  const auto& api = s.node().api;
  constexpr std::uint64_t kLeast = 5;
  constexpr std::uint64_t kShare = 5;  // a fifth of the list
  if (api.entries < kLeast || api.dead_for_a_day < api.entries / kShare) return;
  p.add(Side::ours, 0.8,
        std::to_string(api.dead_for_a_day) + " of " + std::to_string(api.entries) +
            " addresses of the list were not reached for a day");
}

void rpc_down(const Scene& s, Proof& p) {
  if (!s.rpc_is(RpcAnswer::refused) && !s.rpc_is(RpcAnswer::timed_out) &&
      !s.rpc_is(RpcAnswer::silent)) {
    return;
  }
  if (!s.connected() && !s.probe_reached(Stage::handshake)) return;
  // Closed or filtered it may well be on purpose (FM-A10); a server that accepts and hangs is ill.
  if (!s.rpc_is(RpcAnswer::silent)) p.weighs(Severity::info);
  p.add(Side::ours, 0.7, "its RPC: " + std::string(name_of(s.peer().rpc->answer)));
  p.add(Side::ours, 0.5, s.connected() ? "while our session with it is up" : s.contact().text);
}

void rpc_limited(const Scene& s, Proof& p) {
  if (!s.rpc_is(RpcAnswer::rate_limited)) return;
  p.add(Side::peer, 0.9, "its RPC answers 429: it is asked too often");
}

void rpc_open(const Scene& s, Proof& p) {
  if (!s.rpc_ok() || !s.peer().ip.is_public()) return;
  p.add(Side::ours, 0.9, "its RPC port answers us, so it answers everybody");
}

void isolated(const Scene& s, Proof& p) {
  const auto& rpc = s.rpc();
  constexpr std::uint64_t kMany = 10;
  if (rpc.peers_listed.value_or(0) < kMany || rpc.peers_connected != 0U) return;
  p.add(Side::peer, 0.8,
        "it lists " + std::to_string(*rpc.peers_listed) +
            " peers and is connected with none of them");
  if (rpc.connections_in == 0U && rpc.connections_out == 0U) {
    p.add(Side::peer, 0.4, "and has no connection at all");
  }
}

constexpr auto kRules = std::to_array<Rule>({
    {"FM-C1", About::node, Severity::error, Act::you, "FM-R3", wrong_external_ip},
    {"FM-C2", About::node, Severity::error, Act::you, "FM-R3", custom_port},
    {"FM-C5", About::node, Severity::notice, Act::you, "", ignored_keys},
    {"FM-C6", About::peer, Severity::error, Act::you, "FM-B9", two_identities},
    {"FM-C7", About::peer, Severity::warning, Act::peer, "FM-P11 FM-P10", no_masternode},
    {"FM-C8", About::peer, Severity::notice, Act::peer, "FM-A8", rpc_locked},
    {"FM-C9", About::node, Severity::notice, Act::you, "", by_hand},
    {"FM-A1", About::node, Severity::warning, Act::you, "", api_dns},
    {"FM-A2", About::node, Severity::warning, Act::nobody, "", api_http},
    {"FM-P1", About::node, Severity::warning, Act::you, "", api_tls},
    {"FM-A3", About::node, Severity::warning, Act::nobody, "", api_shape},
    {"FM-A4", About::node, Severity::warning, Act::nobody, "FM-B3", api_empty},
    {"FM-A5", About::node, Severity::warning, Act::you, "", api_poisoned},
    {"FM-A6", About::node, Severity::warning, Act::nobody, "", api_huge},
    {"FM-A7", About::node, Severity::notice, Act::nobody, "", api_stale},
    {"FM-A8", About::peer, Severity::notice, Act::peer, "", rpc_down},
    {"FM-A9", About::peer, Severity::info, Act::you, "", rpc_limited},
    {"FM-A10", About::peer, Severity::info, Act::peer, "", rpc_open},
    {"FM-A11", About::peer, Severity::error, Act::peer, "", isolated},
});

}  // namespace

std::span<const Rule> service_rules() {
  return kRules;
}

}  // namespace timectl::diagnose
