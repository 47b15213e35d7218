#include "daemon/chain/height_truth.h"

#include <algorithm>
#include <array>

namespace timectl::chain {
namespace {

bool is_zero(const wire::Hash32& hash) {
  return hash == wire::Hash32{};
}

// Bounded: only the newest `keep` decide.
void remember(std::vector<Instant>& times, std::size_t keep, Instant now) {
  times.push_back(now);
  if (times.size() > keep) times.erase(times.begin());
}

}  // namespace

// A report of a steady, connected masternode at a plausible height.
struct HeightTruth::Witness {
  Tip tip;
  IpAddress ip;
  bool ours = false;  // it is the block that our own chain has there
};

HeightTruth::Row* HeightTruth::connected(const IpAddress& ip) {
  const auto at = rows_.find(ip);
  return at == rows_.end() || at->second.left ? nullptr : &at->second;
}

void HeightTruth::forget(Instant now) {
  std::erase_if(rows_, [&](const auto& entry) {
    return entry.second.left && now - *entry.second.left > policy_.remember_for;
  });
  std::size_t gone = 0;
  auto oldest = rows_.end();
  for (auto at = rows_.begin(); at != rows_.end(); ++at) {
    if (!at->second.left) continue;
    ++gone;
    const auto earlier = [](const auto& a, const auto& b) {
      return std::pair(*a->second.left, a->first) < std::pair(*b->second.left, b->first);
    };
    if (oldest == rows_.end() || earlier(at, oldest)) oldest = at;
  }
  if (gone > policy_.max_peers) rows_.erase(oldest);
}

void HeightTruth::on_connected(const IpAddress& ip, Instant now) {
  forget(now);
  const auto open = std::count_if(rows_.begin(), rows_.end(),
                                  [](const auto& entry) { return !entry.second.left; });
  const bool full = static_cast<std::size_t>(open) >= policy_.max_peers;
  if (full && connected(ip) == nullptr) return;  // the slots hold no more: a bug elsewhere
  Row& row = rows_[ip];
  row.left.reset();
  row.height.reset();
  row.source = ClaimSource::none;
  row.reports.clear();
}

void HeightTruth::on_left(const IpAddress& ip, Instant now) {
  if (Row* row = connected(ip)) row->left = now;
  forget(now);
}

void HeightTruth::claim(Row& row, ClaimSource source, Height height, Instant now) const {
  if (row.last && height < *row.last) {
    row.fell_from = *row.last;
    row.fell_to = height;
    remember(row.falls, policy_.falls, now);
    // It gave those blocks up.
    std::erase_if(row.reports, [&](const Report& r) { return r.tip.height > height; });
  }
  row.last = row.height = height;
  row.source = source;
}

void HeightTruth::report(Row& row, const Tip& tip, Instant now) const {
  if (is_zero(tip.hash)) return;
  const auto at = std::find_if(row.reports.begin(), row.reports.end(),
                               [&](const Report& known) { return known.tip.height == tip.height; });
  if (at != row.reports.end() && at->tip.hash != tip.hash) {
    row.changed_at = tip.height;
    remember(row.changes, policy_.changes, now);
    row.reports.clear();  // all may be of the branch that it left: one change, not one a height
  } else if (at != row.reports.end()) {
    row.reports.erase(at);
  }
  row.reports.push_back({tip, now});
  if (row.reports.size() <= policy_.reports_kept) return;
  // The oldest goes, but never the highest: that one says which chain it is on, whatever it was
  // asked about lower down since.
  auto goes = row.reports.begin();
  const bool highest = std::all_of(goes, row.reports.end(), [&](const Report& known) {
    return known.tip.height <= goes->tip.height;
  });
  row.reports.erase(highest && row.reports.size() > 1 ? goes + 1 : goes);
}

void HeightTruth::on_height(const IpAddress& ip, ClaimSource source, Height height, Instant now) {
  if (Row* row = connected(ip)) claim(*row, source, height, now);
}

void HeightTruth::on_tip(const IpAddress& ip, const Tip& tip, Instant now) {
  Row* row = connected(ip);
  if (row == nullptr) return;
  claim(*row, ClaimSource::tip, tip.height, now);
  report(*row, tip, now);
}

void HeightTruth::on_hash(const IpAddress& ip, const Tip& block, Instant now) {
  Row* row = connected(ip);
  if (row == nullptr) return;
  report(*row, block, now);
  if (!row->height || *row->height < block.height) {
    claim(*row, ClaimSource::hash, block.height, now);
  }
}

void HeightTruth::on_served(const IpAddress& ip, const Tip& block, Instant now) {
  Row* row = connected(ip);
  if (row == nullptr) return;
  row->served = block;
  report(*row, block, now);
}

bool HeightTruth::recent(const std::vector<Instant>& times, std::size_t limit, Instant now) const {
  return limit > 0 && times.size() >= limit &&
         now - times[times.size() - limit] <= policy_.misbehaviour_window;
}

bool HeightTruth::unsteady(const Row& row, Instant now) const {
  return recent(row.falls, policy_.falls, now) || recent(row.changes, policy_.changes, now);
}

bool HeightTruth::fresh(const Report& report, Instant now) const {
  return now - report.at <= policy_.report_age;
}

Height HeightTruth::limit(const ChainFacts& facts) const {
  return facts.expected + policy_.clock_tolerance;
}

std::size_t HeightTruth::masternodes(const ChainFacts& facts) const {
  return static_cast<std::size_t>(std::count_if(rows_.begin(), rows_.end(), [&](const auto& entry) {
    return !entry.second.left && facts.masternode(entry.first);
  }));
}

std::size_t HeightTruth::needed(std::size_t masternodes) const {
  return std::max(
      {policy_.least_witnesses, std::min(policy_.witnesses, masternodes), std::size_t{1}});
}

std::vector<HeightTruth::Witness> HeightTruth::witnesses(const ChainFacts& facts,
                                                         Instant now) const {
  std::vector<Witness> found;
  for (const auto& [ip, row] : rows_) {
    const bool lies = unsteady(row, now) || (row.height && *row.height > limit(facts));
    if (row.left || lies || !facts.masternode(ip)) continue;
    for (const auto& report : row.reports) {
      if (!fresh(report, now) || report.tip.height > limit(facts)) continue;
      const bool ours = facts.own_hash(report.tip.height) == report.tip.hash;
      found.push_back({report.tip, ip, ours});
    }
  }
  // The highest first; at one height our own block before others, then as the network's tie-break
  // has it: the lower hash (protocol 9.7).
  std::sort(found.begin(), found.end(), [](const Witness& a, const Witness& b) {
    if (a.tip.height != b.tip.height) return a.tip.height > b.tip.height;
    if (a.ours != b.ours) return a.ours;
    return std::pair(a.tip.hash, a.ip) < std::pair(b.tip.hash, b.ip);
  });
  return found;
}

Belief HeightTruth::by_witnesses(const ChainFacts& facts, std::size_t wanted, Instant now) const {
  Belief belief;
  belief.needed = wanted;
  const auto all = witnesses(facts, now);
  std::vector<IpAddress> on_our_chain;  // with a block of ours at this height or above it
  for (std::size_t i = 0; i < all.size();) {
    const Tip& tip = all[i].tip;
    const bool ours = all[i].ours;
    std::vector<IpAddress> here;
    for (; i < all.size() && all[i].tip == tip; ++i) here.push_back(all[i].ip);
    if (ours) {
      here.insert(here.end(), on_our_chain.begin(), on_our_chain.end());
      std::sort(here.begin(), here.end());
      here.erase(std::unique(here.begin(), here.end()), here.end());
      on_our_chain = here;
    }
    if (belief.known() && tip.height < belief.best.height) break;
    if (here.size() < belief.needed) continue;
    belief.split = belief.known();
    if (belief.known() && here.size() <= belief.vouched_by.size()) continue;
    belief.ground = Ground::witnesses;
    belief.best = tip;
    belief.vouched_by = std::move(here);
  }
  return belief;
}

Belief HeightTruth::by_service(const ChainFacts& facts, Instant now) const {
  Belief belief;
  belief.needed = needed(masternodes(facts));
  for (const auto& [ip, row] : rows_) {
    const bool counts = row.served && !unsteady(row, now) && facts.masternode(ip) &&
                        (!row.left || now - *row.left <= policy_.remember_for);
    if (!counts || row.served->height > limit(facts)) continue;
    if (facts.own_hash(row.served->height) != row.served->hash) continue;  // reorganised since
    if (belief.known() && row.served->height < belief.best.height) continue;
    if (!belief.known() || row.served->height > belief.best.height) belief.vouched_by.clear();
    belief.ground = Ground::service;
    belief.best = *row.served;
    belief.vouched_by.push_back(ip);
  }
  if (!belief.known()) return belief;
  std::vector<IpAddress> against;
  for (const auto& witness : witnesses(facts, now)) {
    if (witness.tip.height <= belief.best.height && !witness.ours) against.push_back(witness.ip);
  }
  std::sort(against.begin(), against.end());
  against.erase(std::unique(against.begin(), against.end()), against.end());
  if (against.size() >= policy_.contradictions) {
    Belief none;
    none.needed = belief.needed;
    return none;
  }
  std::sort(belief.vouched_by.begin(), belief.vouched_by.end());
  return belief;
}

bool HeightTruth::holds(const ChainFacts& facts, Instant now) const {
  const auto& best = held_.best;
  const bool current = held_.known() && now - held_at_ <= policy_.hold_for &&
                       best.height <= limit(facts) &&
                       std::all_of(held_.vouched_by.begin(), held_.vouched_by.end(),
                                   [&](const IpAddress& ip) { return facts.masternode(ip); });
  if (!current) return false;
  std::size_t against = 0;
  std::size_t speak = 0;
  for (const auto& [ip, row] : rows_) {
    if (row.left || !row.height || !facts.masternode(ip)) continue;
    ++speak;
    const bool other =
        std::any_of(row.reports.begin(), row.reports.end(), [&](const Report& known) {
          return known.tip.height == best.height && known.tip.hash != best.hash;
        });
    // Who never was there is only behind: the belief was not its word.
    const bool fell = *row.height < best.height && row.fell_from >= best.height;
    if (other || fell) ++against;
  }
  // Two were enough while there were no others: the word of those who came since counts as much.
  const bool enough = held_.ground == Ground::service || held_.vouched_by.size() >= needed(speak);
  return enough && against < needed(masternodes(facts));
}

Belief HeightTruth::believe(const ChainFacts& facts, Instant now) {
  auto belief = by_witnesses(facts, needed(masternodes(facts)), now);
  auto served = by_service(facts, now);
  const bool higher = !belief.known() || served.best.height > belief.best.height;
  if (served.known() && higher) belief = std::move(served);
  const bool lower = !belief.known() || belief.best.height < held_.best.height;
  if (lower && holds(facts, now)) {
    auto held = held_;
    held.needed = belief.needed;
    held.held = true;
    return held;
  }
  held_ = belief;
  held_at_ = now;
  return belief;
}

Belief HeightTruth::backed(const ChainFacts& facts, Instant now) const {
  return by_witnesses(facts, policy_.least_witnesses, now);
}

std::optional<bool> HeightTruth::on_our_chain(const IpAddress& ip, const ChainFacts& facts,
                                              Instant now, Height above) const {
  const auto at = rows_.find(ip);
  if (at == rows_.end() || at->second.left) return std::nullopt;
  return agrees(at->second, facts, now, above);
}

std::optional<wire::Hash32> HeightTruth::reported(const IpAddress& ip, Height height) const {
  const auto at = rows_.find(ip);
  if (at == rows_.end()) return std::nullopt;
  for (const auto& report : at->second.reports) {
    if (report.tip.height == height) return report.tip.hash;
  }
  return std::nullopt;
}

std::optional<bool> HeightTruth::agrees(const Row& row, const ChainFacts& facts, Instant now,
                                        Height above) const {
  std::optional<Height> seen;
  std::optional<bool> answer;
  for (const auto& report : row.reports) {
    if (above > 0 && report.tip.height <= above) continue;
    const auto own = facts.own_hash(report.tip.height);
    if (!own || !fresh(report, now) || (seen && *seen > report.tip.height)) continue;
    seen = report.tip.height;
    answer = *own == report.tip.hash;
  }
  return answer;
}

std::optional<Tip> tip_to_tell(const std::optional<Tip>& verified, Height expected) {
  const bool fit = verified && !is_zero(verified->hash) && verified->height <= expected + 1;
  return fit ? verified : std::nullopt;
}

}  // namespace timectl::chain
