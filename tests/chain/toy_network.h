#pragma once
// A network of made-up peers round one SyncPlan, on a virtual clock: honest ones, and every way to
// be wrong that requirements Y2 name. Each command of the plan is checked against its promises.

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <utility>
#include <variant>
#include <vector>

#include "daemon/chain/sync_plan.h"
#include "daemon/core/random.h"

namespace timectl::chain {

enum class Manner {
  honest,
  lagging,   // a lower tip, and honest about it
  low,       // claims less than it has
  high,      // claims more than it has; empty answers above
  stalling,  // never answers
  half,      // answers half of the time
  dripping,  // one block, just before the time is over
  shorting,  // one block an answer, at once
  empty,     // empty answers
  wrong,     // other heights than asked for
  bad,       // bad blocks here and there
  forked,    // another chain
  unsteady,  // connects and leaves
  shouting,  // honest, and blocks that nobody asked for
};
inline constexpr std::size_t kManners = 14;

struct ToyPeer {
  IpAddress ip;
  bool masternode = true;
  Manner manner = Manner::honest;
  Height claim = 0;
  bool connected = true;
};

class ToyNetwork {
 public:
  ToyNetwork(std::uint64_t seed, Height own, Height tip, const PlanPolicy& policy = {})
      : policy_(policy),
        random_(seed),
        tip_(tip),
        plan(policy, own, seed, kStart, [](const IpAddress& ip) { return ip.bytes()[13] == 1; }) {}

  void add(Manner manner, bool masternode) {
    const auto n = static_cast<std::uint8_t>(peers_.size() + 1);
    peers_.push_back({IpAddress::v4(10, masternode ? 1 : 2, 0, n), masternode, manner, 0, true});
  }
  // Until the plan is idle at the honest tip, or the time is over. The tip grows meanwhile.
  void run(Duration time) {
    const Instant end = kStart + time;
    announce();
    while (now_ < end && !done()) {
      const bool event = !events_.empty() && events_.begin()->first <= plan.next_tick();
      now_ = std::max(now_, event ? events_.begin()->first : plan.next_tick());
      if (event) {
        const auto act = events_.begin()->second;
        events_.erase(events_.begin());
        act();
      } else {
        plan.tick(now_);
      }
      take();
    }
  }
  [[nodiscard]] bool done() const {
    return plan.height() == tip_ && plan.phase() == SyncPhase::idle;
  }
  [[nodiscard]] Duration took() const { return now_ - kStart; }

  std::size_t requests = 0;
  std::size_t most_held = 0;
  std::vector<IpAddress> asked_ever;
  std::map<DropReason, std::size_t> drops;

 private:
  static constexpr Instant kStart{1000h};
  struct Held {
    Height last;
    std::size_t bytes;
    IpAddress from;
  };
  struct Out {
    Height first;
    Height last;
    std::uint64_t id;
  };

  ToyPeer& peer(const IpAddress& ip) {
    return *std::find_if(peers_.begin(), peers_.end(),
                         [&](const ToyPeer& one) { return one.ip == ip; });
  }
  void at(Duration delay, std::function<void()> act) {
    events_.emplace(now_ + delay, std::move(act));
  }

  void announce() {
    for (auto& one : peers_) {
      const auto minus = [&](Height blocks) { return tip_ > blocks ? tip_ - blocks : 0; };
      one.claim = one.manner == Manner::lagging                               ? minus(300)
                  : one.manner == Manner::low                                 ? minus(1000)
                  : one.manner == Manner::high || one.manner == Manner::empty ? tip_ + 40
                                                                              : tip_;
      if (one.manner == Manner::unsteady && random_.below(2) == 0) one.connected = !one.connected;
      if (one.connected) {
        plan.on_source(one.ip, one.claim, now_);
      } else {
        out_.erase(one.ip);
        plan.on_left(one.ip, now_);
      }
      take();
    }
  }

  void take() {
    for (const auto& command : plan.take_commands()) {
      if (const auto* r = std::get_if<RequestBlocks>(&command)) on_request(*r);
      if (const auto* v = std::get_if<VerifyBlocks>(&command)) on_verify(*v);
      if (const auto* x = std::get_if<DiscardBlocks>(&command)) {
        ASSERT_TRUE(held_.contains(x->first));
        held_.erase(x->first);
      }
      if (const auto* d = std::get_if<DropSource>(&command)) {
        dropped_[d->peer] = now_ + d->length;
        ++drops[d->reason];
      }
      if (std::holds_alternative<PollTips>(command)) at(50ms, [this] { announce(); });
    }
    check_held();
  }

  void check_held() {
    std::size_t blocks = 0;
    std::size_t bytes = 0;
    for (const auto& [first, batch] : held_) {
      blocks += batch.last - first + 1;
      bytes += batch.bytes;
    }
    most_held = std::max(most_held, blocks);
    ASSERT_EQ(blocks, plan.buffered_blocks());
    ASSERT_EQ(bytes, plan.buffered_bytes());
    ASSERT_LE(blocks, policy_.buffer_blocks);
    ASSERT_LE(bytes, policy_.buffer_bytes);
  }

  [[nodiscard]] bool left_alone(const IpAddress& ip) const {
    const auto found = dropped_.find(ip);
    return found != dropped_.end() && now_ < found->second;
  }

