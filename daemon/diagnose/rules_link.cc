// Rules about reaching a peer and passing its TLS: FM-R, and the ends of TLS among FM-H.
#include <algorithm>
#include <array>

#include "daemon/core/reflect.h"
#include "daemon/diagnose/rules.h"

namespace timectl::diagnose {
namespace {

constexpr double kGraceAfterStart = 300;  // FM-X11: a timed that starts is mute for so long
constexpr std::uint64_t kRepeated = 3;    // fewer may be chance

void count_dials(const Scene& s, Proof& p, EndReason reason, double weight) {
  const auto n = s.failed_dials(reason);
  if (n < kRepeated) return;
  p.add(Side::ours, weight,
        count_text(n, "dial", "dials") +
            " of the last day ended so: " + std::string(name_of(reason)));
}

void refused(const Scene& s, Proof& p) {
  if (!s.ended_at(Stage::tcp, Outcome::refused)) return;
  if (s.rpc_ok()) return;  // something lives there: FM-R4, FM-X11
  p.add(Side::ours, 0.75, s.contact().text);
  count_dials(s, p, EndReason::refused, 0.5);
  if (s.rpc_is(RpcAnswer::refused)) p.add(Side::ours, 0.7, "its RPC port refuses, too");
  if (s.elsewhere() == Outcome::refused) p.add(Side::others, 0.5, "refused from elsewhere, too");
  if (s.elsewhere() == Outcome::ok) p.doubt(0.7);
}

void filtered(const Scene& s, Proof& p) {
  if (s.ended_at(Stage::tcp, Outcome::unreachable)) {
    p.add(Side::ours, 0.7, s.contact().text);
    p.acts(Act::you);  // our own routes, as far as one can see
    count_dials(s, p, EndReason::no_route, 0.5);
    return;
  }
  if (!s.ended_at(Stage::tcp, Outcome::timed_out)) return;
  p.add(Side::ours, 0.7, s.contact().text);
  count_dials(s, p, EndReason::timed_out, 0.5);
  if (s.rpc_is(RpcAnswer::timed_out)) p.add(Side::ours, 0.6, "its RPC port does not answer either");
  if (s.rpc_ok()) p.add(Side::peer, 0.6, "its RPC answers: the host is up, the port is filtered");
  if (s.elsewhere() == Outcome::timed_out) p.add(Side::others, 0.7, "nor from elsewhere");
  if (s.elsewhere() == Outcome::ok) {
    p.add(Side::others, 0.5, "reached from elsewhere: a filter by source address, or the path");
  }
}

void outbound_only(const Scene& s, Proof& p) {
  if (s.rpc().publicly_reachable == false) {
    p.add(Side::peer, 0.8, "it says itself that it is not publicly reachable");
  } else if (s.rpc().eligibility.find("not publicly reachable") != std::string::npos) {
    p.add(Side::peer, 0.8, "it is not eligible: " + printable(s.rpc().eligibility));
  }
  const bool inbound = s.connected() && s.peer().node->direction == Direction::in;
  const auto lost = s.failed_dials(EndReason::timed_out) + s.failed_dials(EndReason::refused);
  if (inbound && lost >= kRepeated) {
    p.add(Side::ours, 0.6,
          "it dials us, but none of our " + std::to_string(lost) +
              " dials of the last day got through");
  }
}

void deaf(const Scene& s, Proof& p) {
  if (!s.ended_at(Stage::tcp, Outcome::refused) || !s.rpc_ok()) return;
  if (s.uptime_below(kGraceAfterStart)) return;  // it only starts
  p.add(Side::ours, 0.6, s.contact().text);
  std::string alive = "its RPC on the port beside it answers";
  if (s.rpc().uptime_seconds) alive += ", up for " + span_text(*s.rpc().uptime_seconds);
  p.add(Side::peer, 0.6, alive);
  if (s.rpc().connections_in == 0U) {
    p.add(Side::peer, 0.6,
          "it has 0 inbound connections and " +
              number_text(static_cast<double>(s.rpc().connections_out.value_or(0))) + " outbound");
  }
}

void starting(const Scene& s, Proof& p) {
  if (!s.uptime_below(kGraceAfterStart) || s.connected()) return;
  if (!s.ended_at(Stage::tcp, Outcome::refused) && !s.ended_at(Stage::tcp, Outcome::timed_out) &&
      !s.ended_at(Stage::handshake, Outcome::silent)) {
    return;
  }
  p.add(Side::peer, 0.7, "it was started " + span_text(*s.rpc().uptime_seconds) + " ago");
  p.add(Side::ours, 0.4, s.contact().text);
}

void mute_before_tls(const Scene& s, Proof& p) {
  if (!s.ended_at(Stage::tls, Outcome::silent)) return;
  const auto& tcp = s.peer().probe->tcp;
  p.add(Side::ours, 0.75,
        (tcp && tcp->ms ? "TCP " + number_text(*tcp->ms) + " ms, " : std::string()) +
            s.contact().text);
  if (s.rpc_ok()) p.add(Side::peer, 0.3, "its RPC answers meanwhile");
  if (s.elsewhere() == Outcome::ok) p.doubt(0.5);
}

void starved(const Scene& s, Proof& p) {
  if (s.connected() && s.peer().node->path &&
      s.peer().node->path->silence.starts_with("its kernel acknowledges")) {
    p.add(Side::ours, 0.7, s.peer().node->path->silence);
    if (s.rpc_is(RpcAnswer::silent)) p.add(Side::ours, 0.5, "its RPC accepts and says nothing");
    return;
  }
  const bool mute = s.ended_at(Stage::tls, Outcome::silent) ||
                    s.ended_at(Stage::handshake, Outcome::silent) ||
                    s.ended_at(Stage::ping, Outcome::silent);
  if (!mute || !s.rpc_is(RpcAnswer::silent)) return;
  p.add(Side::ours, 0.6, s.contact().text);
  p.add(Side::ours, 0.7, "its RPC accepts the connection and says nothing, too");
}

void slow(const Scene& s, Proof& p) {
  constexpr double kSlowAck = 1000;  // ms; two seconds is what timed itself expects at most
  constexpr double kSlowPing = 500;  // ms, the median
  if (!s.peer().probe || !s.probe_reached(Stage::handshake)) return;
  const auto& probe = *s.peer().probe;
  if (probe.handshake->ms.value_or(0) >= kSlowAck) {
    p.add(Side::ours, 0.7, "its Ack took " + number_text(*probe.handshake->ms) + " ms");
  }
  auto rtt = probe.rtt_ms;
  if (rtt.empty()) return;
  std::sort(rtt.begin(), rtt.end());
  const auto median = rtt[rtt.size() / 2];
  if (median >= kSlowPing) {
    p.add(Side::ours, 0.7,
          "the median of " + count_text(rtt.size(), "ping", "pings") + " is " +
              number_text(median) + " ms");
  }
}

void ourselves(const Scene& s, Proof& p) {
  if (s.peer().contact.last_dial == EndReason::self_connection && !s.connected()) {
    p.add(Side::ours, 0.95, "our own Handshake came back: we dialled ourselves");
  }
  const auto& contact = s.peer().contact;
  const bool dialled = contact.dials_last_hour > 0 || contact.last_dial || !contact.failed.empty();
  if (!s.is_us() || !(dialled || s.peer().banned_here)) return;
  p.add(Side::ours, 0.95,
        s.peer().ip.to_string() + " is our own address, and we " + (dialled ? "dial" : "ban") +
            " it");
}

void own_address(const Scene& s, Proof& p) {
  if (s.is_us()) p.add(Side::ours, 0.95, "the node knows it as its own");
}

void own_address_listed(const Scene& s, Proof& p) {
  if (s.node().own_address_whitelisted != true) return;
  p.add(Side::ours, 0.9, "our own address is on the whitelist");
}

void ipv6_lost(const Scene& s, Proof& p) {
  const bool v6 = !s.peer().ip.is_v4() || (s.node().address && !s.node().address->is_v4());
  if (!v6 || s.rpc().lists_loopback != true) return;
  p.add(Side::peer, 0.7, "it counts IPv6 peers as 127.0.0.1");
  if (s.connected() && s.rpc().sees_us == false) {
    p.add(Side::ours, 0.5, "we are connected, and it does not list us");
  }
}

void shared_address(const Scene& s, Proof& p) {
  std::uint64_t replaced = 0;
  for (const auto& session : s.peer().sessions) {
    const bool changed =
        session.end_reason == EndReason::superseded || session.end_reason == EndReason::duplicate;
    if (changed) ++replaced;
  }
  if (s.peer().contact.identities < 2 || replaced < 2) return;
  p.add(Side::ours, 0.7,
        std::to_string(s.peer().contact.identities) + " different nodes came from its address");
  p.add(Side::ours, 0.5,
        count_text(replaced, "session was", "sessions were") +
            " replaced by another from the same address");
}

void own_address_shared(const Scene& s, Proof& p) {
  if (s.node().address_shared != true) return;
  p.add(Side::others, 0.8, "another node of the network answers on our address");
}

void unreachable_from_outside(const Scene& s, Proof& p) {
  const auto& listener = s.node().listener;
  if (listener.listening != true) return;
  if (listener.unreachable_said_by > 0) {
    p.add(Side::others, listener.unreachable_said_by > 1 ? 0.8 : 0.6,
          count_text(listener.unreachable_said_by, "peer says", "peers say") +
              " that our port does not answer");
  }
  if (listener.reachable == false) p.add(Side::ours, 0.5, "nobody has dialled us from outside");
  if (listener.reachable == true) p.doubt(0.9);
}

void not_listening(const Scene& s, Proof& p) {
  const auto& listener = s.node().listener;
  if (listener.wanted != true || listener.listening != false || !listener.error.empty()) return;
  p.add(Side::ours, 0.9,
        "the node runs, and nothing listens on port " + std::to_string(listener.port));
}

void port_taken(const Scene& s, Proof& p) {
  if (s.node().listener.error.empty() || s.node().listener.listening == true) return;
  p.add(
      Side::ours, 0.95,
      "port " + std::to_string(s.node().listener.port) + ": " + printable(s.node().listener.error));
}

constexpr auto kRules = std::to_array<Rule>({
    {"FM-R1", About::peer, Severity::error, Act::peer, "FM-D2 FM-P4 FM-A8 FM-B12 FM-P9 FM-K1",
     refused},
    {"FM-R2", About::peer, Severity::error, Act::peer, "FM-D2 FM-P4 FM-A8 FM-B12 FM-P9", filtered},
    {"FM-R3", About::peer, Severity::warning, Act::peer, "FM-R1 FM-R2 FM-D2 FM-D12", outbound_only},
    {"FM-R4", About::peer, Severity::error, Act::peer, "FM-D2 FM-P4 FM-R3 FM-B12 FM-P9 FM-K1",
     deaf},
    {"FM-X11", About::peer, Severity::notice, Act::nobody, "FM-R1 FM-R2 FM-H1 FM-D2 FM-P4 FM-L1",
     starting},
    {"FM-R6", About::peer, Severity::error, Act::peer, "FM-D2 FM-P4", mute_before_tls},
    {"FM-X6", About::peer, Severity::critical, Act::peer, "FM-R6 FM-H1 FM-A8 FM-K1 FM-D2 FM-K7",
     starved},
    {"FM-R7", About::peer, Severity::warning, Act::you, "FM-R1 FM-R2 FM-H1 FM-H11 FM-D2 FM-P4",
     ourselves},
    {"own_address", About::peer, Severity::info, Act::nobody,
     "FM-R1 FM-R2 FM-R6 FM-H1 FM-H11 FM-D2 FM-P4 FM-P9 FM-B12", own_address},
    {"slow", About::peer, Severity::notice, Act::nobody, "", slow},
    {"FM-R7", About::node, Severity::info, Act::you, "", own_address_listed},
    {"FM-R8", About::peer, Severity::warning, Act::peer, "FM-P4 FM-P6", ipv6_lost},
    {"FM-R9", About::peer, Severity::error, Act::peer, "FM-D1 FM-D12 FM-K2", shared_address},
    {"FM-R9", About::node, Severity::error, Act::you, "", own_address_shared},
    {"FM-R3", About::node, Severity::warning, Act::you, "", unreachable_from_outside},
    {"FM-R4", About::node, Severity::critical, Act::you, "FM-R3", not_listening},
    {"FM-R5", About::node, Severity::critical, Act::you, "FM-R3 FM-R4", port_taken},
});

}  // namespace

std::span<const Rule> link_rules() {
  return kRules;
}

}  // namespace timectl::diagnose
