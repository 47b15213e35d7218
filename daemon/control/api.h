#pragma once
// The control API: request and reply values of every method, and the table of methods. The socket
// server, the in-process path (no node running) and the command line all use these, so a reply has
// one shape however it was reached. Method names are noun.verb; a request is one described struct
// (unknown fields are refused by name), a reply is JSON of a described struct or an array of them.

#include <boost/describe/class.hpp>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/control/sync_api.h"
#include "daemon/core/bans.h"
#include "daemon/core/events.h"
#include "daemon/core/protection.h"
#include "daemon/core/views.h"
#include "daemon/core/whitelist.h"
#include "daemon/core/whitelist_import.h"

namespace timectl::control {

// Of the whole control protocol: `hello` {api} must agree, else TC-CTL-002.
inline constexpr std::uint32_t kApiVersion = 1;

enum class Privilege : std::uint8_t { read, operate, admin };
BOOST_DESCRIBE_ENUM(Privilege, read, operate, admin)

// Who asks; from SO_PEERCRED on the socket, from the process itself in an offline command.
struct Actor {
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::int32_t pid = 0;
  std::string user = {};                   // name, or the number where there is none
  std::string via = {};                    // "socket" or "cli"
  std::vector<std::uint32_t> groups = {};  // all of them, the primary one included; at most 1,024
};

struct MethodRow {
  std::string_view name;
  Privilege privilege;
  bool needs_node;  // false: works on the database alone, too
  std::string_view summary;
  bool slow = false;  // may take minutes: runs beside the node's thread, and callers wait longer
  // With a node it is answered from memory, so that a large change goes on beneath it.
  bool from_memory = false;
};
[[nodiscard]] std::span<const MethodRow> method_table();
[[nodiscard]] const MethodRow* find_method(std::string_view name);

struct HelloRequest {
  std::uint32_t api = 0;
  std::string version = {};
};
BOOST_DESCRIBE_STRUCT(HelloRequest, (), (api, version))
struct HelloReply {
  std::uint32_t api = kApiVersion;
  std::string version = {};
  std::int64_t pid = 0;
  std::string network = {};
  std::string mode = {};
};
BOOST_DESCRIBE_STRUCT(HelloReply, (), (api, version, pid, network, mode))

// whitelist.add (operate): reply array of ChangeReply, one per address in order; all addresses are
// checked before the first change; one transaction.
struct WhitelistAddRequest {
  std::vector<std::string> ips = {};  // at most 5,000; text, so that a bad one is named
  std::string reason = {};            // at most 500 bytes
  std::optional<std::string> label = {};
  std::optional<LivenessProfile> liveness = {};
  std::optional<Duration> expires_in = {};
  bool dry_run = false;
};
BOOST_DESCRIBE_STRUCT(WhitelistAddRequest, (), (ips, reason, label, liveness, expires_in, dry_run))
// whitelist.remove (operate); addresses or labels.
struct WhitelistRemoveRequest {
  std::vector<std::string> ips = {};
  std::string reason = {};
};
BOOST_DESCRIBE_STRUCT(WhitelistRemoveRequest, (), (ips, reason))
struct ChangeReply {
  IpAddress ip = {};
  std::string result = {};  // added removed unchanged refused
  std::vector<Source> still_by = {};
  std::string why = {};
};
BOOST_DESCRIBE_STRUCT(ChangeReply, (), (ip, result, still_by, why))

// whitelist.list (read): array of WhitelistRow. whitelist.show: WhitelistDetail.
struct WhitelistListRequest {
  std::optional<Source> source = {};
};
BOOST_DESCRIBE_STRUCT(WhitelistListRequest, (), (source))
struct WhitelistRow {
  IpAddress ip = {};
  std::string label = {};
  std::vector<Source> sources = {};
  std::string reason = {};
  WallTime added_at = {};
  std::string added_by = {};
  std::optional<WallTime> expires_at = {};
  std::optional<WallTime> missing_since = {};
  LivenessProfile liveness = LivenessProfile::normal;  // in force: the entry's or the policy's
  std::optional<bool> connected = {};                  // null without a node
  std::optional<LivenessProfile> own_liveness = {};    // the entry's; null: it follows the policy
  bool trusts_us = false;
};
BOOST_DESCRIBE_STRUCT(WhitelistRow, (),
                      (ip, label, sources, reason, added_at, added_by, expires_at, missing_since,
                       liveness, connected, own_liveness, trusts_us))
struct WhitelistDetail : WhitelistRow {
  std::vector<WhitelistSource> by_source = {};
};
BOOST_DESCRIBE_STRUCT(WhitelistDetail, (WhitelistRow), (by_source))

// whitelist.import (operate): reply ImportReply. The entries become manual ones; all or none.
struct WhitelistImportRequest {
  std::vector<ListedPeer> entries = {};  // at most kMostListed, and what fits into a request
  bool replace = false;                  // manual entries that are not in the list go
  bool dry_run = false;
  std::string plan = {};  // of an earlier dry run: refused as `busy` where it is another one now
};
BOOST_DESCRIBE_STRUCT(WhitelistImportRequest, (), (entries, replace, dry_run, plan))
struct ImportRow {
  IpAddress ip = {};
  std::string label = {};  // afterwards; of a removed entry before
  ImportResult result = ImportResult::unchanged;
  std::vector<FieldChange> changes = {};
  std::vector<Source> still_by = {};  // of a removed one: these hold it still
  std::string why = {};               // of skipped and refused
};
BOOST_DESCRIBE_STRUCT(ImportRow, (), (ip, label, result, changes, still_by, why))
struct ImportReply {
  bool applied = false;  // or nothing was to do; never where one entry was refused
  std::string plan = {};
  std::uint64_t added = 0;
  std::uint64_t changed = 0;
  std::uint64_t unchanged = 0;
  std::uint64_t removed = 0;
  std::uint64_t skipped = 0;
  std::uint64_t refused = 0;
  std::vector<ImportRow> rows = {};
};
BOOST_DESCRIBE_STRUCT(ImportReply, (),
                      (applied, plan, added, changed, unchanged, removed, skipped, refused, rows))

// whitelist.verify (read, PeerRequest; an empty `peer` means all): array of ProtectionRow.
struct ProtectionRow {
  IpAddress ip = {};
  std::string label = {};
  ProtectionVerdict verdict = ProtectionVerdict::unproven;
  std::vector<ProtectionFact> facts = {};
};
BOOST_DESCRIBE_STRUCT(ProtectionRow, (), (ip, label, verdict, facts))

// ban.add, ban.remove (operate): array of BanReply, one for each ban that changed or would have.
struct BanAddRequest {
  std::string ip = {};
  std::string reason = {};             // at most 500 bytes
  std::optional<Duration> lasts = {};  // none: until it is removed
};
BOOST_DESCRIBE_STRUCT(BanAddRequest, (), (ip, reason, lasts))
struct BanRemoveRequest {
  std::string ip = {};
  std::string reason = {};
};
BOOST_DESCRIBE_STRUCT(BanRemoveRequest, (), (ip, reason))
struct BanReply {
  IpAddress ip = {};
  std::string result = {};  // added removed unchanged
  std::optional<BanOrigin> origin = {};
  std::optional<WallTime> until = {};
  std::string why = {};
};
BOOST_DESCRIBE_STRUCT(BanReply, (), (ip, result, origin, until, why))

// ban.list (read): array of BanRow. ban.why (read): BanWhy.
struct BanRow {
  IpAddress ip = {};
  std::string covers = {};  // the address, or the /64 that an automatic ban of IPv6 is for
  BanOrigin origin = BanOrigin::operator_;
  std::string reason = {};
  std::string added_by = {};
  std::optional<WallTime> since = {};  // null for the config's
  std::optional<WallTime> until = {};  // null: until it is removed
  bool exempt = false;                 // whitelisted: it does not hold while it is
};
BOOST_DESCRIBE_STRUCT(BanRow, (), (ip, covers, origin, reason, added_by, since, until, exempt))
struct ViolationCount {
  ViolationKind kind = ViolationKind::flood;
  std::uint64_t count = 0;
  double points = 0;  // of each
  Gravity gravity = Gravity::nuisance;
};
BOOST_DESCRIBE_STRUCT(ViolationCount, (), (kind, count, points, gravity))
struct BanWhy {
  IpAddress ip = {};
  bool banned = false;  // some ban holds now
  bool whitelisted = false;
  bool immune = false;  // neither scored nor banned
  std::vector<BanRow> bans = {};
  std::optional<double> score = {};  // null without a node: scores live in its memory
  double threshold = 0;
  Duration half_life = {};
  std::vector<ViolationCount> violations = {};
  std::optional<WallTime> last_violation_at = {};
  std::optional<std::uint64_t> offences = {};  // bans for attacks that are not forgiven yet
  Duration next_ban = {};                      // what the next one for attacks would last
};
BOOST_DESCRIBE_STRUCT(BanWhy, (),
                      (ip, banned, whitelisted, immune, bans, score, threshold, half_life,
                       violations, last_violation_at, offences, next_ban))

// peer.show, peer.history, whitelist.show, slots.check, ban.why take one of these.
struct PeerRequest {
  std::string peer = {};  // address or label
};
BOOST_DESCRIBE_STRUCT(PeerRequest, (), (peer))

// peer.list (read)
struct PeerListRequest {
  bool whitelisted = false;
  bool connected = false;
  bool banned = false;
  bool registry = false;            // array of RegistryView instead of PeerView
  std::string sort = {};            // a key of PeerView; empty: whitelisted first, then address
  std::optional<WallTime> at = {};  // as it was then: array of PastPeerRow (past_api.h)
};
BOOST_DESCRIBE_STRUCT(PeerListRequest, (), (whitelisted, connected, banned, registry, sort, at))

// peer.history (read): array of HistoryRow, newest first. An open session has ended_at null.
struct PeerHistoryRequest {
  std::string peer = {};
  std::optional<WallTime> since = {};
  std::optional<EndReason> reason = {};
  std::uint64_t limit = 1000;
};
BOOST_DESCRIBE_STRUCT(PeerHistoryRequest, (), (peer, since, reason, limit))
struct HistoryRow {
  IpAddress ip = {};
  Direction direction = Direction::out;
  WallTime started_at = {};
  std::optional<WallTime> ended_at = {};
  std::optional<EndReason> end_reason = {};
  std::string detail = {};
  std::uint64_t missed_pongs = 0;
  std::optional<double> rtt_ms_p50 = {};
  std::optional<double> rtt_ms_p95 = {};
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
};
BOOST_DESCRIBE_STRUCT(HistoryRow, (),
                      (ip, direction, started_at, ended_at, end_reason, detail, missed_pongs,
                       rtt_ms_p50, rtt_ms_p95, bytes_in, bytes_out))

// peer.connect, peer.disconnect (operate, need the node).
struct PeerDisconnectRequest {
  std::string peer = {};
  std::optional<Duration> stay_away = {};
};
BOOST_DESCRIBE_STRUCT(PeerDisconnectRequest, (), (peer, stay_away))

// events.list (read): array of Event, oldest first. events.follow (read, needs the node): the same
// list, then every new event as a notification {"method":"event","params":Event}.
struct EventsRequest {
  std::optional<WallTime> since = {};
  std::optional<std::string> peer = {};
  std::optional<EventKind> kind = {};
  std::uint64_t limit = 1000;  // the newest ones
};
BOOST_DESCRIBE_STRUCT(EventsRequest, (), (since, peer, kind, limit))

// audit.list (read): array of the store's AuditRow. audit.verify, audit.head (read).
// audit.export (read): {"rows":[...],"next":seq|null} in pages, `from` on.
struct AuditListRequest {
  std::optional<WallTime> since = {};
  std::string actor = {};
  std::string subject = {};
  std::uint64_t limit = 1000;
};
BOOST_DESCRIBE_STRUCT(AuditListRequest, (), (since, actor, subject, limit))
struct AuditVerifyRequest {
  std::string head = {};  // a hash noted elsewhere; empty: only the chain itself
};
BOOST_DESCRIBE_STRUCT(AuditVerifyRequest, (), (head))
struct AuditExportRequest {
  std::uint64_t from = 1;
  std::uint64_t limit = 500;
};
BOOST_DESCRIBE_STRUCT(AuditExportRequest, (), (from, limit))

// db.check (read): {"ok":bool,"problems":[...]}; db.backup (admin).
struct BackupRequest {
  std::string path = {};  // absolute
};
BOOST_DESCRIBE_STRUCT(BackupRequest, (), (path))

// status (read): StatusRequest (past_api.h).
struct NodeStatus {
  bool running = false;
  std::optional<std::int64_t> pid = {};
  std::optional<NodeMode> mode = {};
  std::optional<double> uptime_seconds = {};
  std::optional<std::string> listen = {};
  std::string passive_because = {};
  std::vector<AilmentView> ailments = {};  // of the node itself
};
BOOST_DESCRIBE_STRUCT(NodeStatus, (),
                      (running, pid, mode, uptime_seconds, listen, passive_because, ailments))
struct MasternodesStatus {
  std::uint64_t whitelisted = 0;
  std::optional<std::uint64_t> connected = {};  // null without a node that may connect
  std::vector<PeerView> down = {};              // whitelisted and not connected, at most 10
};
BOOST_DESCRIBE_STRUCT(MasternodesStatus, (), (whitelisted, connected, down))
struct AlertLine {  // what holds now, said already or not
  Severity severity = Severity::notice;
  std::string text = {};
  std::optional<WallTime> since = {};
  std::string rule = {};                 // name of an AlertRule; empty in views of the past
  std::string object = {};               // an address or a height; empty: the node
  std::optional<std::uint64_t> id = {};  // for `timectl alerts ack ID`; null: not said yet
  std::optional<std::string> acked_by = {};
  std::optional<WallTime> silenced_until = {};
};
BOOST_DESCRIBE_STRUCT(AlertLine, (),
                      (severity, text, since, rule, object, id, acked_by, silenced_until))
struct StatusReply {
  Verdict verdict = Verdict::unknown;
  std::string summary = {};  // the verdict in one sentence
  std::string network = {};
  NodeStatus node = {};
  MasternodesStatus masternodes = {};
  std::optional<SlotsView> slots = {};
  SyncStatus sync = {};
  std::vector<AlertLine> alerts = {};
  std::string next_command = {};
};
BOOST_DESCRIBE_STRUCT(StatusReply, (),
                      (verdict, summary, network, node, masternodes, slots, sync, alerts,
                       next_command))

// getnetworkinfo (read): requirements N, printed by `timectl node info`.
struct WhitelistedPeerInfo {
  IpAddress ip = {};
  std::string reason = {};
  std::optional<double> uptime = {};  // seconds of the present connection; null: not connected
  std::uint64_t missed_pongs = 0;
};
BOOST_DESCRIBE_STRUCT(WhitelistedPeerInfo, (), (ip, reason, uptime, missed_pongs))
struct NetworkInfo {
  std::string version = {};
  std::string network = {};
  std::int64_t pid = 0;
  NodeMode mode = NodeMode::active;
  std::string passive_because = {};
  std::string listen = {};
  std::optional<IpAddress> own_address = {};
  std::string socket = {};
  std::string data_dir = {};
  bool service = false;  // started by a service manager, which is who starts it again
  std::optional<std::string> config_file = {};
  double uptime_seconds = 0;
  std::uint32_t commit_count = 0;
  SlotsView slots = {};
  std::vector<WhitelistedPeerInfo> whitelisted_peers = {};
  std::uint64_t whitelist_count = 0;
  SyncInfo sync_status = {};
  std::optional<std::string> dashboard_url = {};  // without the token, which its file holds
  std::optional<std::string> dashboard_token_file = {};
  std::string dashboard_off_because = {};  // where there is no url
};
BOOST_DESCRIBE_STRUCT(NetworkInfo, (),
                      (version, network, pid, mode, passive_because, listen, own_address, socket,
                       data_dir, service, config_file, uptime_seconds, commit_count, slots,
                       whitelisted_peers, whitelist_count, sync_status, dashboard_url,
                       dashboard_token_file, dashboard_off_because))

// node.stop, node.reload (admin, need the node); node.start's own answer on its ready pipe:
struct StartReply {
  std::int64_t pid = 0;
  std::string socket = {};
  std::optional<std::string> listen = {};  // null in passive mode
  NodeMode mode = NodeMode::active;
  std::string passive_because = {};
  std::string data_dir = {};
};
BOOST_DESCRIBE_STRUCT(StartReply, (), (pid, socket, listen, mode, passive_because, data_dir))

}  // namespace timectl::control
