#pragma once
// Config: what timectl.toml, the environment and the flags say, checked and ready to use. Made by
// load() (config/load.h) or check_text(); the daemon and the commands read the members. The
// numbers that the core decides by are in `policy`, those of the other parts in their sections;
// config/keys.h is the one table that maps keys to members. Nothing here touches a file.

#include <boost/describe/enum.hpp>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "daemon/core/alert_message.h"
#include "daemon/core/ip_address.h"
#include "daemon/core/policy.h"
#include "daemon/core/vocabulary.h"

namespace timectl::config {

// Words of the file; a trailing underscore (`auto` is reserved in C++) is not part of the word.
enum class ModeChoice : std::uint8_t { auto_, active, passive };
BOOST_DESCRIBE_ENUM(ModeChoice, auto_, active, passive)
enum class LogLevel : std::uint8_t { debug, info, warning, error };
BOOST_DESCRIBE_ENUM(LogLevel, debug, info, warning, error)
enum class LogFormat : std::uint8_t { text, json };
BOOST_DESCRIBE_ENUM(LogFormat, text, json)
enum class ApiPolicy : std::uint8_t { auto_, approve };
BOOST_DESCRIBE_ENUM(ApiPolicy, auto_, approve)

// Where a value comes from; the later one beats the earlier.
enum class Origin : std::uint8_t { default_, file, environment, flag };
BOOST_DESCRIBE_ENUM(Origin, default_, file, environment, flag)

struct Endpoint {
  IpAddress ip;
  std::uint16_t port = 0;
};

struct WhitelistedPeer {
  IpAddress ip;
  std::string label;
  std::optional<LivenessProfile> liveness;  // none: whitelist.liveness
  bool trusts_us = false;                   // the peer is known to whitelist this node (R7)
  std::size_t line = 0;                     // 1-based; 0 where the entry is not from a file
  std::string reason = {};                  // why it is in the file; may be empty
  std::optional<WallTime> expires_at = {};  // of lists only (check_list); the config's never expire
};

struct BlacklistedPeer {
  IpAddress ip;
  std::size_t line = 0;
};

struct AlertSink {
  std::string name = {};
  SinkKind kind = SinkKind::log;
  std::string url = {};
  SinkTemplate form = SinkTemplate::json;  // `template`
  std::vector<std::string> command = {};   // program and arguments, run without a shell
  std::string secret_file = {};
  std::string ca_file = {};
  std::string to = {};
  std::string from = {};
  Severity severity = Severity::warning;  // the mildest that is sent
  std::vector<std::string> rules = {};    // none: all
  std::optional<Duration> timeout = {};   // none: 10 s, of programs 30 s
  Duration interval = 60s;                // of a heartbeat
};
inline constexpr Duration kLongestSinkTimeout = 5min;

struct NodeSection {
  std::string name;  // in alerts; empty: the host's
  IpAddress listen = IpAddress::v4(0, 0, 0, 0);
  std::optional<IpAddress> external_address;  // none: the source address of the default route
  std::string data_dir;                       // empty: by config/paths.h
  ModeChoice mode = ModeChoice::auto_;
  LogLevel log_level = LogLevel::info;
  LogFormat log_format = LogFormat::text;
  std::string log_file;  // empty: stderr
  std::size_t log_max_bytes = 10'485'760;
  std::size_t log_files = 5;
  std::vector<std::string> operators;  // user names that may change things
  // Whom a diagnosis asks for the time: HOST, HOST:PORT, [V6]:PORT; none: nobody.
  std::vector<std::string> time_servers = {"0.debian.pool.ntp.org", "1.debian.pool.ntp.org",
                                           "2.debian.pool.ntp.org", "3.debian.pool.ntp.org"};
};

struct NetworkSection {
  Network name = Network::mainnet;
  std::uint16_t port = 0;  // 0: the network's own; read p2p_port() instead
  std::vector<WhitelistedPeer> whitelisted_peers;
  std::vector<BlacklistedPeer> blacklisted_peers;
  std::string as_database;  // a MaxMind DB file with AS numbers; empty: none
};

struct WhitelistSection {  // the numbers of the core are in policy.whitelist
  ApiPolicy api_policy = ApiPolicy::auto_;
  Duration suggest_after = 24h * 30;
  double suggest_score = 90;
};

struct DiscoverySection {  // D1, D2, W7
  bool enabled = true;
  std::string url;  // empty: the network's list on time-coin.io
  Duration interval = 1h;
  double jitter = 0.1;
  double max_shrink = 0.5;
  std::size_t max_growth = 100;
  std::size_t max_subnet_growth = 20;  // FT-A13: of them in one /24 or /56
  bool allow_private = false;
  std::string ca_file;
  Duration timeout = 15s;
  std::size_t max_bytes = 1'048'576;
  std::size_t max_entries = 5000;
  std::size_t max_redirects = 3;
  Duration keep_snapshots = 24h * 30;
};

struct SyncSection {  // Y1-Y4
  bool enabled = true;
  Duration interval = 60s;
  std::size_t threshold = 5;
  std::size_t batch = 50;
  std::size_t alert_blocks = 50;
  Duration poll_interval = 20s;
  std::size_t peers_at_once = 8;
  std::size_t witnesses = 3;
  std::size_t in_sync_blocks = 2;
  std::size_t fork_depth_masternode = 10'000;
  std::size_t fork_attempts_masternode = 10;
  std::size_t fork_depth_regular = 2000;
  std::size_t fork_attempts_regular = 3;
};

struct ChainSection {
  std::optional<std::size_t> keep_bodies;  // none: all; 0: none; else the last N blocks
};

struct AlertsSection {  // A1; sync.alert_blocks is the notice
  std::size_t lag_warning_blocks = 100;
  Duration tip_age_warning = 60min;
  Duration clock_offset = 10s;
  std::size_t fork_blocks = 6;
  std::vector<std::string> disabled_rules;
  std::vector<AlertSink> sinks;
};

struct DashboardSection {
  bool enabled = true;
  Endpoint listen{IpAddress::v4(127, 0, 0, 1), 24010};
  std::string token_file;          // empty: beside the control socket
  std::vector<std::string> hosts;  // names, besides addresses and localhost, that it answers to
  std::string tls_certificate;     // PEM files; needed off the loopback, of /metrics, too
  std::string tls_key;
};

struct MetricsSection {
  bool enabled = false;
  Endpoint listen{IpAddress::v4(127, 0, 0, 1), 24011};
  std::size_t max_peers = 500;  // masternodes with series of their own, the worst first
};

struct HistorySection {
  Duration keep_sessions = 24h * 365;
  Duration keep_events = 24h * 90;
  Duration keep_samples = 24h * 30;
  std::size_t max_bytes = 1'073'741'824;
};

struct Placed {
  Origin origin = Origin::default_;
  std::size_t line = 0;  // in the file; 0 otherwise
};

struct Config {
  Policy policy;
  NodeSection node;
  NetworkSection network;
  WhitelistSection whitelist;
  DiscoverySection discovery;
  SyncSection sync;
  ChainSection chain;
  AlertsSection alerts;
  DashboardSection dashboard;
  MetricsSection metrics;
  HistorySection history;

  std::string file;                      // the file that was read; empty where there was none
  std::map<std::string, Placed> placed;  // by "section.name"; what is not there is a default

  // The port to listen on and to dial: network.port, else the network's own (protocol 1.1).
  [[nodiscard]] std::uint16_t p2p_port() const;
  // Where the list of masternodes is: discovery.url, else the network's own (D1).
  [[nodiscard]] std::string discovery_url() const;
  // "FILE:LINE", for messages about an entry of the file.
  [[nodiscard]] std::string where(std::size_t line) const;
};

}  // namespace timectl::config
