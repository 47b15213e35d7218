#pragma once
// What becomes of the whitelist when a list is imported: a pure plan, for all entries together, so
// that they are applied all or not at all. Called by daemon/methods_lists with a list that arrived
// over the control socket; config/whitelist_file reads such lists from files and writes them.
// A list is of manual entries: other sources are neither added nor taken away by it.

#include <boost/describe/class.hpp>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/core/ip_address.h"
#include "daemon/core/time.h"
#include "daemon/core/vocabulary.h"
#include "daemon/core/whitelist.h"

namespace timectl {

inline constexpr std::size_t kMostListed = 20'000;  // entries of a list: what the database may hold
inline constexpr std::size_t kLongestLabel = 64;    // bytes
inline constexpr std::size_t kLongestReason = 500;

// One entry of a list. An empty text, no liveness, no expiry and `false` all mean: not said.
struct ListedPeer {
  IpAddress ip = {};
  std::string label = {};
  std::optional<LivenessProfile> liveness = {};
  bool trusts_us = false;
  std::string reason = {};
  std::optional<WallTime> expires_at = {};
  friend bool operator==(const ListedPeer&, const ListedPeer&) = default;
};
BOOST_DESCRIBE_STRUCT(ListedPeer, (), (ip, label, liveness, trusts_us, reason, expires_at))

// Why the entry's texts cannot be stored; empty: they can.
[[nodiscard]] std::string wrong_with(const ListedPeer& peer);

enum class ImportMode : std::uint8_t {
  merge,    // adds and changes; what the list does not say stays
  replace,  // manual entries become exactly the list; what it does not say goes
};

enum class ImportResult : std::uint8_t { added, changed, unchanged, removed, skipped, refused };
BOOST_DESCRIBE_ENUM(ImportResult, added, changed, unchanged, removed, skipped, refused)

struct FieldChange {
  std::string field = {};
  std::optional<std::string> before = {};
  std::optional<std::string> after = {};
  friend bool operator==(const FieldChange&, const FieldChange&) = default;
};
BOOST_DESCRIBE_STRUCT(FieldChange, (), (field, before, after))

// What differs between two states of an entry, in the words of a list.
[[nodiscard]] std::vector<FieldChange> differences(const WhitelistEntry& before,
                                                   const WhitelistEntry& after);
// "label - -> berlin; reason mine -> -"
[[nodiscard]] std::string to_text(const std::vector<FieldChange>& changes);

struct ImportStep {
  WhitelistChange change = {};  // `why` is of skipped and refused, too
  ImportResult result = ImportResult::unchanged;
  std::vector<FieldChange> fields = {};  // what differs from an entry that was there
};

struct ImportOrigin {
  std::string user = {};  // becomes added_by of new entries
  WallTime at = {};       // entries that are over by then are skipped
};

// Removals first, then one step per listed entry in the list's order. Where one step is refused
// (blacklisted, listed twice, its new label is another peer's, the whitelist is full), the caller
// applies none. `configured` is what the config says of its own entries: with `replace`, a field
// that the list does not say falls back to it, or the next reload would bring it back.
[[nodiscard]] std::vector<ImportStep> plan_import(
    const Whitelist& whitelist, const std::vector<ListedPeer>& list, ImportMode mode,
    const ImportOrigin& origin, const std::map<IpAddress, ListedPeer>& configured);

}  // namespace timectl
