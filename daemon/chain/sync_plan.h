#pragma once
// SyncPlan: which blocks to ask whom for, and when (requirements Y2). The coordinator tells it what
// peers have (HeightTruth::fit_source), what came, what was verified and what time it is; it takes
// the commands, sends the requests, holds the blocks and verifies them. The plan itself sees
// heights and bytes only. Pure, and deterministic: the same seed and events give the same commands.
//
// Masternodes first, the highest claim first (as far as the buffer reaches), those in good health
// before the others, then the fastest;
// regular peers only while no masternode that may be asked is ahead, and fewer of them than
// `witnesses` are there: where so many stand still, a longer chain of a stranger is not the
// network's (a chain without proof of work can be made by anybody, T22). More than `threshold`
// behind is a sync, looked for at every pass (`interval`, or a hint); less is fetched at the next
// poll of the tips.
//
// Promises:
// - one request outstanding a peer, `peers_at_once` of them, never above what the peer claims, and
//   within `requests` and `similar_requests` a peer, which are inside what the network's nodes
//   answer (protocol 7.11, 7.12);
// - nothing is asked for twice unless the first answer failed, was short or had to be discarded;
// - a peer that does not answer in time, or far slower than another, is left (FT-P31); one that
// serves the wrong
//   range or a bad block is left at once; none of them is asked again before its time is over, also
//   when it reconnects. Answers nobody asked for change nothing (FT-P29);
// - no more than `buffer_blocks` blocks and `buffer_bytes` bytes are held (one frame where that is
//   more), and the next block in order always has a place.

#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <variant>
#include <vector>

#include "daemon/core/ip_address.h"
#include "daemon/core/random.h"
#include "daemon/core/time.h"

