#pragma once
// ForkSearch: where our chain and one peer's part (requirements Y3). It asks for hashes only, one
// at a time: next() names the height to ask the peer about (GetBlockHash), on_answer() takes what
// it says, result() ends with the highest common block or with why there is none to be had. The
// coordinator runs one per peer whose tip is not on our chain; report_forks() puts the results of
// all peers together for `timectl sync fork`. Pure: it decides nothing about reorganising, it says
// whether that would need the operator's word.
//
// Promises:
// - the height found is exact: the peer gave our hash there, and another one directly above it;
// - one search asks at most ceil(log2(E)) + 3 heights, E the height expected by the clock (T20):
//   first some growing steps back from the tip, because forks are short, then halving. A growing
//   step is taken only where halving could still end within that number after it;
// - nothing below the search's depth (by trust) is asked for, and silence ends the search after the
//   attempts of that trust. A question that is asked again after a silence is the same question.

#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "daemon/core/ip_address.h"
#include "daemon/wire/bytes.h"

namespace timectl::chain {

using Height = std::uint64_t;

struct ForkPolicy {
  Height depth_masternode = 10'000;  // Y3: blocks below the lower of the two tips
  std::size_t attempts_masternode = 10;
  Height depth_regular = 2000;
  std::size_t attempts_regular = 3;
  Height max_reorganisation = 100;  // protocol 9.1: a block of ours deeper than this stays
  Height checkpoint = 0;            // protocol 9.9: there is none but genesis
  Height first_step = 1;            // below the tip; most forks are one block long
  Height growth = 64;               // each step so many times the one before: 1, 64, 4096; T20's
                                    // limit leaves room for three
  std::size_t spare_questions = 3;  // T20: over what halving needs
};
BOOST_DESCRIBE_STRUCT(ForkPolicy, (),
                      (depth_masternode, attempts_masternode, depth_regular, attempts_regular,
                       max_reorganisation, checkpoint, first_step, growth, spare_questions))

enum class ForkEnd : std::uint8_t {
  searching,
  same_chain,  // the lower tip is a block of the other chain: nobody forked, somebody is behind
  forked,      // `ancestor` is the last block in common
  gave_up,     // see GiveUp
};
BOOST_DESCRIBE_ENUM(ForkEnd, searching, same_chain, forked, gave_up)

enum class GiveUp : std::uint8_t {
  none,
  too_deep,       // nothing in common within the depth that this peer's trust allows
  no_answers,     // silence, or no hash at a height that it claims to have, in every attempt
  other_genesis,  // nothing in common down to block 0
};
BOOST_DESCRIBE_ENUM(GiveUp, none, too_deep, no_answers, other_genesis)
[[nodiscard]] std::string_view meaning_of(GiveUp reason);  // for people

// Whether taking the peer's branch would be within what a node may do by itself.
enum class Consent : std::uint8_t {
  not_needed,
  beyond_reorganisation,  // more than ForkPolicy::max_reorganisation blocks of ours would go
  below_checkpoint,
};
BOOST_DESCRIBE_ENUM(Consent, not_needed, beyond_reorganisation, below_checkpoint)

struct ForkResult {
  ForkEnd end = ForkEnd::searching;
  GiveUp reason = GiveUp::none;
  Height ancestor = 0;  // forked and same_chain: the highest block in common
  Height depth = 0;     // blocks of ours above it
  // The peer's block directly above the ancestor: the name of its branch. Only where it forked.
  wire::Hash32 first_hash{};
  Consent consent = Consent::not_needed;
};

struct ForkTips {
  Height ours = 0;
  Height theirs = 0;    // as claimed; no answer at or below it counts as silence
  Height expected = 0;  // by the clock: bounds the questions
};

class ForkSearch {
 public:
  ForkSearch(const ForkPolicy& policy, const ForkTips& tips, bool masternode);

  // The height to ask about; the same one until it is answered; none where the search is over.
  [[nodiscard]] std::optional<Height> next();
  // `theirs`: none or zero bytes where the peer says that it has no such block, which counts as
  // silence. False: nobody asked for that height, and nothing changed.
  bool on_answer(Height height, const std::optional<wire::Hash32>& theirs,
                 const wire::Hash32& ours);
  // The question was not answered in time: an attempt is gone.
  void on_silence();

  [[nodiscard]] const ForkResult& result() const { return result_; }
  [[nodiscard]] std::size_t questions() const { return asked_; }  // heights asked about
  [[nodiscard]] std::size_t limit() const { return limit_; }      // the most there can be
  [[nodiscard]] std::size_t attempts_left() const { return attempts_left_; }

 private:
  void learn(Height height, bool agrees, const wire::Hash32& theirs);
  void conclude();
  void give_up(GiveUp reason);
  [[nodiscard]] std::optional<Height> growing_step();

  ForkPolicy policy_;
  ForkTips tips_;
  Height top_;    // the lower tip: the highest height that both have
  Height floor_;  // the lowest that may be asked
  std::size_t attempts_left_;
  std::size_t limit_;
  std::size_t asked_ = 0;
  std::optional<Height> agrees_;   // the highest known to agree
  Height differs_;                 // the lowest known to differ; top_ + 1: none is
  wire::Hash32 differs_hash_{};    // the peer's at differs_
  std::optional<Height> step_;     // the next growing step below top_
  std::optional<Height> pending_;  // asked and not answered
  ForkResult result_;
};

// One peer's chain as a search left it.
struct ForkMember {
  IpAddress peer;
  bool masternode = false;
  Height tip_height = 0;
  wire::Hash32 tip_hash{};
  ForkResult result;
};

struct Branch {
  bool ours = false;
  Height ancestor = 0;        // the last block in common with our chain; our own tip for ours
  wire::Hash32 first_hash{};  // what tells branches apart; zero for ours
  Height tip_height = 0;      // the highest reported; by its masternodes, where there are some
  wire::Hash32 tip_hash{};
  std::vector<IpAddress> peers;  // in order, without us
  std::size_t masternodes = 0;
};

struct ForkReport {
  bool forked = false;
  Height ancestor = 0;           // where the first branch left ours; only where forked
  std::vector<Branch> branches;  // ours first, then by masternodes and height
  // The branch that more than half of the masternodes which answered are on; none where nobody has
  // such a majority. Regular peers have no vote: anybody can run a thousand of them.
  std::optional<std::size_t> majority;
};
// Members whose search has not ended in same_chain or forked are on no branch.
[[nodiscard]] ForkReport report_forks(Height own_height, const wire::Hash32& own_hash,
                                      const std::vector<ForkMember>& members);

}  // namespace timectl::chain
