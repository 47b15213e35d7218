#include "store/peers_table.h"

#include <algorithm>
#include <charconv>
#include <string>

#include "store/columns.h"
#include "store/connection.h"

namespace timectl::store {
namespace {

constexpr std::size_t kMaxAttemptsBytes = kMaxRecentAttempts * 20;

// "1764000000000,1764000004000": milliseconds since 1970, oldest first.
std::string attempts_text(const std::vector<WallTime>& attempts) {
  const auto skip = attempts.size() > kMaxRecentAttempts ? attempts.size() - kMaxRecentAttempts : 0;
  std::string text;
  for (auto i = skip; i < attempts.size(); ++i) {
    if (!text.empty()) text += ',';
    text += std::to_string(milliseconds_of(attempts[i]));
  }
  return text;
}

std::vector<WallTime> read_attempts(RowReader& reader) {
  const auto text = reader.text(kMaxAttemptsBytes);
  std::vector<WallTime> attempts;
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at != end) {
    std::int64_t value = 0;
    const auto [next, failed] = std::from_chars(at, end, value);
    const bool last = next == end;
    if (failed != std::errc{} || value < 0 || value > kMaxMilliseconds || (!last && *next != ',') ||
        (!last && next + 1 == end) || attempts.size() == kMaxRecentAttempts) {
      reader.bad_last("is not a list of times");
    }
    attempts.emplace_back(std::chrono::milliseconds(value));
    at = last ? end : next + 1;
  }
  return attempts;
}

PeerMemory read_peer(SQLite::Statement& statement) {
  RowReader reader(statement, "peers");
  const auto time = [&] { return reader.time(); };
  PeerMemory peer;
  peer.ip = reader.ip();
  peer.masternode_claimed = reader.boolean();
  peer.last_connected_at = reader.optional(time);
  peer.last_dialed_us_at = reader.optional(time);
  peer.last_heard_at = reader.optional(time);
  peer.next_attempt_at = reader.optional(time);
  peer.last_reason = reader.optional([&] { return reader.word<EndReason>(); });
  peer.attempts = reader.counter();
  peer.recent_attempts = read_attempts(reader);
  peer.last_text = reader.line(kMaxPeerTextBytes);
  peer.parked_under = reader.line(kMaxPeerTextBytes);
  return peer;
}

void write_peer(Connection& connection, const PeerMemory& peer) {
  Query(connection,
        "INSERT OR REPLACE INTO peers (ip, masternode_claimed, last_connected_at,"
        " last_dialed_us_at, last_heard_at, next_attempt_at, last_reason, attempts,"
        " recent_attempts, last_text, parked_under) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
      .bind(peer.ip.to_string(), peer.masternode_claimed, milliseconds_of(peer.last_connected_at),
            milliseconds_of(peer.last_dialed_us_at), milliseconds_of(peer.last_heard_at),
            milliseconds_of(peer.next_attempt_at),
            peer.last_reason ? std::optional(name_of(*peer.last_reason)) : std::nullopt,
            bounded(peer.attempts), attempts_text(peer.recent_attempts),
            printable(peer.last_text, kMaxPeerTextBytes),
            printable(peer.parked_under, kMaxPeerTextBytes))
      .run();
}

// Learned addresses cost an attacker nothing: the table has an end, and those never connected and
// longest not heard of go first.
void bound_table(Connection& connection) {
  const auto excess =
      connection.number("SELECT count(*) FROM peers") - static_cast<std::int64_t>(kMaxPeerRows);
  if (excess <= 0) return;
  Query(connection,
        "DELETE FROM peers WHERE ip IN (SELECT ip FROM peers"
        " ORDER BY last_connected_at IS NOT NULL, last_heard_at LIMIT ?)")
      .bind(excess)
      .run();
}

}  // namespace

Result<void> save_peers(Database& database, std::span<const PeerMemory> peers,
                        Durability durability) {
  if (peers.empty()) return {};
  Connection& connection = database.connection();
  const Sync sync = durability == Durability::durable ? Sync::full : Sync::relaxed;
  return in_transaction(connection, sync, "writing the peers", [&]() -> Result<void> {
    for (const auto& peer : peers) write_peer(connection, peer);
    bound_table(connection);
    return {};
  });
}

Result<std::vector<PeerMemory>> load_peers(Database& database, std::size_t limit) {
  Connection& connection = database.connection();
  return guarded(connection, "reading the peers", [&]() -> Result<std::vector<PeerMemory>> {
    Query query(
        connection,
        "SELECT ip, masternode_claimed, last_connected_at, last_dialed_us_at,"
        " last_heard_at, next_attempt_at, last_reason, attempts, recent_attempts,"
        " last_text, parked_under FROM peers ORDER BY coalesce(last_heard_at, 0) DESC, ip LIMIT ?");
    query.bind(std::clamp<std::size_t>(limit, 1, kMaxPeerRows));
    std::vector<PeerMemory> peers;
    while (query.step()) peers.push_back(read_peer(query.row()));
    return peers;
  });
}

Result<void> forget_peers(Database& database, std::span<const IpAddress> ips) {
  if (ips.empty()) return {};
  Connection& connection = database.connection();
  return in_transaction(connection, Sync::relaxed, "writing the peers", [&]() -> Result<void> {
    for (const auto& ip : ips) {
      Query(connection, "DELETE FROM peers WHERE ip = ?").bind(ip.to_string()).run();
    }
    return {};
  });
}

}  // namespace timectl::store
