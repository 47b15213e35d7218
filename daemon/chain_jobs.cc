#include "daemon/chain_jobs.h"

#include <algorithm>
#include <utility>

#include "daemon/chain/stored_block.h"
#include "daemon/wire/codec.h"
#include "daemon/wire/messages.h"

namespace timectl {
namespace {

using chain::Finding;
using chain::Height;
using chain::Reason;
using chain::VerifyDone;
using chain::VerifyJob;

// What a batch that is not what it was taken for is refused with: there is no block to compare.
VerifyDone::Refused unreadable(Height height) {
  return {height, {{Reason::wrong_hash, wire::Hash32{}, wire::Hash32{}}}, false, false};
}

// Good on another chain: nothing but its parent speaks against it, warnings aside.
bool only_parent_is_wrong(const chain::Verdict& verdict) {
  const auto weighs = [](const Finding& finding) {
    return chain::reason_row(finding.reason).effect != chain::Effect::warn;
  };
  return verdict.has(Reason::wrong_parent) &&
         std::count_if(verdict.findings.begin(), verdict.findings.end(), weighs) == 1;
}

// Goes through one batch and remembers what may be stored.
class Verification {
 public:
  explicit Verification(const VerifyJob& job) : job_(job), at_(job.at) {
    at_.keys = job.keys.get();
  }

  // False where the batch ends here.
  bool take(const wire::Block& block) {
    const auto known =
        std::find_if(job_.known.begin(), job_.known.end(),
                     [&](const chain::Tip& tip) { return tip.height == block.header.height; });
    at_.announced_hash = known == job_.known.end() ? std::nullopt : std::optional(known->hash);
    const chain::Verdict verdict = chain::verify(at_, block);
    if (!verdict.accepted()) {
      refuse(block, verdict);
      return false;
    }
    if (verdict.signature == chain::SignatureState::invalid) ++done_.signatures_invalid;
    accepted_.push_back(chain::stored_form(block, verdict.hash));
    at_.parent = chain::parent_from(block, verdict.hash);
    return true;
  }

  void refuse_unreadable(Height height) { done_.refused = unreadable(height); }
  [[nodiscard]] Height next_height() const { return at_.parent.height + 1; }

  [[nodiscard]] Result<VerifyDone> store(store::ChainFile& file) && {
    if (accepted_.empty()) return std::move(done_);
    auto stored = job_.staged ? file.stage(accepted_) : file.append(accepted_);
    if (!stored) return stored.error();
    for (const auto& block : accepted_) done_.hashes.push_back(block.hash);
    done_.tip = chain::ChainTip{at_.parent, accepted_.back().timestamp};
    return std::move(done_);
  }

 private:
  void refuse(const wire::Block& block, const chain::Verdict& verdict) {
    done_.refused = {block.header.height, verdict.findings, verdict.too_early(),
                     accepted_.empty() && only_parent_is_wrong(verdict)};
    if (job_.whole) accepted_.clear();
  }

  const VerifyJob& job_;
  chain::Circumstances at_;
  std::vector<chain::ChainBlock> accepted_;
  VerifyDone done_;
};

// Whether the decoded blocks are those that the batch was taken for.
bool as_promised(wire::List<wire::Block> blocks, const std::vector<Height>& heights) {
  return std::equal(
      blocks.begin(), blocks.end(), heights.begin(), heights.end(),
      [](const wire::Block& block, Height height) { return block.header.height == height; });
}

chain::JobDone run(store::ChainFile& file, wire::Arena& arena, const VerifyJob& job) {
  TIMECTL_CHECK(job.batch != nullptr);
  Verification verification(job);
  // Strictly: blocks in the form before 1.3 have no bytes of their own that could be stored and
  // served again.
  const auto decoded = wire::decode(job.batch->payload, arena);
  const auto* response =
      decoded ? std::get_if<wire::msg::BlocksResponse>(&decoded->message) : nullptr;
  if (response == nullptr || !as_promised(response->blocks, job.batch->heights)) {
    verification.refuse_unreadable(verification.next_height());
  } else {
    for (const wire::Block& block : response->blocks) {
      if (!verification.take(block)) break;
    }
  }
  auto done = std::move(verification).store(file);
  if (!done) return done.error();
  return std::move(*done);
}

chain::JobDone run(store::ChainFile& file, wire::Arena&, const chain::ReorganiseJob& job) {
  auto done = file.reorganise(job.ancestor);
  if (!done) return done.error();
  return *done;
}

chain::JobDone run(store::ChainFile& file, wire::Arena&, const chain::DropStagedJob&) {
  if (auto dropped = file.drop_staged(); !dropped) return dropped.error();
  return chain::DropStagedDone{};
}

chain::JobDone run(store::ChainFile& file, wire::Arena&, const chain::PruneJob& job) {
  auto pruned = file.prune(job.keep, job.most);
  if (!pruned) return pruned.error();
  return chain::PruneDone{*pruned};
}

}  // namespace

chain::JobDone do_job(store::ChainFile& file, wire::Arena& arena, const chain::Job& job) {
  return std::visit([&](const auto& one) { return run(file, arena, one); }, job);
}

}  // namespace timectl