namespace timectl::chain {

using namespace std::chrono_literals;
using Height = std::uint64_t;

struct PlanPolicy {
  bool enabled = true;            // sync.enabled, the kill switch
  Duration interval = 60s;        // sync.interval
  Duration poll_interval = 20s;   // sync.poll_interval
  Duration hint_gap = 5s;         // between passes, however many hints come
  Height threshold = 5;           // sync.threshold
  std::size_t batch = 50;         // sync.batch; protocol 9.12: answers have no more
  std::size_t peers_at_once = 8;  // sync.peers_at_once
  std::size_t witnesses = 3;      // sync.witnesses
  std::size_t requests = 40;      // a peer in each request_window; protocol 7.11: it answers 100
  Duration request_window = 10s;
  std::size_t similar_requests = 15;  // a peer in each similar_window; protocol 7.12: at 20 before
  Duration similar_window = 30s;      // it, a request with both ends near is a violation
  Height similar_within = 100;
  Duration repeat_after = 2500ms;   // the same range of the same peer: within 2 s it does not leave
  Duration answer_timeout = 15s;    // FT-P31: progress or another peer
  Duration slow_answer = 2s;        // a faster answer is never slow
  double slow_factor = 8;           // a block takes so many times as long as from the fastest
  Duration empty_wait = 5s;         // protocol 9.8
  std::size_t empty_answers = 3;    // in a row: it has not what it claims
  Duration silent_drop = 1min;      // left alone after a time-out, slow or empty ones,
  Duration early_drop = 30s;        // after a block that our clock does not allow yet,
  Duration wrong_drop = 10min;      // after a wrong range, or while its branch is another one,
  Duration bad_drop = 1h;           // after a bad block;
  Duration longest_drop = 1h;       // each doubles with every time in a row, up to this
  Duration stall_after = 60s;       // without a verified block: an event
  std::size_t buffer_blocks = 400;  // peers_at_once batches
  std::size_t buffer_bytes = 33'554'432;  // half of what all receive buffers may take
  std::size_t block_bytes = 8192;         // a block's size before one has come (protocol 9.8)
  std::size_t max_sources = 250;          // S1: 125 connected, and as many that are left alone
};
BOOST_DESCRIBE_STRUCT(PlanPolicy, (),
                      (enabled, interval, poll_interval, hint_gap, threshold, batch, peers_at_once,
                       witnesses, requests, request_window, similar_requests, similar_window,
                       similar_within, repeat_after, answer_timeout, slow_answer, slow_factor,
                       empty_wait, empty_answers, silent_drop, early_drop, wrong_drop, bad_drop,
                       longest_drop, stall_after, buffer_blocks, buffer_bytes, block_bytes,
                       max_sources))

enum class DropReason : std::uint8_t {
  stalled,
  slow,
  empty,
  too_early,
  wrong_range,
  bad_block,
  other_branch,
};
BOOST_DESCRIBE_ENUM(DropReason, stalled, slow, empty, too_early, wrong_range, bad_block,
                    other_branch)

enum class SyncPhase : std::uint8_t { idle, fetching, syncing };
BOOST_DESCRIBE_ENUM(SyncPhase, idle, fetching, syncing)

enum class SyncNews : std::uint8_t { started, stalled, ended };
BOOST_DESCRIBE_ENUM(SyncNews, started, stalled, ended)

struct RequestBlocks {  // GetBlocks, both ends inclusive
  IpAddress peer;
  Height first = 0;
  Height last = 0;
};
struct VerifyBlocks {  // what was kept as `first`: verify in order, tell on_verified or on_bad
  IpAddress peer;
  Height first = 0;
  Height last = 0;
};
// What was kept as `first` is not wanted any more. Where it is being verified, that stops, and
// on_chain tells how far it got.
struct DiscardBlocks {
  Height first = 0;
  Height last = 0;
};
struct DropSource {  // for the log, the score and the search for a fork; the plan keeps to it
                     // itself
  IpAddress peer;
  DropReason reason = DropReason::stalled;
  Height at = 0;
  Duration length = {};
};
struct PollTips {};  // GetChainTip to every peer
struct SyncChanged {
  SyncNews news = SyncNews::started;
  Height height = 0;
  Height target = 0;
};
using SyncCommand =
    std::variant<RequestBlocks, VerifyBlocks, DiscardBlocks, DropSource, PollTips, SyncChanged>;

enum class Use : std::uint8_t { keep, ignore };  // of blocks that came

class SyncPlan {
 public:
  // `height`: of our verified chain. `masternode` is asked at each decision.
  SyncPlan(const PlanPolicy& policy, Height height, std::uint64_t seed, Instant now,
           std::function<bool(const IpAddress&)> masternode);
  void set_policy(const PlanPolicy& policy, Instant now);
  // Asked at each choice: whether a peer fares so badly (core/score.h) that others of the same
  // reach are asked before it. Without it nobody does.
  void set_poorly(std::function<bool(const IpAddress&)> poorly) { poorly_ = std::move(poorly); }

  // A connected peer and the height up to which it may be asked; none: not fit to be asked.
  void on_source(const IpAddress& ip, std::optional<Height> claim, Instant now);
  void on_left(const IpAddress& ip, Instant now);
  void on_hint(Instant now);  // something new is out there: do not wait for the pass
  // The blocks of one answer of `ip`, by height in their order, and their size together. keep: hold
  // them as heights.front() until they are verified or DiscardBlocks names them; do so before the
  // commands are taken.
  [[nodiscard]] Use on_blocks(const IpAddress& ip, std::span<const Height> heights,
                              std::size_t bytes, Instant now);
  // Verified and stored up to this height, block by block or at once.
  void on_verified(Height upto, Instant now);
  // The block at this height of what is being verified is bad (bad_block), or good on a chain that
  // is not ours (other_branch). The rest of it goes.
  void on_bad(Height at, DropReason reason, Instant now);
  // Our chain changed by another way: everything planned goes, and it begins anew from there.
  void on_chain(Height height, Instant now);
  void on_fork_settled(const IpAddress& ip, Instant now);  // it may be asked again
  void on_paused(bool paused, Instant now);                // no requests; what came is verified

  void tick(Instant now);
  [[nodiscard]] Instant next_tick() const;
  [[nodiscard]] std::vector<SyncCommand> take_commands();

