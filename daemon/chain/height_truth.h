#pragma once
// HeightTruth: which height to believe (requirements Y1), and who says so. The shell tells it what
// each peer claims (pings and pongs: a height; tips: height and hash; answers about one height) and
// what it served; believe() weighs that, peers() is the table of `timectl sync peers`, questions()
// names the hashes that would settle what is open. Pure; the chain, the clock's height and who is a
// masternode are asked for at each judgement, never copied.
//
// A height is believed
// - by witnesses: so many masternodes that are connected report the same hash at it (`witnesses`,
//   all of them where fewer are connected). A masternode whose block higher up is on our verified
//   chain reports that chain's hashes below it too; or
// - by service: a masternode served that block, we verified it, and no two masternodes report
//   another hash at it or below.
// Nothing above the clock's height + 1 counts, and regular peers count for nothing: a chain without
// proof of work can be made by anybody (protocol 9.5).
//
// What was believed is held for `hold_for` when its witnesses fall away: otherwise one of three
// that lies, or leaves, would make the lag vanish. It goes at once when as many masternodes as it
// takes to believe contradict it: have gone back below it, or have another hash there.
//
// Promises: no single peer moves the belief, whatever it says (`least_witnesses`) or ceases to say;
// memory is one row of constant size a peer, `max_peers` connected ones and as many that left.
//
// Protocol 7.31, the other way round: a zero hash is "unknown" and neither a report nor a
// contradiction; silence supports nothing, a peer that says nothing for `report_age` stops being a
// witness; a row outlives its connection by `remember_for`, so that nobody washes itself by
// reconnecting. A peer's lower tip is believed (it reorganised), but falling again and again is
// not.

#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "daemon/core/ip_address.h"
#include "daemon/core/time.h"
#include "daemon/wire/bytes.h"

