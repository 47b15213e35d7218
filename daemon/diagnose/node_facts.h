#pragma once
// NodeFacts: what is known of this node itself and of all its peers together, for the rules that
// ask whether the fault is ours (facts.h has those of one peer, and the way to JSON and back).

#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "daemon/core/ip_address.h"
#include "daemon/core/sync_views.h"
#include "daemon/core/time.h"
#include "daemon/core/views.h"
#include "daemon/core/vocabulary.h"

namespace timectl::diagnose {

struct ClockFacts {
  std::optional<double> peers_seconds = {};  // our clock less the median of the peers'
  std::uint64_t peers = 0;                   // that were compared
  std::optional<double> ntp_seconds = {};    // our clock less the servers'
  std::uint64_t ntp_asked = 0;
  std::uint64_t ntp_answered = 0;
};
BOOST_DESCRIBE_STRUCT(ClockFacts, (), (peers_seconds, peers, ntp_seconds, ntp_asked, ntp_answered))

struct ResourceFacts {
  std::optional<std::uint64_t> disk_free_bytes = {};
  std::optional<std::uint64_t> disk_total_bytes = {};
  std::optional<std::uint64_t> descriptors = {};
  std::optional<std::uint64_t> descriptors_limit = {};
  std::uint64_t descriptors_refused = 0;  // EMFILE in the last hour
  std::optional<std::uint64_t> memory_bytes = {};
  std::optional<std::uint64_t> memory_limit_bytes = {};
  std::uint64_t oom_kills = 0;  // of any process in our control group, since that was made
  std::string cgroup = {};      // that group, below the root
  std::optional<std::uint64_t> log_bytes = {};
  std::optional<std::uint64_t> log_bytes_a_day = {};
};
BOOST_DESCRIBE_STRUCT(ResourceFacts, (),
                      (disk_free_bytes, disk_total_bytes, descriptors, descriptors_limit,
                       descriptors_refused, memory_bytes, memory_limit_bytes, oom_kills, cgroup,
                       log_bytes, log_bytes_a_day))

struct ListenerFacts {
  std::optional<bool> wanted = {};
  std::optional<bool> listening = {};
  std::uint64_t port = 0;
  std::uint64_t network_port = 0;  // where every node of the network dials
  std::string error = {};
  std::uint64_t inbound_last_day = 0;
  std::optional<bool> reachable = {};     // by a peer that dials us or says so
  std::uint64_t unreachable_said_by = 0;  // peers that warned us
};
BOOST_DESCRIBE_STRUCT(ListenerFacts, (),
                      (wanted, listening, port, network_port, error, inbound_last_day, reachable,
                       unreachable_said_by))

enum class ApiAnswer : std::uint8_t {
  ok,
  unresolved,
  tls_failed,
  http_error,
  timed_out,
  wrong_shape,
  empty,
  held_back,  // it changed too much at once
  too_large,
};
BOOST_DESCRIBE_ENUM(ApiAnswer, ok, unresolved, tls_failed, http_error, timed_out, wrong_shape,
                    empty, held_back, too_large)

struct ApiFacts {
  std::optional<ApiAnswer> answer = {};  // the last one
  std::string detail = {};
  std::optional<WallTime> good_at = {};
  std::uint64_t entries = 0;          // of the last good list
  std::uint64_t refused_entries = 0;  // private, loopback, own address, hostnames
  std::uint64_t dead_for_a_day = 0;   // entries that nobody reached
  std::optional<bool> lists_us = {};
};
BOOST_DESCRIBE_STRUCT(ApiFacts, (),
                      (answer, detail, good_at, entries, refused_entries, dead_for_a_day, lists_us))

struct ConfigFacts {
  std::optional<IpAddress> external_ip = {};  // configured
  std::vector<std::string> unknown_keys = {};
  std::vector<std::string> host_names = {};  // where addresses belong
  std::optional<bool> rejected = {};
};
BOOST_DESCRIBE_STRUCT(ConfigFacts, (), (external_ip, unknown_keys, host_names, rejected))

// One line for each peer: what the rules over all of them need.
struct PeerBrief {
  IpAddress ip = {};
  bool whitelisted = false;
  bool connected = false;
  PeerState state = PeerState::idle;
  std::optional<WallTime> ended_at = {};
  std::optional<EndReason> ended = {};  // the last session or dial
  std::optional<std::uint64_t> height = {};
  std::optional<double> uptime_seconds = {};  // its RPC
  std::optional<double> clock_seconds = {};
};
BOOST_DESCRIBE_STRUCT(PeerBrief, (),
                      (ip, whitelisted, connected, state, ended_at, ended, height, uptime_seconds,
                       clock_seconds))

// A timed beside us, where there is one (its RPC, sockets or log feed).
struct LocalTimedFacts {
  std::optional<bool> rpc_answers = {};
  std::optional<double> heartbeat_age_seconds = {};
  std::optional<double> dial_tick_age_seconds = {};
  std::uint64_t restarts_half_hour = 0;
  std::uint64_t watchdog_restarts_half_hour = 0;
  std::string genesis_hash = {};
  std::uint64_t panics = 0;
  std::optional<bool> outside_systemd = {};
};
BOOST_DESCRIBE_STRUCT(LocalTimedFacts, (),
                      (rpc_answers, heartbeat_age_seconds, dial_tick_age_seconds,
                       restarts_half_hour, watchdog_restarts_half_hour, genesis_hash, panics,
                       outside_systemd))

struct NodeFacts {
  WallTime at = {};
  Network network = Network::mainnet;
  std::optional<bool> running = {};
  std::optional<WallTime> started_at = {};
  std::optional<bool> last_stop_clean = {};
  std::string version = {};
  std::uint64_t commit_count = 0;
  std::uint64_t min_commit_count = 0;
  std::optional<IpAddress> address = {};  // ours, as peers see it
  std::vector<AilmentView> ailments = {};
  ClockFacts clock = {};
  ResourceFacts resources = {};
  ListenerFacts listener = {};
  ApiFacts api = {};
  ConfigFacts config = {};
  std::optional<std::uint64_t> whitelisted = {};
  std::uint64_t whitelisted_stored = 0;  // in the database or the configuration
  std::optional<bool> own_address_banned = {};
  std::optional<bool> own_address_whitelisted = {};
  std::optional<bool> address_shared = {};  // another node of the network answers on our address
  std::uint64_t nodes_in_our_subnet = 0;    // other masternodes in our /24 or /56
  std::optional<SlotsView> slots = {};
  std::uint64_t inbound_refused_hour = 0;  // no slot
  std::optional<SyncStatusView> sync = {};
  std::vector<ForkView> forks = {};     // open ones
  std::string genesis_hash = {};        // of our chain
  std::string chain_error = {};         // the file of the chain cannot be used
  std::uint64_t bad_block_sources = 0;  // masternodes whose next block we refuse, all the same way
  std::string bad_block_reason = {};
  std::optional<bool> audit_broken = {};
  std::vector<PeerBrief> peers = {};  // at most 5,000
  std::optional<LocalTimedFacts> timed = {};
};
BOOST_DESCRIBE_STRUCT(NodeFacts, (),
                      (at, network, running, started_at, last_stop_clean, version, commit_count,
                       min_commit_count, address, ailments, clock, resources, listener, api, config,
                       whitelisted, whitelisted_stored, own_address_banned, own_address_whitelisted,
                       address_shared, nodes_in_our_subnet, slots, inbound_refused_hour, sync,
                       forks, genesis_hash, chain_error, bad_block_sources, bad_block_reason,
                       audit_broken, peers, timed))

}  // namespace timectl::diagnose
