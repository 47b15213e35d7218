#pragma once
// Bans: which addresses are kept out, by whose word and until when, and the violation scores that
// lead to the automatic ones. Pure: the node reports violations and asks in_force() at the moment
// of decision; changes of an operator are planned here, written by store/ban_table with their
// audit row, then put. The bans of the configuration are not here but in Whitelist::blacklist().
//
// Rules, and against whom:
// - One address is judged, never a network (FM-B14): an IPv4 address, and of IPv6 the /64, because
//   a single host has all of one and would otherwise bring a new address to each connection.
// - Whoever is whitelisted is judged by its own address alone, so that a neighbour in its /64
//   cannot have it banned; with ban_immunity "all" it is neither scored nor banned. Nobody copies
//   that: the caller passes the Standing of now, so a stored ban holds again once it is gone.
// - Scores decay by half in each half-life and are never reset, so that evidence of one instant
//   weighs the same in any order. Only attacks climb the ladder, nuisances get its first rung.
// - Strangers cannot fill the table: it is bounded, and the least of it goes first (no ban and the
//   lowest score, then the ban that ends first). They cannot push out an operator's ban: those are
//   kept apart, and refused when too many rather than dropped.

#include <array>
#include <boost/describe/class.hpp>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "daemon/core/due_queue.h"
#include "daemon/core/ip_address.h"
#include "daemon/core/policy.h"
#include "daemon/core/time.h"
#include "daemon/core/violation.h"
#include "daemon/core/whitelist.h"

namespace timectl {

enum class BanOrigin : std::uint8_t { config, operator_, automatic };
BOOST_DESCRIBE_ENUM(BanOrigin, config, operator_, automatic)

// What the whitelist and its policy say of an address now.
enum class Standing : std::uint8_t {
  stranger,  // not whitelisted
  relaxed,   // whitelisted with ban_immunity "timeouts": more patience, but bans hold
  immune,    // whitelisted with "all": neither scored nor banned
};
[[nodiscard]] Standing standing_of(bool whitelisted, BanImmunity immunity);

// What a ban for attacks lasts: the first, the second, any further one.
[[nodiscard]] Duration rung(const BanPolicy& policy, std::uint64_t offence);

struct Ban {
  IpAddress ip = {};  // automatic and IPv6: the first address of the /64
  BanOrigin origin = BanOrigin::operator_;
  std::string reason = {};
  std::string added_by = {};  // a user's name; empty for automatic ones
  WallTime since = {};
  std::optional<WallTime> until = {};  // none: until somebody takes it away
  std::uint64_t offences = 0;          // automatic: rungs of the ladder that were climbed
  friend bool operator==(const Ban&, const Ban&) = default;
};
BOOST_DESCRIBE_STRUCT(Ban, (), (ip, origin, reason, added_by, since, until, offences))

// "203.0.113.7", or "2001:db8::/64" for an automatic ban of IPv6.
[[nodiscard]] std::string covered_by(const Ban& ban);
[[nodiscard]] std::string ban_term(const Ban& ban);  // "until TIME: REASON", "for good: REASON"

// What a change by an operator would do to one ban; before and after are none where there is none.
struct BanChange {
  IpAddress ip = {};
  ChangeResult result = ChangeResult::unchanged;
  std::optional<Ban> before = {};
  std::optional<Ban> after = {};
  std::string why = {};                // of refused and unchanged
  Code code = Code::invalid_argument;  // of refused
};

struct BanRequest {
  IpAddress ip = {};
  std::string reason = {};  // empty: keep that of the present ban
  std::string by = {};
  std::optional<Duration> lasts = {};  // none: until it is taken away
};

// The violations of an address that still count, for `timectl ban why`.
struct ViolationScore {
  double attack = 0;
  double nuisance = 0;
  std::array<std::uint32_t, kViolationKinds> counts = {};
  std::optional<WallTime> last_at = {};
  std::uint64_t offences = 0;
  [[nodiscard]] double total() const { return attack + nuisance; }
};

// A row of the store that is out of date: the ban to write, or none to delete it.
struct BanWrite {
  IpAddress ip = {};
  BanOrigin origin = BanOrigin::automatic;
  std::optional<Ban> ban = {};
};

class Bans {
 public:
  // From the store, before the first question. A ban whose time is over is remembered for the
  // ladder only; one whose clock was set back lasts no longer than it was made for.
  void load(std::vector<Ban> stored, const BanPolicy& policy, Now now);