  void check_request(const RequestBlocks& r) {
    const ToyPeer& one = peer(r.peer);
    ASSERT_TRUE(one.connected) << "asked after it left";
    ASSERT_FALSE(left_alone(r.peer)) << "asked while it is to be left alone";
    ASSERT_FALSE(out_.contains(r.peer)) << "two requests at once";
    ASSERT_LT(out_.size(), policy_.peers_at_once);
    ASSERT_LE(r.first, r.last);
    ASSERT_LE(r.last - r.first + 1, policy_.batch);
    ASSERT_LE(r.last, one.claim);
    ASSERT_GT(r.first, plan.height());
    if (!one.masternode) {
      std::size_t at_hand = 0;
      for (const auto& other : peers_) {
        if (!other.connected || !other.masternode || left_alone(other.ip)) continue;
        ASSERT_LE(other.claim, plan.height()) << "a masternode is ahead";
        ASSERT_LT(++at_hand, 3U) << "three masternodes are not";
      }
    }
    const auto apart = [&](Height first, Height last) { return last < r.first || first > r.last; };
    for (const auto& [ip, out] : out_) ASSERT_TRUE(apart(out.first, out.last)) << "asked twice";
    for (const auto& [first, batch] : held_) ASSERT_TRUE(apart(first, batch.last)) << "held";
    auto& sent = sent_[r.peer];
    std::size_t recent = 0;
    std::size_t similar = 0;
    const auto near = [](Height a, Height b) { return (a > b ? a - b : b - a) <= 100; };
    for (const auto& [when, range] : sent) {
      recent += now_ - when < 10s ? 1U : 0U;
      const bool alike = near(range.first, r.first) && near(range.last, r.last);
      similar += alike && now_ - when < 30s ? 1U : 0U;
    }
    ASSERT_LT(recent, 40U);   // protocol 7.11, with our margin
    ASSERT_LT(similar, 20U);  // protocol 7.12
    sent.push_back({now_, r});
  }

  void on_request(const RequestBlocks& r) {
    check_request(r);
    ++requests;
    asked_ever.push_back(r.peer);
    const std::uint64_t id = ++ids_;
    out_[r.peer] = {r.first, r.last, id};
    const auto manner = peer(r.peer).manner;
    const bool never =
        manner == Manner::stalling || (manner == Manner::half && random_.below(2) == 0);
    // The plan gives it up then; what comes later is nobody's.
    at(policy_.answer_timeout, [this, r, id] { forget(r.peer, id); });
    if (never) return;
    Duration delay = std::chrono::milliseconds(20 + random_.below(300));
    if (manner == Manner::dripping) delay = policy_.answer_timeout - 100ms;
    at(delay, [this, r, id] { on_answer(r, id); });
    if (manner == Manner::shouting) {
      at(delay + 5ms, [this, r] { serve(r.peer, {r.first, r.first + 1}, false); });
    }
  }

  void forget(const IpAddress& ip, std::uint64_t id) {
    const auto found = out_.find(ip);
    if (found != out_.end() && found->second.id == id) out_.erase(found);
  }

  void on_answer(const RequestBlocks& r, std::uint64_t id) {
    const auto found = out_.find(r.peer);
    if (found == out_.end() || found->second.id != id) return;  // it left meanwhile
    out_.erase(found);
    const ToyPeer& one = peer(r.peer);
    std::vector<Height> heights;
    const Height has = std::min(r.last, one.manner == Manner::high ? tip_ : one.claim);
    for (Height h = r.first; h <= has; ++h) heights.push_back(h);
    if (one.manner == Manner::empty) heights.clear();
    const bool one_only = one.manner == Manner::shorting || one.manner == Manner::dripping;
    if (one_only && heights.size() > 1) heights.resize(1);
    if (one.manner == Manner::wrong && !heights.empty()) {
      switch (random_.below(4)) {
        case 0:
          heights.front() += 1;
          break;
        case 1:
          heights.push_back(heights.back());
          break;
        case 2:
          heights.insert(heights.begin(), heights.front() - 1);
          break;
        default:
          std::reverse(heights.begin(), heights.end());
          heights.back() += 2;
      }
    }
    serve(r.peer, heights, true);
  }

  void serve(const IpAddress& ip, const std::vector<Height>& heights, bool wanted) {
    // Now and then a batch of very large blocks.
    const std::size_t each = random_.below(20) == 0 ? 150'000 : 1500;
    const std::size_t bytes = heights.size() * each;
    const bool busy = out_.contains(ip);
    if (!wanted && busy) return;  // it would be taken for the answer, as it should
    if (plan.on_blocks(ip, heights, bytes, now_) == Use::keep) {
      ASSERT_TRUE(wanted);
      held_[heights.front()] = {heights.back(), bytes, ip};
    }
  }

  void on_verify(const VerifyBlocks& v) {
    at(10ms, [this, v] {
      const auto found = held_.find(v.first);
      if (found == held_.end() || found->second.from != v.peer) return;  // discarded meanwhile
      ASSERT_EQ(v.first, plan.height() + 1);
      const auto manner = peer(v.peer).manner;
      if (manner == Manner::forked) {
        plan.on_bad(v.first, DropReason::other_branch, now_);
      } else if (manner == Manner::bad && random_.below(3) == 0) {
        plan.on_bad(v.first + random_.below(v.last - v.first + 1), DropReason::bad_block, now_);
      } else {
        held_.erase(found);
        plan.on_verified(v.last, now_);
      }
    });
  }

  PlanPolicy policy_;
  Random random_;
  Height tip_;
  Instant now_ = kStart;
  std::uint64_t ids_ = 0;
  std::vector<ToyPeer> peers_;
  std::multimap<Instant, std::function<void()>> events_;
  std::map<IpAddress, Out> out_;
  std::map<Height, Held> held_;
  std::map<IpAddress, Instant> dropped_;
  std::map<IpAddress, std::vector<std::pair<Instant, RequestBlocks>>> sent_;

 public:
  SyncPlan plan;
};

}  // namespace timectl::chain
