// Rules about bans, whitelists, back-off and registries: FM-B and FM-P.
#include <algorithm>
#include <array>

#include "daemon/core/reflect.h"
#include "daemon/diagnose/ban_reason.h"
#include "daemon/diagnose/rules.h"

namespace timectl::diagnose {
namespace {

constexpr double kLongWait = 120;  // seconds: the pass over all masternodes (R4)
constexpr std::uint64_t kManyFailures = 3;
constexpr double kAnnounced = 600;     // until a peer's registry should have us
constexpr double kListAge = 86'400;    // of the API's last good list
constexpr double kJustStarted = 1800;  // FM-P12: until its outputs are indexed again

std::string ban_text(const BanFacts& ban) {
  std::string text = printable(ban.reason);
  if (ban.permanent) return text + " (for good)";
  if (ban.remaining_seconds) text += " (for " + span_text(*ban.remaining_seconds) + " more)";
  return text;
}

void banned_as(const Scene& s, Proof& p, std::string_view code) {
  const auto* ban = s.banned_there(code);
  if (ban == nullptr) return;
  p.add(Side::peer, 0.9, "it bans us: " + ban_text(*ban));
  if (s.dropped_at_accept()) p.add(Side::ours, 0.4, s.contact().text);
}

void ban_ladder(const Scene& s, Proof& p) {
  if (s.banned_there("FM-B1") != nullptr) banned_as(s, p, "FM-B1");
  if (s.banned_there("") != nullptr) banned_as(s, p, "");  // the words of a human
  if (s.peer().banned_here) {
    p.add(Side::ours, 0.95, "we ban it: " + ban_text(*s.peer().banned_here));
    p.acts(Act::you);
  } else {
    p.acts(Act::peer);
  }
}

template <const char* kCode>
void dictionary(const Scene& s, Proof& p) {
  banned_as(s, p, kCode);
}
constexpr char kB2[] = "FM-B2";
constexpr char kB9[] = "FM-B9";
constexpr char kB10[] = "FM-B10";
constexpr char kB11[] = "FM-B11";

void whitelist_empty(const Scene& s, Proof& p) {
  const auto& node = s.node();
  if (node.whitelisted != 0U) return;
  if (node.api.answer && *node.api.answer != ApiAnswer::ok) return;  // FM-B4, FM-A4
  p.add(Side::ours, 0.9, "0 addresses are whitelisted");
  if (node.whitelisted_stored > 0) {
    p.add(Side::ours, 0.5,
          std::to_string(node.whitelisted_stored) + " are stored, and none of them is applied");
  }
  if (node.api.entries > 0) {
    p.add(Side::others, 0.5, "the API lists " + std::to_string(node.api.entries));
  }
}

void whitelist_not_fetched(const Scene& s, Proof& p) {
  const auto& node = s.node();
  if (node.whitelisted != 0U || !node.api.answer) return;
  if (*node.api.answer == ApiAnswer::ok || *node.api.answer == ApiAnswer::empty) return;
  p.add(Side::ours, 0.7, "0 addresses are whitelisted");
  p.add(Side::others, 0.6,
        "and the API's list could not be had: " + std::string(name_of(*node.api.answer)));
}

void peer_whitelists_nobody(const Scene& s, Proof& p) {
  if (s.rpc().whitelisted != 0U) return;
  p.add(Side::peer, 0.7, "its whitelist is empty");
}

void whitelist_old(const Scene& s, Proof& p) {
  const auto entries = s.node().api.entries;
  const auto has = s.rpc().whitelisted;
  if (!has || *has == 0 || *has >= entries) return;
  p.add(Side::peer, 0.6,
        "its whitelist holds " + std::to_string(*has) + " addresses, the API " +
            std::to_string(entries));
  if (s.rpc().bans_us) p.add(Side::peer, 0.3, "and it bans us, as it would not if we were on it");
}

void list_not_renewed(const Scene& s, Proof& p) {
  const auto& api = s.node().api;
  if (!api.good_at || s.node().whitelisted.value_or(0) == 0) return;
  const auto age = s.seconds_since(*api.good_at);
  if (age <= kListAge) return;
  p.add(Side::ours, 0.8, "the API's list was last had " + span_text(age) + " ago");
}

void ban_came_back(const Scene& s, Proof& p) {
  const auto& node = s.node();
  if (s.peer().banned_here && s.peer().banned_here_since && node.started_at &&
      *s.peer().banned_here_since < *node.started_at) {
    p.add(Side::ours, 0.7, "our ban of it is older than our last start");
    p.acts(Act::you);
  }
  const auto* last = s.last_session();
  const auto& dial = s.peer().contact.last_dial_at;
  if (!s.rpc().bans_us || !s.rpc().uptime_seconds || (last == nullptr && !dial)) return;
  double since = -1;
  if (last != nullptr) since = s.seconds_since(last->ended_at);
  if (dial) since = since < 0 ? s.seconds_since(*dial) : std::min(since, s.seconds_since(*dial));
  if (since <= *s.rpc().uptime_seconds) return;
  p.add(Side::peer, 0.6,
        "it has banned us since before its start, " + span_text(*s.rpc().uptime_seconds) +
            " ago: nothing of ours came since");
}

void invisible_ban(const Scene& s, Proof& p) {
  if (!s.dropped_at_accept() || s.rpc().bans_read != true || s.rpc().bans_us) return;
  if (!s.rpc().bans_our_subnet.empty() || s.rpc().sees_us == true) return;
  if (s.elsewhere() != Outcome::ok) return;
  p.add(Side::peer, 0.4, "its getbanlist does not have us");
  p.add(Side::ours, 0.4, s.contact().text);
  p.add(Side::others, 0.5, "and another address is accepted");
}

void self_ban(const Scene& s, Proof& p) {
  if (s.node().own_address_banned == true) p.add(Side::ours, 0.9, "we ban our own address");
}

void locked_out(const Scene& s, Proof& p) {
  const bool waits = s.state_is(PeerState::backoff) || s.state_is(PeerState::refused) ||
                     (s.state_is(PeerState::parked) && s.peer().whitelisted);
  // One that failed seldom waits its turn, and one that a probe does not get through to is kept
  // away by something else.
  if (!waits || s.peer().node->attempts < kManyFailures) return;
  if (!s.probe_reached(Stage::handshake) || s.contact().outcome != Outcome::ok) return;
  const auto& next = s.peer().node->next_attempt_at;
  if (next && seconds(Duration(*next - s.node().at)) <= kLongWait) return;
  p.add(Side::ours, 0.7,
        "we do not dial it " + (next ? "before " + utc_text(*next) : std::string("any more")) +
            " after " + count_text(s.peer().node->attempts, "failure", "failures"));
  p.add(Side::ours, 0.6, "and it answers: " + s.contact().text);
}

// In the words of Node::kept_away_because; a ban of ours is FM-B1.
void kept_away(const Scene& s, Proof& p) {
  if (s.connected() || !s.peer().node) return;
  const auto& why = s.peer().node->next_attempt_reason;
  if (why.starts_with("an operator keeps it away")) p.add(Side::ours, 0.95, why);
}

bool fact_is(const PeerFacts& peer, FactName name, bool value) {
  return std::any_of(
      peer.protection_facts.begin(), peer.protection_facts.end(),
      [&](const ProtectionFact& fact) { return fact.name == name && fact.ok == value; });
}

// Only of a live connection: without one a slot that it would not get is the fact's own matter (an
// operator keeps it away, a ban).
void two_whitelists(const Scene& s, Proof& p) {
  if (!s.connected() || !fact_is(s.peer(), FactName::declared, true)) return;
  const auto say = [&](FactName name, double weight, const std::string& what) {
    for (const auto& fact : s.peer().protection_facts) {
      if (fact.name != name || fact.ok != false) continue;
      p.add(Side::ours, weight, what + (fact.detail.empty() ? "" : ": " + fact.detail));
    }
  };
  say(FactName::applied, 0.9,
      "it is declared as whitelisted, and the live connection is not treated so");
  say(FactName::slot, 0.7, "it is declared as whitelisted, and its slot is a regular one");
}

void subnet_ban(const Scene& s, Proof& p) {
  banned_as(s, p, "FM-B14");
  if (!s.rpc().bans_our_subnet.empty()) {
    p.add(Side::peer, 0.9, "it bans our whole network: " + printable(s.rpc().bans_our_subnet));
  }
}

void forgotten(const Scene& s, Proof& p) {
  if (s.connected() || s.rpc().registers_us != false) return;
  p.add(Side::peer, 0.6, "its registry does not have us: it will not dial");
}

void not_introduced(const Scene& s, Proof& p) {
  if (!s.connected() || s.session_seconds() < kAnnounced || s.rpc().registers_us != false) return;
  p.add(Side::peer, 0.6,
        "connected for " + span_text(s.session_seconds()) + ", and its registry does not have us");
}

void polluted(const Scene& s, Proof& p) {
  const auto& rpc = s.rpc();
  if (!rpc.registry_total || !rpc.registry_active) return;
  constexpr std::uint64_t kMany = 100;
  constexpr std::uint64_t kShare = 5;  // fewer than a fifth are alive
  if (*rpc.registry_total < kMany || *rpc.registry_active > *rpc.registry_total / kShare) return;
  p.add(Side::peer, 0.8,
        "its registry has " + std::to_string(*rpc.registry_total) + " nodes, " +
            std::to_string(*rpc.registry_active) + " of them active");
}

void given_up(const Scene& s, Proof& p) {
  if (!s.state_is(PeerState::parked) || s.peer().whitelisted) return;
  p.add(Side::ours, 0.8,
        "we gave it up after " + count_text(s.peer().node->attempts, "failure", "failures"));
}

void status_flaps(const Scene& s, Proof& p) {
  if (!s.connected() || s.rpc().sees_us != true || s.rpc().registered_connected != false) return;
  p.add(Side::peer, 0.6, "connected with us, and its registry says that we are not");
}

void inactive(const Scene& s, Proof& p) {
  if (s.rpc().registered_connected == true && s.rpc().registered_active == false) {
    p.add(Side::peer, 0.7, "its registry has us as connected and not active");
    p.acts(Act::you);
  }
  const bool itself = s.rpc().active == false && s.rpc().peers_connected.value_or(0) > 0 &&
                      s.rpc().masternode_status != "not_a_masternode";
  const bool collateral = s.rpc().eligibility.find("collateral") != std::string::npos;
  if (itself && !collateral) {
    p.add(Side::peer, 0.7, "it is connected with others and says that it is not active");
  }
}

bool misses_collateral(const Scene& s) {
  return s.rpc().active == false && s.rpc().eligibility.find("collateral") != std::string::npos;
}

void collateral_unindexed(const Scene& s, Proof& p) {
  if (!misses_collateral(s) || !s.uptime_below(kJustStarted)) return;
  p.add(Side::peer, 0.7, printable(s.rpc().eligibility));
  p.add(Side::peer, 0.4, "it was started " + span_text(*s.rpc().uptime_seconds) + " ago");
}

void collateral_wrong(const Scene& s, Proof& p) {
  if (!misses_collateral(s) || s.uptime_below(kJustStarted)) return;
  p.add(Side::peer, 0.7, printable(s.rpc().eligibility));
}

void host_names(const Scene& s, Proof& p) {
  for (const auto& name : s.node().config.host_names) {
    p.add(Side::ours, 0.8, printable(name) + " is a name where an address belongs");
  }
}

void not_in_portal(const Scene& s, Proof& p) {
  if (s.node().api.lists_us != false) return;
  p.add(Side::others, 0.8, "the API does not list our address");
}

void peer_not_in_portal(const Scene& s, Proof& p) {
  if (!s.peer().whitelisted || s.peer().in_api_list != false) return;
  p.add(Side::others, 0.7, "the API does not list it");
}

constexpr auto kRules = std::to_array<Rule>({
    {"FM-B1", About::peer, Severity::error, Act::peer, "FM-H11 FM-D2 FM-P4 FM-D6 FM-B12",
     ban_ladder},
    {"FM-B2", About::peer, Severity::error, Act::peer, "FM-H11 FM-D2 FM-P4", dictionary<kB2>},
    {"FM-B3", About::node, Severity::critical, Act::you, "FM-P14", whitelist_empty},
    {"FM-B4", About::node, Severity::critical, Act::you, "FM-A1 FM-A2 FM-A3 FM-A5 FM-A6 FM-P1",
     whitelist_not_fetched},
    {"FM-B4", About::peer, Severity::notice, Act::peer, "", peer_whitelists_nobody},
    {"FM-B5", About::peer, Severity::notice, Act::peer, "", whitelist_old},
    {"FM-B5", About::node, Severity::warning, Act::you, "", list_not_renewed},
    {"FM-B6", About::peer, Severity::notice, Act::peer, "", ban_came_back},
    {"FM-B7", About::peer, Severity::error, Act::peer, "FM-H11 FM-P4", invisible_ban},
    {"FM-B8", About::node, Severity::warning, Act::you, "FM-R7", self_ban},
    {"FM-B9", About::peer, Severity::error, Act::you, "FM-H11 FM-D2 FM-P4", dictionary<kB9>},
    {"FM-B10", About::peer, Severity::error, Act::peer, "FM-H11 FM-D2 FM-P4", dictionary<kB10>},
    {"FM-B11", About::peer, Severity::critical, Act::peer, "FM-H11 FM-D2 FM-P4", dictionary<kB11>},
    {"FM-B12", About::peer, Severity::error, Act::you, "FM-D2 FM-P4 FM-P9", locked_out},
    {"kept_away", About::peer, Severity::warning, Act::you, "FM-D2 FM-P4 FM-B12 FM-B13", kept_away},
    {"FM-B13", About::peer, Severity::warning, Act::you, "FM-B5", two_whitelists},
    {"FM-B14", About::peer, Severity::error, Act::peer, "FM-H11 FM-D2 FM-P4", subnet_ban},
    {"FM-P4", About::peer, Severity::warning, Act::peer, "", forgotten},
    {"FM-P6", About::peer, Severity::warning, Act::peer, "", not_introduced},
    {"FM-P7", About::peer, Severity::notice, Act::peer, "", polluted},
    {"FM-P9", About::peer, Severity::warning, Act::you, "", given_up},
    {"FM-P10", About::peer, Severity::notice, Act::nobody, "", status_flaps},
    {"FM-P11", About::peer, Severity::error, Act::peer, "", inactive},
    {"FM-P12", About::peer, Severity::error, Act::peer, "FM-P11", collateral_unindexed},
    {"FM-C10", About::peer, Severity::error, Act::peer, "FM-P11", collateral_wrong},
    {"FM-P13", About::node, Severity::warning, Act::you, "", host_names},
    {"FM-P14", About::node, Severity::notice, Act::you, "", not_in_portal},
    {"FM-P14", About::peer, Severity::info, Act::peer, "", peer_not_in_portal},
});

}  // namespace

std::span<const Rule> list_rules() {
  return kRules;
}

}  // namespace timectl::diagnose
