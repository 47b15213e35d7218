// The part of HeightTruth that people and the sync read: standing, the table of peers, questions.
#include <algorithm>
#include <array>

#include "daemon/chain/height_truth.h"
#include "daemon/wire/network_params.h"

namespace timectl::chain {
namespace {

std::string text(Height height) {
  return std::to_string(height);
}

}  // namespace

std::span<const StandingRow> standing_table() {
  static constexpr std::array<StandingRow, 8> kRows{{
      {PeerStanding::chosen, '*', "blocks are fetched from it now"},
      {PeerStanding::vouches, '+', "a masternode that vouches for the believed height"},
      {PeerStanding::behind, '<', "below the believed height, on the same chain as far as known"},
      {PeerStanding::ahead, '>', "claims more than is believed: not yet, or not true"},
      {PeerStanding::other_branch, 'x', "another block at a height that we know: a fork"},
      {PeerStanding::implausible, '!', "claims a height that the clock rules out; not counted"},
      {PeerStanding::unsteady, '~', "its heights or hashes change to and fro; not counted"},
      {PeerStanding::silent, '?', "has told no height"},
  }};
  return kRows;
}

Standing HeightTruth::standing(const ChainFacts& facts, Instant now) {
  Standing view;
  view.belief = believe(facts, now);
  view.expected = facts.expected;
  view.masternodes = masternodes(facts);
  std::optional<Height> low;
  std::optional<Height> high;
  const auto widen = [&](Height height) {
    low = std::min(low.value_or(height), height);
    high = std::max(high.value_or(height), height);
  };
  std::size_t above_clock = 0;
  for (const auto& [ip, row] : rows_) {
    if (row.left || !row.height || !facts.masternode(ip)) continue;
    const bool implausible = *row.height > limit(facts);
    if (implausible) ++above_clock;
    if (implausible || unsteady(row, now)) continue;
    widen(*row.height);
    view.claimed = std::max(view.claimed.value_or(0), *row.height);
  }
  const Height proven = view.belief.known() ? view.belief.best.height : 0;
  if (view.claimed && *view.claimed > proven) view.unproven = *view.claimed - proven;
  view.clock_doubted = above_clock >= view.belief.needed && above_clock * 2 > view.masternodes;
  if (facts.own) {
    view.own = facts.own->height;
    widen(*view.own);
    view.behind_clock = view.expected > *view.own ? view.expected - *view.own : 0;
    if (view.belief.known()) {
      const Height best = view.belief.best.height;
      view.lag_blocks = best > *view.own ? best - *view.own : 0;
      view.lag = *view.lag_blocks * std::chrono::seconds(wire::block_seconds);
      view.network_stalled = *view.lag_blocks == 0 && *view.behind_clock > policy_.in_sync_blocks;
    }
  }
  if (low && view.masternodes > 0) view.spread = *high - *low;
  return view;
}

PeerHeight HeightTruth::describe(const IpAddress& ip, const Row& row, const Belief& belief,
                                 const ChainFacts& facts, Instant now) const {
  PeerHeight peer{ip};
  peer.masternode = facts.masternode(ip);
  peer.height = row.height;
  peer.source = row.source;
  if (row.served) peer.served = row.served->height;
  peer.hash_agrees = agrees(row, facts, now);
  peer.believed =
      belief.known() && std::binary_search(belief.vouched_by.begin(), belief.vouched_by.end(), ip);
  const auto is = [&](PeerStanding standing, std::string why) {
    peer.standing = standing;
    peer.why = std::move(why);
    return peer;
  };
  const std::string trust = peer.masternode ? "" : ", a regular peer";
  if (recent(row.changes, policy_.changes, now)) {
    return is(PeerStanding::unsteady, "its hash at height " + text(row.changed_at) + " changed " +
                                          text(row.changes.size()) + " times");
  }
  if (recent(row.falls, policy_.falls, now)) {
    return is(PeerStanding::unsteady, "its height fell " + text(row.falls.size()) +
                                          " times, last from " + text(row.fell_from) + " to " +
                                          text(row.fell_to));
  }
  if (!row.height) return is(PeerStanding::silent, "no height told" + trust);
  if (*row.height > limit(facts)) {
    return is(PeerStanding::implausible, text(*row.height - limit(facts)) +
                                             " above the clock-derived maximum " +
                                             text(limit(facts)));
  }
  if (peer.believed) return is(PeerStanding::vouches, "vouches for " + text(belief.best.height));
  const bool other_best =
      std::any_of(row.reports.begin(), row.reports.end(), [&](const Report& known) {
        return belief.known() && known.tip.height == belief.best.height &&
               known.tip.hash != belief.best.hash;
      });
  if (other_best || peer.hash_agrees == false) {
    return is(PeerStanding::other_branch,
              other_best ? "another hash at the believed height " + text(belief.best.height)
                         : "its chain is not ours" + trust);
  }
  if (!belief.known()) return is(PeerStanding::ahead, "no height is believed yet" + trust);
  if (*row.height < belief.best.height) {
    return is(PeerStanding::behind, text(belief.best.height - *row.height) + " behind" + trust);
  }
  return is(PeerStanding::ahead,
            *row.height == belief.best.height
                ? "at the believed height, not counted as a witness" + trust
                : text(*row.height - belief.best.height) + " above the believed height" + trust);
}

std::vector<PeerHeight> HeightTruth::peers(const ChainFacts& facts,
                                           std::span<const IpAddress> chosen, Instant now) {
  const auto belief = believe(facts, now);
  std::vector<PeerHeight> all;
  for (const auto& [ip, row] : rows_) {
    if (row.left) continue;
    all.push_back(describe(ip, row, belief, facts, now));
    if (std::find(chosen.begin(), chosen.end(), ip) != chosen.end()) {
      all.back().standing = PeerStanding::chosen;
    }
  }
  std::sort(all.begin(), all.end(),
            [](const PeerHeight& a, const PeerHeight& b) { return a.ip < b.ip; });
  return all;
}

std::vector<HashQuestion> HeightTruth::questions(const ChainFacts& facts, Instant now) {
  const auto belief = believe(facts, now);
  std::vector<std::pair<Height, IpAddress>> claims;
  for (const auto& [ip, row] : rows_) {
    const bool counts = !row.left && row.height && *row.height <= limit(facts) &&
                        facts.masternode(ip) && !unsteady(row, now);
    if (counts) claims.emplace_back(*row.height, ip);
  }
  std::sort(claims.rbegin(), claims.rend());
  std::vector<HashQuestion> questions;
  const auto ask_at = [&](Height common) {
    for (const auto& [height, ip] : claims) {
      auto& row = rows_.at(ip);
      const bool told = std::any_of(
          row.reports.begin(), row.reports.end(),
          [&](const Report& known) { return known.tip.height == common && fresh(known, now); });
      const bool asked = row.asked && now - *row.asked < policy_.ask_again_after;
      if (height < common || told || asked) continue;
      row.asked = now;
      questions.push_back({ip, common});
    }
  };
  // The highest height that enough of them say they have: there they must all be asked. First for
  // the belief, then for what may be fetched.
  const bool open = !belief.known() || belief.held;
  if (claims.size() >= belief.needed) {
    const Height common = claims[belief.needed - 1].first;
    if (open || belief.best.height < common) ask_at(common);
  }
  if (claims.size() >= policy_.least_witnesses && policy_.least_witnesses < belief.needed) {
    const Height common = claims[policy_.least_witnesses - 1].first;
    const auto known = backed(facts, now);
    if (!known.known() || known.best.height < common) ask_at(common);
  }
  return questions;
}

std::optional<Height> HeightTruth::fit_source(const IpAddress& ip, const ChainFacts& facts,
                                              Instant now) const {
  const auto at = rows_.find(ip);
  if (at == rows_.end()) return std::nullopt;
  const Row& row = at->second;
  const bool fit = !row.left && row.height && *row.height <= limit(facts) && !unsteady(row, now) &&
                   agrees(row, facts, now) != false;
  return fit ? row.height : std::nullopt;
}

}  // namespace timectl::chain
