#pragma once
// A SyncPlan with a clock, and its commands sorted into lists, for the tests of Y2.

#include <algorithm>
#include <numeric>
#include <utility>
#include <variant>
#include <vector>

#include "daemon/chain/sync_plan.h"

namespace timectl::chain {

inline constexpr Instant kStart{1000h};

inline IpAddress masternode(std::size_t n) {
  return IpAddress::v4(10, 1, 0, static_cast<std::uint8_t>(n));
}
inline IpAddress regular(std::size_t n) {
  return IpAddress::v4(10, 2, 0, static_cast<std::uint8_t>(n));
}

struct Asked {
  IpAddress peer;
  Height first;
  Height last;
  friend bool operator==(const Asked&, const Asked&) = default;
};

// A plan with a clock; commands are sorted into lists as they are taken.
class Plan {
 public:
  explicit Plan(Height height = 100, PlanPolicy policy = {}, std::uint64_t seed = 1)
      : plan(policy, height, seed, kStart,
             [](const IpAddress& ip) { return ip.bytes()[13] == 1; }) {}

  void claim(const IpAddress& ip, std::optional<Height> height) {
    plan.on_source(ip, height, now);
    take();
  }
  // Time passes, with every tick that is due on the way.
  void run(Duration time) {
    const Instant end = now + time;
    while (plan.next_tick() <= end) {
      now = std::max(now, plan.next_tick());
      plan.tick(now);
      take();
    }
    now = end;
  }
  Use answer(const Asked& one, std::size_t bytes_each = 1500) {
    std::vector<Height> heights(one.last - one.first + 1);
    std::iota(heights.begin(), heights.end(), one.first);
    return serve(one.peer, heights, heights.size() * bytes_each);
  }
  Use serve(const IpAddress& ip, const std::vector<Height>& heights, std::size_t bytes = 1500) {
    const Use use = plan.on_blocks(ip, heights, bytes, now);
    take();
    return use;
  }
  // Every request is answered in full and every batch verified, until there are none.
  void finish() {
    for (int guard = 0; guard < 10'000 && (!asked.empty() || !to_verify.empty()); ++guard) {
      for (const auto& one : std::exchange(asked, {})) answer(one);
      for (const auto& one : std::exchange(to_verify, {})) {
        plan.on_verified(one.last, now);
        take();
      }
    }
  }
  void take() {
    for (const auto& command : plan.take_commands()) {
      if (const auto* r = std::get_if<RequestBlocks>(&command)) {
        asked.push_back({r->peer, r->first, r->last});
      } else if (const auto* v = std::get_if<VerifyBlocks>(&command)) {
        to_verify.push_back({v->peer, v->first, v->last});
      } else if (const auto* d = std::get_if<DropSource>(&command)) {
        drops.push_back(*d);
      } else if (const auto* c = std::get_if<SyncChanged>(&command)) {
        news.push_back(c->news);
      } else if (const auto* x = std::get_if<DiscardBlocks>(&command)) {
        discards.push_back(*x);
      } else {
        ++polls;
      }
    }
  }

  SyncPlan plan;
  Instant now = kStart;
  std::vector<Asked> asked;
  std::vector<Asked> to_verify;
  std::vector<DropSource> drops;
  std::vector<DiscardBlocks> discards;
  std::vector<SyncNews> news;
  int polls = 0;
};

}  // namespace timectl::chain
