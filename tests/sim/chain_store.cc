#include "tests/sim/chain_store.h"

#include <algorithm>

#include "daemon/wire/codec.h"
#include "tests/sim/checks.h"

namespace timectl::sim {
namespace {

[[noreturn]] void broken(const std::string& what) {
  throw Violation("the store: " + what);
}

// Good on another chain: nothing else is wrong with it.
bool only_parent(const chain::Verdict& verdict) {
  return std::all_of(verdict.findings.begin(), verdict.findings.end(),
                     [](const chain::Finding& finding) {
                       return finding.reason == chain::Reason::wrong_parent ||
                              chain::reason_row(finding.reason).effect == chain::Effect::warn;
                     });
}

}  // namespace

ChainStore::ChainStore() {
  const MadeBlock& genesis = MadeChain::network().at(0);
  best_.push_back({genesis.tip, genesis.raw});
}

void ChainStore::fill(MadeChain& from, Height height) {
  for (Height h = best_.size(); h <= height; ++h) {
    const MadeBlock& block = from.at(h);
    best_.push_back({block.tip, block.raw});
  }
}

std::optional<chain::ChainTip> ChainStore::at(Height height) const {
  return height < best_.size() ? std::optional(best_[height].tip) : std::nullopt;
}

std::optional<wire::Hash32> ChainStore::hash_at(Height height) const {
  return height < best_.size() ? std::optional(best_[height].tip.block.hash) : std::nullopt;
}

std::vector<std::vector<std::uint8_t>> ChainStore::bodies(Height first, Height last,
                                                          std::size_t most_bytes) const {
  std::vector<std::vector<std::uint8_t>> found;
  std::size_t bytes = 0;
  for (Height h = first; h <= last && h < best_.size(); ++h) {
    bytes += best_[h].raw.size();
    if (bytes > most_bytes && !found.empty()) break;
    found.push_back(best_[h].raw);
  }
  return found;
}

std::size_t ChainStore::work_of(const chain::Job& job) {
  const auto* verify = std::get_if<chain::VerifyJob>(&job);
  return verify != nullptr ? verify->batch->heights.size() : 1;
}

chain::JobDone ChainStore::run(const chain::Job& job) {
  if (failing_ > 0) {
    --failing_;
    return Error{Code::database_full, "the simulated disk is full"};
  }
  if (const auto* v = std::get_if<chain::VerifyJob>(&job)) return verify(*v);
  if (const auto* r = std::get_if<chain::ReorganiseJob>(&job)) return reorganise(*r);
  if (std::holds_alternative<chain::DropStagedJob>(job)) {
    staged_.clear();
    return {chain::DropStagedDone{}};
  }
  ++pruned;
  return {chain::PruneDone{}};
}

// The stored block that the job's first one stands on.
const chain::ChainTip* ChainStore::under(const chain::VerifyJob& job) const {
  if (!job.staged) return &best_.back().tip;
  if (!staged_.empty()) return &staged_.back().tip;
  const Height height = job.at.parent.height;
  return height < best_.size() ? &best_[height].tip : nullptr;
}

chain::JobDone ChainStore::verify(const chain::VerifyJob& job) {
  const chain::ChainTip* below = under(job);
  if (below == nullptr || below->block != job.at.parent) {
    broken("verify at height " + std::to_string(job.at.parent.height) + ", where nothing ends");
  }
  const auto& payload = job.batch->payload;
  const auto decoded = wire::decode(payload, arena_);
  if (!decoded) broken("a batch that does not decode");
  const auto* blocks = std::get_if<wire::msg::BlocksResponse>(&decoded->message);
  if (blocks == nullptr) broken("a batch that is no BlocksResponse");
  chain::VerifyDone done;
  std::vector<Kept> good;
  chain::Circumstances at = job.at;
  for (const wire::Block& block : blocks->blocks) {
    const Height height = at.parent.height + 1;
    const auto known = std::find_if(job.known.begin(), job.known.end(),
                                    [&](const chain::Tip& tip) { return tip.height == height; });
    if (known != job.known.end()) at.announced_hash = known->hash;
    const chain::Verdict verdict = chain::verify(at, block);
    ++verified;
    if (!verdict.accepted()) {
      done.refused = {height, verdict.findings, verdict.too_early(),
                      good.empty() && only_parent(verdict)};
      if (job.whole) good.clear();
      break;
    }
    at.parent = chain::parent_from(block, verdict.hash);
    at.announced_hash.reset();
    const Kept kept{{at.parent, block.header.timestamp}, {block.raw.begin(), block.raw.end()}};
    good.push_back(kept);
  }
  for (const Kept& kept : good) {
    done.hashes.push_back(kept.tip.block.hash);
    done.tip = kept.tip;
    if (job.staged) {
      staged_.push_back(kept);
    } else {
      best_.push_back(kept);
    }
  }
  return {std::move(done)};
}

chain::JobDone ChainStore::reorganise(const chain::ReorganiseJob& job) {
  if (staged_.empty()) broken("reorganise without a branch");
  if (staged_.front().tip.block.height != job.ancestor + 1 || job.ancestor >= best_.size()) {
    broken("reorganise from height " + std::to_string(job.ancestor) +
           ", but the branch begins elsewhere");
  }
  const Height replaced = best_.size() - 1 - job.ancestor;
  best_.resize(job.ancestor + 1);
  best_.insert(best_.end(), staged_.begin(), staged_.end());
  staged_.clear();
  return {chain::ReorganiseDone{tip(), replaced}};
}

void ChainStore::audit() const {
  wire::Arena arena;
  for (std::size_t h = 1; h < best_.size(); ++h) {
    const auto block = wire::decode_block(best_[h].raw, arena);
    const bool good = block && block->header.height == h &&
                      block->header.previous_hash == best_[h - 1].tip.block.hash &&
                      wire::block_hash(block->header) == best_[h].tip.block.hash &&
                      wire::merkle_root_matches(*block);
    if (!good) broken("height " + std::to_string(h) + " does not link");
  }
}

}  // namespace timectl::sim
