#pragma once
// The firewall between a list from outside and the whitelist (requirements W6, W7, D): an unsigned
// list on a web site must be useful without being able to hurt. Pure plans over what is known; the
// daemon (refresh.h) stores them with their audit rows.
//
// What an attacker who owns the list can do at most: add `max_growth` addresses in 24 hours, at
// most `max_subnet_growth` of one network; mark up to `max_shrink` of the addresses as missing, of
// all and of those that are no news of his, which takes nothing away for `expire_after`. Everything
// beyond waits for the operator.
// An empty list is an outage. The config's blacklist and the operator's rejections beat the list.

#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "daemon/core/api_list.h"
#include "daemon/core/random.h"
#include "daemon/core/whitelist.h"

namespace timectl {

struct DiscoveryRules {
  bool approve_new = false;            // whitelist.api_policy = "approve"
  double max_shrink = 0.5;             // part of the API's entries that may be missing
  std::size_t max_growth = 100;        // new ones in 24 h
  std::size_t max_subnet_growth = 20;  // of them in one /24 or /56
  Duration expire_after = std::chrono::hours(24) * 30;
  Duration interval = std::chrono::hours(1);
  double jitter = 0.1;  // of the interval, each way
};

// What is remembered of the list between refreshes and restarts. One row on disk.
struct ListState {
  std::string url = {};                      // where the fetched body came from
  std::string etag = {};                     // of the fetched body
  std::string sha256 = {};                   // of the fetched body: 64 hex digits, or empty
  std::optional<WallTime> fetched_at = {};   // the last answer with a list, also 304
  std::optional<WallTime> accepted_at = {};  // the list in force was last confirmed then
  std::string accepted_sha256 = {};          // the list in force
  // Growth and shrinking count from here: the first accepted list, or the operator's last approval
  // of a whole one.
  std::optional<WallTime> baseline_at = {};
  bool fetched_lists_us = false;   // our own address is on the fetched list
  bool accepted_lists_us = false;  // on the one in force (R7)
  std::optional<WallTime> held_since = {};
  std::string held_because = {};
  std::string rejected_sha256 = {};           // a whole list that the operator refused
  std::optional<WallTime> attempted_at = {};  // also failed ones
  std::uint64_t failures = 0;                 // in a row
  std::optional<WallTime> failing_since = {};
  std::optional<FetchStep> failed_step = {};
  std::string failed_because = {};
  friend bool operator==(const ListState&, const ListState&) = default;
};

enum class PendingChange : std::uint8_t { add, missing };
BOOST_DESCRIBE_ENUM(PendingChange, add, missing)

// What waits for `whitelist approve` or `reject`.
struct PendingEntry {
  IpAddress ip = {};
  PendingChange change = PendingChange::add;
  WallTime seen_at = {};
  std::string why = {};
  friend bool operator==(const PendingEntry&, const PendingEntry&) = default;
};
BOOST_DESCRIBE_STRUCT(PendingEntry, (), (ip, change, seen_at, why))

// An address that the operator does not want from the list.
struct Rejection {
  WallTime at = {};
  std::string by = {};  // user name
  friend bool operator==(const Rejection&, const Rejection&) = default;
};

// All that is known of the list besides the whitelist itself. Owned by the daemon, stored by
// store/api_table.
struct ListMemory {
  ListState state = {};
  std::vector<PendingEntry> pending = {};  // ascending by address
  std::map<IpAddress, Rejection> rejections = {};
};

struct FetchedList {
  PeerList list = {};
  std::string sha256 = {};  // of the body
  std::string host = {};    // who says so: added_by of new sources
};

// One list as it was fetched. The same list with the same outcome again only moves its last time.
struct ListSnapshot {
  WallTime first_at = {};
  WallTime last_at = {};
  std::string url = {};
  std::string sha256 = {};
  std::uint64_t listed = 0;   // addresses that can be taken
  std::uint64_t refused = 0;  // entries that cannot
  std::string outcome = {};   // "accepted", "held_back", "rejected", "outage"
};
BOOST_DESCRIBE_STRUCT(ListSnapshot, (), (first_at, last_at, url, sha256, listed, refused, outcome))

struct RefreshPlan {
  std::vector<IpAddress> added = {};    // new sources, or what would be were it not held back
  std::vector<IpAddress> kept = {};     // on the list and in the whitelist by it
  std::vector<IpAddress> missing = {};  // in the whitelist by it and not on the list
  std::vector<RefusedEntry> refused = {};
  std::vector<IpAddress> waiting = {};        // new ones that need approval
  std::vector<WhitelistChange> changes = {};  // to store and put; none where it is held back
  std::vector<PendingEntry> pending = {};     // replaces what waited
  std::string held_back = {};                 // why nothing was taken; empty: taken
  bool was_rejected = false;                  // held back because the operator refused this list
  ListState state = {};                       // to store, without the fields of the fetch itself
};

// A list without a single address that can be taken is an outage (FM-A4): a failure of step
// `shape`, and nothing may change.
[[nodiscard]] std::optional<FetchFailure> outage(const PeerList& list);
[[nodiscard]] RefreshPlan plan_refresh(const FetchedList& fetched, const Whitelist& whitelist,
                                       const ListMemory& memory, const DiscoveryRules& rules,
                                       WallTime now);

struct DecisionPlan {
  std::vector<WhitelistChange> changes = {};  // of an approval, one for each address in order
  std::vector<IpAddress> decided = {};        // all of them
  std::vector<IpAddress> refused = {};        // no room, or a rejection cannot mean them: they wait
  ListMemory memory = {};                     // as it is to be afterwards
};
// `ips` must wait or be rejected (not_found names the first that is neither); empty means all that
// waits (not_found where nothing does). All of a held list puts it in force, and a rejected list is
// looked at anew; single addresses do neither. `by` is the user.
[[nodiscard]] Result<DecisionPlan> plan_approve(const std::vector<IpAddress>& ips,
                                                const Whitelist& whitelist,
                                                const ListMemory& memory, const std::string& by,
                                                const std::string& host,
                                                const DiscoveryRules& rules, WallTime now);
// A rejected address is not taken from the list until it is approved. One that is only missing
// cannot be rejected by itself (the next list would say the same): it is among the refused. All at
// once can: the held list is not asked about again, the one before stays in force.
[[nodiscard]] Result<DecisionPlan> plan_reject(const std::vector<IpAddress>& ips,
                                               const ListMemory& memory, const std::string& by,
                                               WallTime now);

// API sources whose time is over leave only while a list in force confirms it (an outage takes
// nothing away): accepted within this of now.
inline constexpr Duration kConfirmedWithin = std::chrono::hours(24);
[[nodiscard]] bool may_expire(const ListState& state, const DiscoveryRules& rules, WallTime now);

// From the end of an attempt to the next: the interval with its jitter; after `state.failures`
// 1, 2, 4 ... minutes up to the interval, and at least what the server asked for.
[[nodiscard]] Duration next_refresh_after(const ListState& state, const DiscoveryRules& rules,
                                          std::optional<Duration> retry_after, Random& random);
// At start: at once, but not within 10 s of the last attempt, so that a crash loop is no flood.
[[nodiscard]] Duration first_refresh_after(const ListState& state, WallTime now);

}  // namespace timectl