  // The ban that keeps this address out, none where nothing does; the longer one of two.
  [[nodiscard]] const Ban* in_force(const IpAddress& ip, Standing standing) const;
  // As good as always: no ban and no score of anybody.
  [[nodiscard]] bool none() const { return operators_.empty() && records_.empty(); }
  // Every ban in force on anybody, by address; `until` as the wall clock of now has it.
  [[nodiscard]] std::vector<Ban> all(Now now) const;
  // Those that would hold for this address if it were not immune.
  [[nodiscard]] std::vector<Ban> of(const IpAddress& ip, Standing standing, Now now) const;
  [[nodiscard]] ViolationScore score(const IpAddress& ip, Standing standing,
                                     const BanPolicy& policy, Instant now) const;

  struct Outcome {
    bool counted = false;
    double score = 0;
    std::optional<Ban> ban = {};  // one that has begun now
  };
  Outcome violation(const IpAddress& ip, ViolationKind kind, Standing standing,
                    const BanPolicy& policy, Now now);

  // Pure plans, see whitelist.h; nothing changes until put().
  [[nodiscard]] BanChange plan_add(const BanRequest& request, const Whitelist& whitelist,
                                   const BanPolicy& policy, WallTime now) const;
  // One for each ban that holds the address: an operator's and an automatic one.
  [[nodiscard]] std::vector<BanChange> plan_remove(const IpAddress& ip, const Whitelist& whitelist,
                                                   BanImmunity immunity) const;
  void put(const BanChange& change, Now now);  // after it was stored

  // Ends the bans whose time has come and returns them. Call when next_end() has come.
  [[nodiscard]] std::vector<Ban> expire(Instant now);
  [[nodiscard]] Instant next_end() const;

  // At most `limit` rows that the store does not have yet; saved() after they were written.
  [[nodiscard]] std::vector<BanWrite> unsaved(std::size_t limit) const;
  void saved(std::span<const BanWrite> rows);

  [[nodiscard]] std::size_t operators() const { return operators_.size(); }
  [[nodiscard]] std::size_t records() const { return records_.size(); }  // of strangers

 private:
  using RowKey = std::pair<IpAddress, BanOrigin>;
  struct Record {
    double attack = 0;  // at scored_at
    double nuisance = 0;
    Instant scored_at = {};
    std::array<std::uint32_t, kViolationKinds> counts = {};
    WallTime last_at = {};
    std::optional<Ban> ban = {};  // the last one; over where ends has passed
    Instant ends = {};            // of the ban
    bool in_force = false;
    bool grave = false;  // the ban is for attacks
  };
  struct Held {
    Ban ban;
    std::optional<Instant> ends = {};
  };
  // Which key of records_ an address has.
  [[nodiscard]] static IpAddress judged(const IpAddress& ip, Standing standing);
  static void decay(Record& record, const BanPolicy& policy, Instant now);
  // Whether it had a ban that is forgiven now, so that its row must go.
  [[nodiscard]] static bool forget_old(Record& record, const BanPolicy& policy, Instant now);
  Record* room_for(const IpAddress& key, const BanPolicy& policy, Instant now);
  void begin(const IpAddress& key, Record& record, const BanPolicy& policy, Now now);
  void note_unsaved(const RowKey& key);

  std::map<IpAddress, Held> operators_;
  std::map<IpAddress, Record> records_;
  DueQueue<RowKey> ends_;
  std::set<RowKey> unsaved_;
};

}  // namespace timectl
