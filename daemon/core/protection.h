#pragma once
// Protection: is what the whitelist promises in force for one peer? Facts that are looked up
// independently of each other (the database and the file, the live connection, the ban table, the
// slots, the history), each true, false or unknown, and a verdict from them. Pure: the methods
// gather the input, `timectl whitelist verify` prints the result. A whitelist that nobody filled,
// and a second copy of it that said otherwise, were the outage (failures.md, FM-B3, FM-B13), so
// the answer never rests on the whitelist's own word.

#include <boost/describe/class.hpp>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "daemon/core/events.h"
#include "daemon/core/ip_address.h"
#include "daemon/core/time.h"
#include "daemon/core/vocabulary.h"

namespace timectl {

enum class ProtectionVerdict : std::uint8_t { enforced, unproven, broken };
BOOST_DESCRIBE_ENUM(ProtectionVerdict, enforced, unproven, broken)

enum class FactName : std::uint8_t { declared, applied, not_banned, connected, slot, survived };
BOOST_DESCRIBE_ENUM(FactName, declared, applied, not_banned, connected, slot, survived)

struct ProtectionFact {
  FactName name = FactName::declared;
  std::optional<bool> ok = {};  // none: cannot be known now
  std::string detail = {};
};
BOOST_DESCRIBE_STRUCT(ProtectionFact, (), (name, ok, detail))

struct FactRow {
  FactName name;
  bool breaks;  // false breaks the protection; else it only leaves it unproven
  std::string_view meaning;
};
[[nodiscard]] std::span<const FactRow> fact_table();

// broken wins over unproven; enforced only where every fact is there and true.
[[nodiscard]] ProtectionVerdict protection_verdict(std::span<const ProtectionFact> facts);

// What the node knows of one peer, from its connection and its slots.
struct LiveProtection {
  bool connected = false;
  std::optional<bool> watched_as_masternode = {};  // by the connection's own next check
  std::optional<bool> slot_as_masternode = {};     // how its slot was counted
  bool slot_free = false;                          // without a connection: it would get one now
  std::string slot_why = {};
  Duration ping_interval = {};  // in force on the connection
  std::uint64_t missed_pongs = 0;
  Duration timeout = {};
  bool never = false;  // only a dead transport ends it
};

struct ProtectionInput {
  bool whitelisted = false;                 // in the memory that decides
  bool stored = false;                      // in the database, or in the configuration's list
  std::string sources = {};                 // "manual, api"
  std::string ban = {};                     // in force: who and why; empty: none
  bool immune = false;                      // no ban could hold
  std::optional<LiveProtection> live = {};  // none without a node that may connect
  std::string not_live_because = {};
  std::optional<SessionRecord> last_loss = {};  // while it was whitelisted
  std::uint64_t missed_pongs_limit = 0;         // of masternodes, now
};
[[nodiscard]] std::vector<ProtectionFact> protection_facts(const ProtectionInput& input);

// Whether the end of a session is an incident that a protected peer has to survive; our own stop,
// an operator's word and a newer connection in its place are none.
[[nodiscard]] bool is_incident(EndReason reason);

}  // namespace timectl
