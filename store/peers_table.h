#pragma once
// What is remembered of each peer across restarts: dial state and ledger (protocol 14(10)), so
// that a crash loop never becomes a flood. The node loads it at start and saves what changed in
// batches. A row that cannot be read is database_damaged naming the address.

#include <cstddef>
#include <span>
#include <vector>

#include "daemon/core/events.h"
#include "store/database.h"

namespace timectl::store {

inline constexpr std::size_t kMaxRecentAttempts = 16;
inline constexpr std::size_t kMaxPeerTextBytes = 200;
inline constexpr std::size_t kMaxPeerRows = 32'768;

// Inserts or replaces, in one transaction. Attempts over the last 16 and text over 200 bytes are
// cut. With `durable` it is on disk when it returns (a dial is counted before it is made), else
// a power cut may lose it.
enum class Durability : std::uint8_t { relaxed, durable };
[[nodiscard]] Result<void> save_peers(Database& database, std::span<const PeerMemory> peers,
                                      Durability durability = Durability::relaxed);
// At most `limit` (1 to kMaxPeerRows), the ones heard of last first.
[[nodiscard]] Result<std::vector<PeerMemory>> load_peers(Database& database, std::size_t limit);
[[nodiscard]] Result<void> forget_peers(Database& database, std::span<const IpAddress> ips);

}  // namespace timectl::store