  [[nodiscard]] SyncPhase phase() const { return phase_; }
  [[nodiscard]] bool paused() const { return paused_; }
  [[nodiscard]] Height height() const { return height_; }
  // The highest claim that is fetched towards; our own height where nobody is ahead.
  [[nodiscard]] Height target() const;
  [[nodiscard]] std::vector<IpAddress> asked() const;  // with a request outstanding
  [[nodiscard]] std::optional<DropReason> dropped(const IpAddress& ip) const;
  [[nodiscard]] std::size_t buffered_blocks() const { return buffered_blocks_; }
  [[nodiscard]] std::size_t buffered_bytes() const { return buffered_bytes_; }
  [[nodiscard]] std::size_t sources() const { return sources_.size(); }

 private:
  struct Range {
    Height first = 0;
    Height last = 0;
  };
  struct Request {
    Range range;
    Instant at;
    bool stale = false;  // the answer is not wanted any more, but the peer is busy with it
  };
  struct Sent {
    Range range;
    Instant at;
  };
  struct Source {
    bool connected = false;
    std::optional<Height> claim = {};
    std::optional<Request> request = {};
    std::optional<Instant> dropped_until = {};
    DropReason reason = DropReason::stalled;
    Instant wait_until = {};
    std::size_t strikes = 0;     // drops in a row
    std::size_t empties = 0;     // in a row
    std::size_t batch = 0;       // blocks to ask for at once
    double pace = 0;             // seconds a block, smoothed
    std::uint64_t lot = 0;       // decides between equals
    std::deque<Sent> sent = {};  // of similar_window
  };
  struct Batch {
    Height last = 0;
    IpAddress peer;
    std::size_t bytes = 0;
  };
  using Buffer = std::map<Height, Batch>;

  [[nodiscard]] bool usable(const Source& source) const;  // connected, with a claim, not dropped
  // Whether regular peers are asked as well: no masternode is ahead, and too few are at hand.
  [[nodiscard]] bool regular_too() const;
  // In order of preference, those that may be asked now.
  [[nodiscard]] std::vector<IpAddress> ready(Instant now) const;
  [[nodiscard]] bool repeats(const Source& source, const Range& range, Instant now) const;
  [[nodiscard]] bool within_limits(const Source& source, const Range& range, Instant now) const;
  [[nodiscard]] Instant free_again(const Source& source) const;
  // The lowest heights up to `end` that are neither here nor asked for.
  [[nodiscard]] std::optional<Range> gap(Height end) const;
  // The highest height that may be held now: the buffer reaches so far from the next in order.
  [[nodiscard]] Height window() const;
  [[nodiscard]] bool slow(const IpAddress& ip, Duration took) const;
  [[nodiscard]] std::size_t batch_for(const Source& source) const;
  [[nodiscard]] std::size_t reserved_bytes() const;
  bool ask(const IpAddress& ip, Instant now);
  void fill(Instant now);
  void verify_next();
  void settle(Instant now);  // phases and news
  void pass(Instant now);
  void drop(const IpAddress& ip, DropReason reason, Height at, Instant now);
  void take_back(Buffer::iterator at);  // out of the buffer, with a DiscardBlocks
  void take_back_from(const IpAddress& ip);
  void abandon();  // buffer and requests
  void learn_from(const IpAddress& ip, const Range& asked, std::size_t blocks, std::size_t bytes,
                  Duration took);
  bool keep(const IpAddress& ip, const Range& range, std::size_t bytes);
  [[nodiscard]] Source* row_of(const IpAddress& ip);  // made where there is none
  void forget_sources();
  bool forget_one();
  void expire(Instant now);  // requests not answered in time

  PlanPolicy policy_;
  Height height_;
  Random random_;
  std::function<bool(const IpAddress&)> masternode_;
  std::function<bool(const IpAddress&)> poorly_ = {};
  Instant now_;
  Instant pass_due_;
  Instant last_pass_;
  Instant poll_due_;
  Instant progress_at_;  // of the sync's start, or the last verified block
  bool stalled_ = false;
  bool paused_ = false;
  SyncPhase phase_ = SyncPhase::idle;
  std::map<IpAddress, Source> sources_;
  Buffer buffer_;  // by first height; what is being verified is the first of it
  bool verifying_ = false;
  std::size_t buffered_blocks_ = 0;
  std::size_t buffered_bytes_ = 0;
  double block_bytes_;  // smoothed
  std::vector<SyncCommand> commands_;
};

}  // namespace timectl::chain