namespace timectl::chain {

using namespace std::chrono_literals;
using Height = std::uint64_t;

struct TruthPolicy {
  std::size_t witnesses = 3;        // Y1, sync.witnesses
  std::size_t least_witnesses = 2;  // "one peer's claim never moves the lag": not even alone
  std::size_t contradictions = 2;   // Y1: so many masternodes undo what another one served
  Height clock_tolerance = 1;       // Y1: blocks above the clock's height
  std::size_t max_peers = 125;      // S1
  std::size_t reports_kept = 8;     // a peer: its tips of over an hour, or answers to questions
  Duration report_age = 20min;      // two blocks' time, and sixty polls of the tips
  Duration hold_for = 20min;        // what was believed, without its witnesses
  Duration remember_for = 5min;     // protocol 7.31 (f)
  Duration misbehaviour_window = 10min;
  std::size_t falls = 3;           // so many times lower within the window: oscillating. Honest
                                   // nodes fall once a reorganisation
  std::size_t changes = 2;         // another hash at the same height: once is a reorganisation
  Duration ask_again_after = 20s;  // sync.poll_interval
  Height in_sync_blocks = 2;       // Y4
};
BOOST_DESCRIBE_STRUCT(TruthPolicy, (),
                      (witnesses, least_witnesses, contradictions, clock_tolerance, max_peers,
                       reports_kept, report_age, hold_for, remember_for, misbehaviour_window, falls,
                       changes, ask_again_after, in_sync_blocks))

struct Tip {
  Height height = 0;
  wire::Hash32 hash{};
  friend bool operator==(const Tip&, const Tip&) = default;
};

// What a judgement needs to know and does not keep. Heights above our tip have no own hash.
struct ChainFacts {
  Height expected = 0;  // by the clock
  std::optional<Tip> own = {};
  std::function<std::optional<wire::Hash32>(Height)> own_hash;
  std::function<bool(const IpAddress&)> masternode;
};

enum class ClaimSource : std::uint8_t { none, ping, pong, tip, hash };
BOOST_DESCRIBE_ENUM(ClaimSource, none, ping, pong, tip, hash)

enum class Ground : std::uint8_t { none, witnesses, service };
BOOST_DESCRIBE_ENUM(Ground, none, witnesses, service)

struct Belief {
  Ground ground = Ground::none;
  Tip best = {};                           // only with a ground
  std::vector<IpAddress> vouched_by = {};  // in order of address
  std::size_t needed = 0;                  // witnesses, as things are
  bool split = false;                      // enough witnesses for another hash at that height, too
  bool held = false;                       // believed some minutes ago, and nothing contradicts
  [[nodiscard]] bool known() const { return ground != Ground::none; }
};

// Everything `sync status` says about heights.
struct Standing {
  Belief belief;
  Height expected = 0;
  std::optional<Height> own = {};
  std::optional<Height> lag_blocks = {};    // none without a belief or without a chain of ours
  std::optional<Duration> lag = {};         // the blocks' time
  std::optional<Height> behind_clock = {};  // a cross-check only: the network itself may stand
  std::optional<Height> spread = {};        // highest less lowest plausible height, us included
  std::optional<Height> claimed = {};       // the highest that a masternode claims; not believed
  // By how much `claimed` is above the belief. Where this is not 0 and the ground is service (one
  // masternode alone, say), the lag is the least that it can be, and "in sync" is not known.
  Height unproven = 0;
  std::size_t masternodes = 0;   // connected
  bool network_stalled = false;  // FM-S10: we are where everybody is, and the clock is further
  bool clock_doubted = false;    // most masternodes are above our clock's height: our clock is slow
};

enum class PeerStanding : std::uint8_t {
  chosen,
  vouches,
  behind,
  ahead,
  other_branch,
  implausible,
  unsteady,
  silent,
};
BOOST_DESCRIBE_ENUM(PeerStanding, chosen, vouches, behind, ahead, other_branch, implausible,
                    unsteady, silent)

struct StandingRow {  // the legend of `sync peers`
  PeerStanding standing;
  char letter;
  std::string_view meaning;
};
[[nodiscard]] std::span<const StandingRow> standing_table();  // in the order of the standings

struct PeerHeight {
  IpAddress ip;
  PeerStanding standing = PeerStanding::silent;
  bool masternode = false;
  std::string why = {};  // evidence, one clause
  std::optional<Height> height = {};
  ClaimSource source = ClaimSource::none;
  std::optional<Height> served = {};     // the highest block that it served and we verified
  std::optional<bool> hash_agrees = {};  // with our own chain, where both have the block
  bool believed = false;                 // it vouches for the believed height
};

struct HashQuestion {
  IpAddress peer;
  Height height = 0;
};

class HeightTruth {
 public:
  explicit HeightTruth(const TruthPolicy& policy) : policy_(policy) {}
  void set_policy(const TruthPolicy& policy) { policy_ = policy; }

  void on_connected(const IpAddress& ip, Instant now);
  void on_left(const IpAddress& ip, Instant now);
  void on_height(const IpAddress& ip, ClaimSource source, Height height, Instant now);
  void on_tip(const IpAddress& ip, const Tip& tip, Instant now);
  // An answer to a question of questions(), or any other hash that it says it has at a height.
  void on_hash(const IpAddress& ip, const Tip& block, Instant now);
  // We verified a block that it served, and it is on our best chain.
  void on_served(const IpAddress& ip, const Tip& block, Instant now);

