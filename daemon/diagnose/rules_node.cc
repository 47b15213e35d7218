// Rules about this node's own clock, resources and supervision, and those of the peer that show
// from here: FM-X, and the ailments of core/observer.h.
#include <algorithm>
#include <array>
#include <cmath>

#include "daemon/core/reflect.h"
#include "daemon/diagnose/rules.h"

namespace timectl::diagnose {
namespace {

constexpr double kClockStops = 10;  // seconds off at which timed stops itself (FM-X1)
constexpr double kClockWarns = 5;   // and at which it refuses blocks (FM-X3)
constexpr std::uint64_t kClockPeers = 3;
constexpr double kLittleDisk = 1'073'741'824;  // 1 GiB: a day of logs and blocks
constexpr double kNoDisk = 134'217'728;        // 128 MiB: the database may fail any time
constexpr double kLargeLog = 5'368'709'120;    // 5 GiB
constexpr double kFastLog = 1'073'741'824;     // a day
constexpr double kFull = 0.8;                  // of descriptors (FM-X9), and of memory
constexpr double kHeartbeatGone = 30;          // seconds (T46)
constexpr double kTickGone = 120;              // seconds (T46)
constexpr std::uint64_t kRestartLoop = 3;      // in half an hour (FM-X12)
constexpr double kWaveUptime = 1800;           // seconds (FM-X15)
constexpr double kWaveShare = 0.3;
constexpr std::size_t kWaveLeast = 5;
constexpr std::size_t kTogether = 5;  // peers lost in the same moment (fact 6)
constexpr double kMoment = 2;         // seconds (B.4, 2)
constexpr double kRecent = 600;       // seconds: still the matter

const AilmentView* ailment(const Scene& s, Ailment kind) {
  const auto& all = s.node().ailments;
  const auto at = std::find_if(all.begin(), all.end(),
                               [&](const AilmentView& view) { return view.ailment == kind; });
  return at == all.end() ? nullptr : &*at;
}

// A FIN or a reset that arrives is proof of a link that works.
bool without_a_word(EndReason reason) {
  return reason == EndReason::transport_dead || reason == EndReason::unresponsive ||
         reason == EndReason::no_route || reason == EndReason::timed_out;
}

// The most masternodes that were lost in one moment of the last minutes and are not back. Strangers
// can end their sessions when and how they like.
std::size_t lost_together(const Scene& s) {
  std::vector<WallTime> ends;
  for (const auto& peer : s.node().peers) {
    const bool lost = peer.whitelisted && !peer.connected && peer.ended_at && peer.ended &&
                      without_a_word(*peer.ended);
    if (!lost) continue;
    const auto age = s.seconds_since(*peer.ended_at);
    if (age >= 0 && age <= kRecent) ends.push_back(*peer.ended_at);
  }
  std::sort(ends.begin(), ends.end());
  std::size_t most = 0;
  for (std::size_t first = 0, last = 0; last < ends.size(); ++last) {
    while (seconds(Duration(ends[last] - ends[first])) > kMoment) ++first;
    most = std::max(most, last - first + 1);
  }
  return most;
}

void uplink(const Scene& s, Proof& p) {
  if (const auto* sick = ailment(s, Ailment::uplink_down); sick != nullptr) {
    p.add(Side::ours, 0.85, printable(sick->detail));
  }
  if (const auto* sick = ailment(s, Ailment::most_peers_failing); sick != nullptr) {
    p.add(Side::ours, 0.7, printable(sick->detail));
  }
  const auto lost = lost_together(s);
  // Whoever is heard shows that the link works; one that is silent already is only not lost yet.
  const bool heard = std::ranges::any_of(s.node().peers, [](const PeerBrief& b) {
    return b.connected && b.state != PeerState::suspect;
  });
  if (lost < kTogether || heard) return;
  p.add(Side::others, 0.8,
        std::to_string(lost) + " masternodes were lost within 2 s, and nobody is heard since");
}

void clock_stepped(const Scene& s, Proof& p) {
  if (const auto* sick = ailment(s, Ailment::clock_step); sick != nullptr) {
    p.add(Side::ours, 0.85, printable(sick->detail));
  }
}

void own_clock(const Scene& s, Proof& p) {
  const auto& clock = s.node().clock;
  const auto judge = [&](double off, double weight, const std::string& by) {
    const auto far = std::abs(off);
    if (far < kClockWarns) return p.doubt(0.5);
    p.add(Side::others, far >= kClockStops ? weight : weight / 2,
          "our clock is " + number_text(far, 1) + " s " + (off > 0 ? "ahead of " : "behind ") + by);
    if (far < kClockStops) p.weighs(Severity::warning);
  };
  if (clock.ntp_seconds && clock.ntp_answered > 0) {
    judge(*clock.ntp_seconds, clock.ntp_answered > 1 ? 0.9 : 0.6,
          count_text(clock.ntp_answered, "time server", "time servers"));
  }
  if (clock.peers_seconds && clock.peers >= kClockPeers) {
    judge(*clock.peers_seconds, 0.8, "the median of " + std::to_string(clock.peers) + " peers");
  }
  if (s.node().sync && s.node().sync->clock_doubted) {
    p.add(Side::others, 0.5, "most masternodes are above the height that our clock allows");
  }
}

void no_time_servers(const Scene& s, Proof& p) {
  const auto& clock = s.node().clock;
  if (clock.ntp_asked == 0 || clock.ntp_answered > 0) return;
  p.add(Side::ours, clock.ntp_asked > 1 ? 0.9 : 0.6,
        "none of " + count_text(clock.ntp_asked, "time server", "time servers") + " answers");
  if (clock.peers_seconds) {
    p.add(Side::others, 0.4,
          "by " + std::to_string(clock.peers) + " peers our clock is off by " +
              number_text(*clock.peers_seconds, 1) + " s");
  }
}

void peer_clock(const Scene& s, Proof& p) {
  const auto see = [&](const std::optional<double>& off, Side side, const std::string& where) {
    if (!off || std::abs(*off) <= kClockWarns) return;
    p.add(side, 0.7,
          "its clock is " + std::string(*off > 0 ? "+" : "-") + number_text(std::abs(*off), 1) +
              " s by " + where);
  };
  if (s.peer().probe) see(s.peer().probe->clock_seconds, Side::ours, "its pings");
  see(s.rpc().clock_seconds, Side::peer, "its RPC");
  const auto& clock = s.node().clock;
  // The session compares with our own clock, whose error is not the peer's.
  if (s.connected() && s.peer().node->clock_seconds) {
    const auto ours = clock.ntp_answered > 0 ? clock.ntp_seconds : clock.peers_seconds;
    see(*s.peer().node->clock_seconds + ours.value_or(0), Side::ours, "its pings to us");
  }
  const bool ours_known = clock.ntp_answered > 0 || clock.peers >= kClockPeers;
  if (!ours_known) p.doubt(0.4);
}

void disk_full(const Scene& s, Proof& p) {
  const auto& free = s.node().resources.disk_free_bytes;
  if (!free || static_cast<double>(*free) > kLittleDisk) return;
  p.add(Side::ours, 0.95,
        number_text(static_cast<double>(*free) / 1'048'576) + " MiB are free where the data is");
  if (static_cast<double>(*free) > kNoDisk) p.weighs(Severity::error);
}

void log_grows(const Scene& s, Proof& p) {
  const auto& r = s.node().resources;
  if (r.log_bytes && static_cast<double>(*r.log_bytes) > kLargeLog) {
    p.add(Side::ours, 0.8,
          "the logs take " + number_text(static_cast<double>(*r.log_bytes) / 1'073'741'824, 1) +
              " GiB");
  }
  if (r.log_bytes_a_day && static_cast<double>(*r.log_bytes_a_day) > kFastLog) {
    p.add(Side::ours, 0.8,
          "and grow by " + number_text(static_cast<double>(*r.log_bytes_a_day) / 1'073'741'824, 1) +
              " GiB a day");
  }
}

void own_starved(const Scene& s, Proof& p) {
  if (const auto* sick = ailment(s, Ailment::late_timers); sick != nullptr) {
    p.add(Side::ours, 0.85, printable(sick->detail));
  }
  const auto& timed = s.node().timed;
  if (!timed) return;
  const bool gone = timed->heartbeat_age_seconds.value_or(0) >= kHeartbeatGone;
  if (gone) {
    p.add(Side::ours, 0.9,
          "the timed here has no heartbeat for " + span_text(*timed->heartbeat_age_seconds));
  } else if (timed->rpc_answers == false && timed->heartbeat_age_seconds) {
    p.add(Side::ours, 0.7, "the timed here is alive, but its RPC hangs: wait 90 s");
    p.weighs(Severity::warning);
  }
}

void dialler_wedged(const Scene& s, Proof& p) {
  const auto& timed = s.node().timed;
  if (!timed || !timed->heartbeat_age_seconds || !timed->dial_tick_age_seconds) return;
  if (*timed->heartbeat_age_seconds >= kHeartbeatGone) return;  // FM-X6
  if (*timed->dial_tick_age_seconds < kTickGone) return;
  p.add(Side::ours, 0.85,
        "the timed here has a heartbeat, and its dialler did nothing for " +
            span_text(*timed->dial_tick_age_seconds));
}

// A service of systemd has its group for itself; another is shared with who knows whom (a
// container, a login), and then the kills may be another program's.
void killed_for_memory(const Scene& s, Proof& p) {
  constexpr double kAlmost = 0.95;
  const auto& r = s.node().resources;
  const auto share =
      r.memory_bytes && r.memory_limit_bytes.value_or(0) > 0
          ? static_cast<double>(*r.memory_bytes) / static_cast<double>(*r.memory_limit_bytes)
          : 0;
  if (r.oom_kills > 0) {
    const bool own_group = r.cgroup.ends_with(".service");
    p.add(Side::ours, own_group ? 0.95 : 0.4,
          "the kernel killed for memory " + count_text(r.oom_kills, "time", "times") +
              " in this control group (" + (r.cgroup.empty() ? "the root" : r.cgroup) +
              "), any process, since the group was made");
    if (!own_group && share < kAlmost) p.weighs(Severity::warning);
  }
  if (share < kAlmost) return;
  p.add(Side::ours, 0.6, number_text(share * 100) + " % of the memory allowed is used");
}

void descriptors(const Scene& s, Proof& p) {
  const auto& r = s.node().resources;
  if (r.descriptors_refused > 0) {
    p.add(Side::ours, 0.9,
          "\"Too many open files\" " + count_text(r.descriptors_refused, "time", "times") +
              " in the last hour");
  }
  if (!r.descriptors || r.descriptors_limit.value_or(0) == 0) return;
  if (static_cast<double>(*r.descriptors) < kFull * static_cast<double>(*r.descriptors_limit)) {
    return;
  }
  p.add(Side::ours, 0.8,
        std::to_string(*r.descriptors) + " of " + std::to_string(*r.descriptors_limit) +
            " descriptors are in use");
}

void unclean_stop(const Scene& s, Proof& p) {
  if (s.node().last_stop_clean != false) return;
  p.add(Side::ours, 0.8, "the run before this one ended without a word");
  // True for as long as this run lasts, and where the database came through it no fault of it.
  if (s.node().audit_broken != true && s.node().chain_error.empty()) p.weighs(Severity::info);
}

void restart_loop(const Scene& s, Proof& p) {
  const auto& timed = s.node().timed;
  if (!timed) return;
  if (timed->watchdog_restarts_half_hour >= kRestartLoop) {
    p.add(Side::ours, 0.9,
          "the watchdog restarted timed " + std::to_string(timed->watchdog_restarts_half_hour) +
              " times in half an hour");
  } else if (timed->restarts_half_hour >= kRestartLoop) {
    p.add(Side::ours, 0.7,
          "timed was started " + std::to_string(timed->restarts_half_hour) +
              " times in half an hour");
  }
}

void peer_restarts(const Scene& s, Proof& p) {
  const auto n = s.peer().restarts_half_hour;
  if (n < kRestartLoop) return;
  p.add(Side::peer, 0.75, "it was started " + std::to_string(n) + " times in half an hour");
  std::uint64_t goodbyes = 0;
  for (const auto& session : s.peer().sessions) {
    if (session.end_reason == EndReason::closed_by_peer &&
        s.seconds_since(session.ended_at) <= kWaveUptime) {
      ++goodbyes;
    }
  }
  if (goodbyes > 1) {
    p.add(Side::ours, 0.4, "and closed " + std::to_string(goodbyes) + " sessions with us");
  }
}

void wave(const Scene& s, Proof& p) {
  std::size_t known = 0;
  std::size_t young = 0;
  for (const auto& peer : s.node().peers) {
    if (!peer.uptime_seconds) continue;
    ++known;
    if (*peer.uptime_seconds < kWaveUptime) ++young;
  }
  if (young < kWaveLeast) return;
  if (static_cast<double>(young) <= kWaveShare * static_cast<double>(known)) return;
  p.add(Side::others, 0.9,
        std::to_string(young) + " of " + std::to_string(known) +
            " peers were started in the last half hour");
}

void panicked(const Scene& s, Proof& p) {
  const auto& timed = s.node().timed;
  if (!timed || timed->panics == 0) return;
  p.add(Side::ours, 0.95, "the timed here panicked " + count_text(timed->panics, "time", "times"));
}

// What a dead uplink explains of a peer: everything about the path, nothing about its answers.
constexpr std::string_view kOfTheUplink =
    "most_peers_failing FM-R1 FM-R2 FM-R3 FM-R6 FM-K1 FM-K7 FM-H1 FM-H11 FM-D1 FM-D2 FM-D12 FM-D13 "
    "FM-P4 FM-P9 FM-X6 FM-X15 FM-B12 FM-A8 FM-A1 FM-A2 FM-B4 FM-X2 FM-S2 FM-S4 FM-S13";

constexpr auto kRules = std::to_array<Rule>({
    {"uplink_down", About::node, Severity::critical, Act::you, kOfTheUplink, uplink},
    {"clock_step", About::node, Severity::warning, Act::you, "", clock_stepped},
    {"FM-X1", About::node, Severity::critical, Act::you, "FM-X3 FM-S11", own_clock},
    {"FM-X2", About::node, Severity::warning, Act::you, "", no_time_servers},
    {"FM-X3", About::peer, Severity::warning, Act::peer, "", peer_clock},
    {"FM-X4", About::node, Severity::critical, Act::you, "", disk_full},
    {"FM-X5", About::node, Severity::warning, Act::you, "", log_grows},
    {"FM-X6", About::node, Severity::critical, Act::you, "FM-K1 FM-K7 FM-D1", own_starved},
    {"FM-X7", About::node, Severity::critical, Act::you, "FM-D2", dialler_wedged},
    {"FM-X8", About::node, Severity::critical, Act::you, "FM-X10", killed_for_memory},
    {"FM-X9", About::node, Severity::critical, Act::you, "FM-R4", descriptors},
    {"FM-X10", About::node, Severity::notice, Act::you, "", unclean_stop},
    {"FM-X12", About::node, Severity::critical, Act::you, "FM-X10", restart_loop},
    {"FM-X12", About::peer, Severity::error, Act::peer, "FM-R1 FM-R4 FM-X11 FM-L1 FM-H11 FM-K1",
     peer_restarts},
    {"FM-X15", About::node, Severity::warning, Act::nobody, "FM-L1 FM-X11", wave},
    {"FM-X16", About::node, Severity::critical, Act::you, "FM-X10", panicked},
});

}  // namespace

std::span<const Rule> node_rules() {
  return kRules;
}

}  // namespace timectl::diagnose
