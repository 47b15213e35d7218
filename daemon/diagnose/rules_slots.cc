// Rules about limits, ours and the peer's: FM-L.
#include <array>

#include "daemon/diagnose/rules.h"

namespace timectl::diagnose {
namespace {

// failures.md, FM-L: the limits of timed.
constexpr std::uint64_t kMaxInbound = 250;
constexpr std::uint64_t kMaxTotal = 500;
constexpr double kStampede = 600;         // seconds after a start
constexpr std::uint64_t kNeighbours = 3;  // of one /24; more share its 20 a minute

bool no_ban_seen(const Scene& s) {
  return !s.rpc().bans_us && s.rpc().bans_our_subnet.empty();
}

void stampede(const Scene& s, Proof& p) {
  if (const auto* ban = s.banned_there("FM-L1"); ban != nullptr) {
    p.add(Side::peer, 0.9, "it bans us: " + printable(ban->reason));
  }
  if (!s.dropped_at_accept() || !s.uptime_below(kStampede) || !no_ban_seen(s)) return;
  if (s.rpc().sees_us == true) return;
  p.add(Side::peer, 0.5,
        "it was started " + span_text(*s.rpc().uptime_seconds) +
            " ago, and takes 25 new connections a minute");
  p.add(Side::ours, 0.4, s.contact().text);
}

void subnet_limit(const Scene& s, Proof& p) {
  if (!s.dropped_at_accept() || s.node().nodes_in_our_subnet < kNeighbours) return;
  if (s.elsewhere() != Outcome::ok || s.rpc().bans_read != true || !no_ban_seen(s)) return;
  if (s.rpc().sees_us == true) return;
  p.add(Side::ours, 0.4,
        s.contact().text + ", and " + std::to_string(s.node().nodes_in_our_subnet) +
            " other nodes share our network");
  p.add(Side::others, 0.5, "accepted from an address of another network");
}

void their_slots_full(const Scene& s, Proof& p) {
  const auto in = s.rpc().connections_in.value_or(0);
  const auto out = s.rpc().connections_out.value_or(0);
  if (in < kMaxInbound && (out > kMaxTotal || in < kMaxTotal - out)) return;
  if (!s.dropped_at_accept() || s.rpc().bans_us) return;
  p.add(Side::peer, 0.8,
        "it has " + std::to_string(in) + " inbound connections of " + std::to_string(kMaxInbound));
  p.add(Side::ours, 0.4, s.contact().text);
  if (s.elsewhere() == Outcome::closed) p.add(Side::others, 0.4, "closed from elsewhere, too");
  if (s.elsewhere() == Outcome::ok) p.doubt(0.7);
}

void our_slots_full(const Scene& s, Proof& p) {
  const auto& slots = s.node().slots;
  if (!slots || s.node().inbound_refused_hour == 0) return;
  const bool all = slots->total >= slots->total_max;
  if (!all && slots->regular < slots->regular_max) return;
  p.add(Side::ours, 0.9,
        std::to_string(s.node().inbound_refused_hour) + " connections refused in the last hour, " +
            std::to_string(all ? slots->total : slots->regular) + " of " +
            std::to_string(all ? slots->total_max : slots->regular_max) +
            (all ? " slots" : " regular slots") + " in use");
}

void redirected(const Scene& s, Proof& p) {
  if (!s.ended_at(Stage::handshake, Outcome::redirected)) return;
  p.add(Side::ours, 0.85, "Ack, a list of other peers, and the end of the connection");
  if (s.rpc().connections_in) {
    constexpr std::uint64_t kRedirectFrom = 175;  // FM-L4
    if (*s.rpc().connections_in > kRedirectFrom) {
      p.add(Side::peer, 0.6, std::to_string(*s.rpc().connections_in) + " inbound connections");
    } else {
      p.doubt(0.2);
    }
  }
}

void free_tier_cap(const Scene& s, Proof& p) {
  if (s.connected() || s.rpc().our_tier != "Free") return;
  if (s.node().nodes_in_our_subnet <= kNeighbours || s.rpc().sees_us != false) return;
  p.add(Side::peer, 0.4, "it has us in the Free tier");
  p.add(Side::ours, 0.4,
        std::to_string(s.node().nodes_in_our_subnet) +
            " other nodes share our network: of those it dials three");
}

void gate(const Scene& s, Proof& p) {
  if (const auto* ban = s.banned_there("FM-L8"); ban != nullptr) {
    p.add(Side::peer, 0.9, "it bans us: " + printable(ban->reason));
    return;
  }
  if (s.notice().find("pre-channel gate") == std::string::npos) return;
  p.add(Side::peer, 0.8, "it ended the session: " + printable(s.notice()));
}

constexpr auto kRules = std::to_array<Rule>({
    {"FM-L1", About::peer, Severity::warning, Act::nobody, "FM-H11 FM-P4 FM-D2", stampede},
    {"FM-L2", About::peer, Severity::warning, Act::you, "FM-H11 FM-B7 FM-P4", subnet_limit},
    {"FM-L3", About::peer, Severity::error, Act::peer, "FM-H11 FM-L1 FM-B7 FM-P4",
     their_slots_full},
    {"FM-L3", About::node, Severity::warning, Act::you, "", our_slots_full},
    {"FM-L4", About::peer, Severity::warning, Act::peer, "FM-P4 FM-D2", redirected},
    {"FM-L6", About::peer, Severity::notice, Act::nobody, "FM-D2", free_tier_cap},
    {"FM-L8", About::peer, Severity::warning, Act::you, "FM-H11 FM-P4", gate},
});

}  // namespace

std::span<const Rule> slot_rules() {
  return kRules;
}

}  // namespace timectl::diagnose