  [[nodiscard]] Belief believe(const ChainFacts& facts, Instant now);
  // The highest block that `least_witnesses` masternodes report alike: what may be fetched on their
  // word even where more are needed to call it the network's height. Only `witnesses` as a ground.
  [[nodiscard]] Belief backed(const ChainFacts& facts, Instant now) const;
  // Whether the highest block that it reported and we have is on our chain; none where it reported
  // no block at a height that we have, or none above `above`.
  [[nodiscard]] std::optional<bool> on_our_chain(const IpAddress& ip, const ChainFacts& facts,
                                                 Instant now, Height above = 0) const;
  // What it reported last for that height, if that is still known.
  [[nodiscard]] std::optional<wire::Hash32> reported(const IpAddress& ip, Height height) const;
  [[nodiscard]] Standing standing(const ChainFacts& facts, Instant now);
  // Connected peers in order of address; `chosen`: where the sync fetches from now.
  [[nodiscard]] std::vector<PeerHeight> peers(const ChainFacts& facts,
                                              std::span<const IpAddress> chosen, Instant now);
  // Whom to ask for its hash at which height, so that enough witnesses speak of the same one. Each
  // peer is asked one height at a time, not sooner than `ask_again_after` the last.
  [[nodiscard]] std::vector<HashQuestion> questions(const ChainFacts& facts, Instant now);
  // Connected, with a plausible claim, steady, and with no block but ours where that is known: fit
  // to be asked for blocks up to this height.
  [[nodiscard]] std::optional<Height> fit_source(const IpAddress& ip, const ChainFacts& facts,
                                                 Instant now) const;
  [[nodiscard]] std::size_t rows() const { return rows_.size(); }

 private:
  struct Report {
    Tip tip;
    Instant at;
  };
  struct Row {
    std::optional<Instant> left = {};
    std::optional<Height> height = {};  // the newest claim of this connection
    ClaimSource source = ClaimSource::none;
    std::optional<Height> last = {};   // of any connection: what a fall is measured from
    std::vector<Report> reports = {};  // the newest last, one a height
    std::optional<Tip> served = {};
    std::vector<Instant> falls = {};  // the newest last, as many as decide
    Height fell_from = 0;
    Height fell_to = 0;
    std::vector<Instant> changes = {};
    Height changed_at = 0;  // the height with another hash
    std::optional<Instant> asked = {};
  };
  struct Witness;  // a report that counts, see the .cc

  [[nodiscard]] Row* connected(const IpAddress& ip);
  void forget(Instant now);
  void claim(Row& row, ClaimSource source, Height height, Instant now) const;
  void report(Row& row, const Tip& tip, Instant now) const;
  [[nodiscard]] bool recent(const std::vector<Instant>& times, std::size_t limit,
                            Instant now) const;
  [[nodiscard]] bool unsteady(const Row& row, Instant now) const;
  [[nodiscard]] bool fresh(const Report& report, Instant now) const;
  [[nodiscard]] Height limit(const ChainFacts& facts) const;
  // Connected masternodes, and how many of them must agree.
  [[nodiscard]] std::size_t masternodes(const ChainFacts& facts) const;
  [[nodiscard]] std::size_t needed(std::size_t masternodes) const;
  [[nodiscard]] std::vector<Witness> witnesses(const ChainFacts& facts, Instant now) const;
  [[nodiscard]] Belief by_witnesses(const ChainFacts& facts, std::size_t wanted, Instant now) const;
  [[nodiscard]] Belief by_service(const ChainFacts& facts, Instant now) const;
  // Whether the held belief still stands beside what the masternodes say now.
  [[nodiscard]] bool holds(const ChainFacts& facts, Instant now) const;
  // Whether what it reports is on our chain; none where the two share no known height.
  [[nodiscard]] std::optional<bool> agrees(const Row& row, const ChainFacts& facts, Instant now,
                                           Height above = 0) const;
  [[nodiscard]] PeerHeight describe(const IpAddress& ip, const Row& row, const Belief& belief,
                                    const ChainFacts& facts, Instant now) const;

  TruthPolicy policy_;
  std::unordered_map<IpAddress, Row> rows_;
  Belief held_;
  Instant held_at_ = {};  // when its evidence was last complete
};

// What to answer to GetChainTip and say in pings (protocol 7.2, 7.31): our verified tip, even when
// it lags; nothing at all before there is one, and never a zero hash or a height above the clock's.
[[nodiscard]] std::optional<Tip> tip_to_tell(const std::optional<Tip>& verified, Height expected);

}  // namespace timectl::chain
