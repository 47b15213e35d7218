#pragma once
// The whitelist: which peers are masternodes, from which sources, and why. Everybody who needs
// to know asks Whitelist::contains at the moment of decision; nobody keeps a copy of the answer
// (copies of it were the outage that this project exists for). Changes are planned here, purely;
// store/whitelist_table writes them with their audit row, then they are put here.

#include <algorithm>
#include <boost/describe/class.hpp>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "daemon/core/ip_address.h"
#include "daemon/core/policy.h"
#include "daemon/core/time.h"
#include "daemon/core/vocabulary.h"

namespace timectl {

inline constexpr std::size_t kMostEntries = 20'000;  // of a whitelist, whatever the config says

struct WhitelistSource {
  Source source = Source::manual;
  std::string reason = {};
  std::string added_by = {};  // who: a user name, "config", the API's host
  WallTime added_at = {};
  std::optional<WallTime> expires_at = {};
  std::optional<WallTime> missing_since = {};
  friend bool operator==(const WhitelistSource&, const WhitelistSource&) = default;
};
BOOST_DESCRIBE_STRUCT(WhitelistSource, (),
                      (source, reason, added_by, added_at, expires_at, missing_since))

struct WhitelistEntry {
  IpAddress ip = {};
  std::string label = {};
  std::optional<LivenessProfile> liveness = {};  // none: the policy's
  bool trusts_us = false;                        // R7: taken to whitelist us
  std::vector<WhitelistSource> sources = {};     // ordered by strength, never empty once stored
  friend bool operator==(const WhitelistEntry&, const WhitelistEntry&) = default;
  [[nodiscard]] const WhitelistSource* find(Source source) const;
  [[nodiscard]] const WhitelistSource& strongest() const;  // W11; sources must not be empty
};
BOOST_DESCRIBE_STRUCT(WhitelistEntry, (), (ip, label, liveness, trusts_us, sources))

enum class ChangeResult : std::uint8_t { added, removed, unchanged, refused };
BOOST_DESCRIBE_ENUM(ChangeResult, added, removed, unchanged, refused)

// What a change would do: `before` and `after` are none where there is no entry.
struct WhitelistChange {
  IpAddress ip = {};
  ChangeResult result = ChangeResult::unchanged;
  std::optional<WhitelistEntry> before = {};
  std::optional<WhitelistEntry> after = {};
  std::vector<Source> still_by = {};   // W11: sources that hold a removed address
  std::string why = {};                // of refused and unchanged, for people
  Code code = Code::invalid_argument;  // of refused
};

struct AddRequest {
  IpAddress ip = {};
  WhitelistSource source = {};
  std::optional<std::string> label = {};  // none: keep what is there
  std::optional<LivenessProfile> liveness = {};
  std::optional<bool> trusts_us = {};
};

class Whitelist {
 public:
  explicit Whitelist(std::size_t max_entries) : max_entries_(max_entries) {}

  [[nodiscard]] bool contains(const IpAddress& ip) const { return entries_.contains(ip); }
  [[nodiscard]] const WhitelistEntry* find(const IpAddress& ip) const;
  [[nodiscard]] const std::map<IpAddress, WhitelistEntry>& entries() const { return entries_; }
  [[nodiscard]] std::size_t size() const { return entries_.size(); }
  [[nodiscard]] bool has_room_for(std::size_t more) const {
    return more <= max_entries_ - std::min(max_entries_, entries_.size());
  }
  // R7: our own address is on the API's list in force, which is what the others have, too.
  void set_listed_ourselves(bool listed) { listed_ourselves_ = listed; }
  [[nodiscard]] bool listed_ourselves() const { return listed_ourselves_; }

  // The config's blacklist beats api and manual (W4); each address with its "file:line".
  void set_blacklist(std::map<IpAddress, std::string> lines) { blacklist_ = std::move(lines); }
  [[nodiscard]] const std::map<IpAddress, std::string>& blacklist() const { return blacklist_; }

  // Pure plans; nothing changes until put() is called with the result. Adding a source that is
  // there with the same data is `unchanged`; new data for it (reason, label, expiry) is `added`.
  [[nodiscard]] WhitelistChange plan_add(const AddRequest& request) const;
  [[nodiscard]] WhitelistChange plan_remove(const IpAddress& ip, Source source) const;
  // Config reload (W1): additions and removals that make the config source equal to `wanted`.
  [[nodiscard]] std::vector<WhitelistChange> plan_config(
      const std::vector<AddRequest>& wanted) const;
  // Manual sources whose expires_at has come, and the API's where a list in force confirms it.
  [[nodiscard]] std::vector<WhitelistChange> plan_expiry(WallTime now, bool api_confirmed) const;

  void put(const WhitelistChange& change);         // after it was stored
  void load(std::vector<WhitelistEntry> entries);  // at start, from the store

  // An address in any accepted spelling, or a label; ambiguous or unknown names the candidates.
  [[nodiscard]] Result<IpAddress> resolve(std::string_view name) const;

 private:
  std::map<IpAddress, WhitelistEntry> entries_;
  std::map<IpAddress, std::string> blacklist_;
  std::size_t max_entries_;
  bool listed_ourselves_ = false;
};

}  // namespace timectl
