#pragma once
// Policy: every number that the node decides by, with its unit and where it comes from
// (requirements.md unless another source is named). config/ maps each to a key of timectl.toml;
// tests scale them down. No other file holds a limit that an operator may want to change.

#include <boost/describe/class.hpp>
#include <cstddef>
#include <cstdint>

#include "daemon/core/score_policy.h"
#include "daemon/core/time.h"
#include "daemon/core/vocabulary.h"

namespace timectl {

using namespace std::chrono_literals;

struct SlotPolicy {  // S1-S3
  std::size_t max_connections = 125;
  std::size_t reserved_masternode_slots = 50;  // only masternodes; regular peers get the rest
  std::size_t outbound_regular = 8;
  std::size_t max_per_ip = 1;         // the network's nodes key connections by IP (protocol 8.7)
  std::size_t max_per_subnet = 8;     // /24, /56
  std::size_t per_ip_per_minute = 6;  // new inbound connections
  std::size_t per_subnet_per_minute = 20;
};
BOOST_DESCRIBE_STRUCT(SlotPolicy, (),
                      (max_connections, reserved_masternode_slots, outbound_regular, max_per_ip,
                       max_per_subnet, per_ip_per_minute, per_subnet_per_minute))

struct LivenessPolicy {               // L1-L5
  Duration ping_interval = 30s;       // regular peers
  Duration keepalive_interval = 15s;  // masternodes
  Duration timeout_check_interval = 10s;
  std::size_t regular_missed_pongs = 3;  // both conditions must hold (L3)
  Duration regular_timeout = 90s;
  std::size_t masternode_missed_pongs = 6;
  Duration masternode_timeout = 180s;
  std::size_t lenient_missed_pongs = 10;
  Duration lenient_timeout = 300s;
  Duration tcp_user_timeout = 45s;        // with 15 s pings: dead within 60 s
  Duration duplicate_probe_timeout = 3s;  // S4: the old connection must show life in this
  Duration registry_interval = 60s;       // L5: 5 of these without news is offline
  std::size_t registry_missed = 5;
  Duration registry_forget_after = 1h;
  double patience_limit = 2.0;  // L6: bad paths get up to so many times the time-outs
};
BOOST_DESCRIBE_STRUCT(LivenessPolicy, (),
                      (ping_interval, keepalive_interval, timeout_check_interval,
                       regular_missed_pongs, regular_timeout, masternode_missed_pongs,
                       masternode_timeout, lenient_missed_pongs, lenient_timeout, tcp_user_timeout,
                       duplicate_probe_timeout, registry_interval, registry_missed,
                       registry_forget_after, patience_limit))

struct ObserverPolicy {         // when the fault is our own (issue "the guardian", 7)
  Duration late_timer = 2s;     // far over what a loaded host's scheduler does
  Duration clock_step = 2s;     // a time service slews at most 0.5 ms a second
  Duration window = 10s;        // losses in it are one incident
  double failing_share = 0.5;   // of the masternodes connected when it began
  std::size_t least_peers = 3;  // two may fail by chance
  Duration recovery = 60s;      // quiet for so long is well again
  double stretch = 2.0;         // of the time-outs meanwhile
};
BOOST_DESCRIBE_STRUCT(ObserverPolicy, (),
                      (late_timer, clock_step, window, failing_share, least_peers, recovery,
                       stretch))

struct ReconnectPolicy {                 // R1-R7 and the table below them
  Duration masternode_first_delay = 2s;  // doubles: 2, 4, 8 ... cap
  Duration masternode_max_delay = 60s;
  std::size_t masternode_attempts = 50;
  Duration regular_first_delay = 5s;
  Duration regular_max_delay = 300s;
  std::size_t regular_attempts = 10;
  Duration regular_forget_for = 24h;           // R2
  Duration unclean_delay = 150s;               // the other side holds our dead slot (protocol 8.8)
  Duration early_close_first_delay = 150s;     // then 5 min, 15 min, 1 h, 1 h ... (protocol 1.5)
  Duration rejected_first_delay = 4h + 10min;  // outlives the 4 h ban (protocol 5.7)
  Duration rejected_delay = 24h;
  Duration jitter_from = 8s;  // gaps from here up carry jitter
  double jitter = 0.2;
  Duration stable_after = 60s;                  // a connection that lived so long resets the ladder
  Duration pass_interval = 120s;                // R4
  std::size_t attempts_per_minute = 4;          // to one target, probes included
  std::size_t after_tcp_failures_per_hour = 4;  // architecture.md: they are counted and banned for
  std::size_t probes_per_hour = 9;              // to one target (scenarios.md, "Always")
  Duration passive_wait = 180s;                 // S5
  Duration dialed_us_within = 24h;              // S5
  std::size_t masternode_dials_per_second = 10;  // R7, the whole node
  std::size_t masternode_dials_at_once = 32;
  std::size_t regular_dials_per_second = 2;
  std::size_t regular_dials_at_once = 8;
};
BOOST_DESCRIBE_STRUCT(ReconnectPolicy, (),
                      (masternode_first_delay, masternode_max_delay, masternode_attempts,
                       regular_first_delay, regular_max_delay, regular_attempts, regular_forget_for,
                       unclean_delay, early_close_first_delay, rejected_first_delay, rejected_delay,
                       jitter_from, jitter, stable_after, pass_interval, attempts_per_minute,
                       after_tcp_failures_per_hour, probes_per_hour, passive_wait, dialed_us_within,
                       masternode_dials_per_second, masternode_dials_at_once,
                       regular_dials_per_second, regular_dials_at_once))

struct TransportPolicy {  // faults.md, budgets
  Duration connect_timeout = 10s;
  Duration tls_timeout = 10s;
  Duration ack_timeout = 20s;                // dialled: from TLS to the peer's Ack
  Duration accept_timeout = 10s;             // accepted: first byte to Handshake, TLS included
  std::size_t handshake_frame_limit = 1024;  // bytes of one frame before the handshake
  std::size_t frame_limit = 8'388'608;       // protocol 2.2
  Duration frame_grace = 5s;                 // then at least frame_min_rate within a frame
  std::size_t frame_min_rate = 4096;         // bytes a second
  std::size_t receive_buffers = 67'108'864;  // bytes, all peers together
  std::size_t send_queue = 262'144;          // bytes of small frames, one peer
  std::size_t tls_handshakes_at_once = 16;
  std::size_t tls_handshakes_waiting = 512;
  std::size_t frames_per_second = 2000;  // protocol 14(6)
  std::size_t frames_burst = 4000;
  std::size_t bytes_per_minute = 33'554'432;
  Duration close_timeout = 2s;  // orderly close: close_notify, FIN, then drop
};
BOOST_DESCRIBE_STRUCT(TransportPolicy, (),
                      (connect_timeout, tls_timeout, ack_timeout, accept_timeout,
                       handshake_frame_limit, frame_limit, frame_grace, frame_min_rate,
                       receive_buffers, send_queue, tls_handshakes_at_once, tls_handshakes_waiting,
                       frames_per_second, frames_burst, bytes_per_minute, close_timeout))

struct WhitelistPolicy {             // W4, W7
  std::size_t max_entries = 10'000;  // operators type few; the API list has at most 5,000
  BanImmunity ban_immunity = BanImmunity::all;
  LivenessProfile liveness = LivenessProfile::normal;
  Duration expire_after = 24h * 30;
};
BOOST_DESCRIBE_STRUCT(WhitelistPolicy, (), (max_entries, ban_immunity, liveness, expire_after))

struct BanPolicy {             // issue 3, item 5; what each violation weighs is in violation.cc
  bool automatic = true;       // false: violations are scored and shown, nobody is banned for them
  double threshold = 10;       // points; a single violation (at most 5) never bans
  Duration half_life = 10min;  // of a score
  Duration first = 5min;       // the ladder of attacks; nuisances stay on its first rung
  Duration second = 1h;
  Duration longest = 24h;
  Duration forgive_after = 24h * 7;      // after the last ban's end: the ladder begins anew
  std::size_t max_automatic = 4096;      // addresses of strangers with a score or a ban
  std::size_t max_operator = 10'000;     // bans by hand
  std::size_t unknown_pongs = 100;       // in a row (faults.md, FT-P18)
  std::size_t undecodable_frames = 300;  // of a session: one violation for each so many
};
BOOST_DESCRIBE_STRUCT(BanPolicy, (),
                      (automatic, threshold, half_life, first, second, longest, forgive_after,
                       max_automatic, max_operator, unknown_pongs, undecodable_frames))

struct Policy {
  SlotPolicy slots;
  LivenessPolicy liveness;
  ObserverPolicy observer;
  ReconnectPolicy reconnect;
  TransportPolicy transport;
  WhitelistPolicy whitelist;
  std::uint32_t commit_count = 2344;           // what we say in the Handshake (protocol 5.5)
  std::uint32_t min_peer_commit_count = 2062;  // protocol 5.5
  std::size_t known_peers = 4096;              // learned addresses kept, regular ones
  BanPolicy bans;
  ScorePolicy score;  // Q1
};
BOOST_DESCRIBE_STRUCT(Policy, (),
                      (slots, liveness, observer, reconnect, transport, whitelist, commit_count,
                       min_peer_commit_count, known_peers, bans, score))

}  // namespace timectl
