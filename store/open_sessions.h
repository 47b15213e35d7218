#pragma once
// The sessions that are open, as of the node's last look: samples.h says what for. Private to
// store/; sessions_at() and end_open_sessions() are declared in samples.h.

#include <span>

#include "daemon/core/events.h"
#include "store/connection.h"

namespace timectl::store {

inline constexpr std::size_t kMaxOpenSessions = 16'384;  // more connections no node has

// Within the caller's transaction. Throws what Query throws.
void replace_open_sessions(Connection& connection, std::span<const SessionRecord> open);

}  // namespace timectl::store
