#pragma once
// Requests and replies of the methods about the API's list of masternodes, as those of api.h.

#include <boost/describe/class.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "daemon/core/discovery.h"

namespace timectl::control {

// refresh (operate): RefreshReply. A refresh that failed is a reply with `error`, not an error.
struct RefreshRequest {
  bool dry_run = false;
};
BOOST_DESCRIBE_STRUCT(RefreshRequest, (), (dry_run))
struct RefreshError {
  FetchStep step = FetchStep::dns;
  std::string code = {};  // of the failure catalogue: FM-A...
  std::string message = {};
  std::string address = {};  // that was talked to; empty: none
};
BOOST_DESCRIBE_STRUCT(RefreshError, (), (step, code, message, address))
struct RefreshReply {
  std::string url = {};
  bool dry_run = false;
  std::vector<IpAddress> added = {};
  std::vector<IpAddress> kept = {};
  std::vector<IpAddress> missing = {};
  std::vector<IpAddress> waiting = {};  // need `whitelist approve`
  std::vector<RefusedEntry> refused = {};
  bool held_back = false;
  std::string held_because = {};
  std::optional<RefreshError> error = {};
  std::optional<WallTime> accepted_at = {};  // of the list in force; null: none was ever accepted
  std::uint64_t duplicates = 0;
  std::vector<std::string> notes = {};
  bool not_modified = false;
  std::string address = {};  // that answered
  Duration took = {};        // of the fetch
  std::uint64_t whitelisted = 0;
};
BOOST_DESCRIBE_STRUCT(RefreshReply, (),
                      (url, dry_run, added, kept, missing, waiting, refused, held_back,
                       held_because, error, accepted_at, duplicates, notes, not_modified, address,
                       took, whitelisted))
// refresh.snapshots (read): array of the store's ListSnapshot, oldest first.
struct SnapshotsRequest {
  std::uint64_t limit = 1000;
};
BOOST_DESCRIBE_STRUCT(SnapshotsRequest, (), (limit))

// whitelist.pending (read): array of PendingRow, which names the list that the entry waits with.
struct PendingRow : PendingEntry {
  std::string list = {};  // the first 16 digits of its hash
};
BOOST_DESCRIBE_STRUCT(PendingRow, (PendingEntry), (list))
// whitelist.approve, whitelist.reject (operate):
// array of ChangeReply. No address: all that waits, which must be asked for with `all`.
struct DecisionRequest {
  std::vector<std::string> ips = {};
  bool all = false;
  std::string list = {};  // as `pending` names it: decides only if that list still waits
};
BOOST_DESCRIBE_STRUCT(DecisionRequest, (), (ips, all, list))

}  // namespace timectl::control
