// whitelist.import: a whole list is planned together, stored in one transaction with an audit row
// per change, put, and told to the node; or nothing of it is.

#include <array>
#include <map>

#include "daemon/methods_table.h"
#include "daemon/wire/hash.h"
#include "store/whitelist_table.h"

namespace timectl {
namespace {

static_assert(kLongestLabel == store::kMaxLabelBytes && kLongestReason == store::kMaxReasonBytes &&
              kMostListed == store::kMaxWhitelistRows);

constexpr std::string_view kNotListed = "not in the imported list";
constexpr std::string_view kImported = "imported";  // where the entry has no reason of its own

Result<void> check(const control::WhitelistImportRequest& request) {
  if (request.entries.size() > kMostListed) {
    return Error{Code::too_large, "the list has over " + std::to_string(kMostListed) + " entries"};
  }
  for (const auto& entry : request.entries) {
    if (auto why = wrong_with(entry); !why.empty()) {
      return Error{Code::invalid_argument,
                   "the entry " + entry.ip.to_string() + " cannot be stored", std::move(why)};
    }
  }
  return {};
}

std::map<IpAddress, ListedPeer> configured(const config::Config& config) {
  std::map<IpAddress, ListedPeer> peers;
  for (const auto& peer : config.network.whitelisted_peers) {
    peers[peer.ip] = {peer.ip, peer.label, peer.liveness, peer.trusts_us, {}, {}};
  }
  return peers;
}

control::ImportRow row_of(const ImportStep& step) {
  const auto& change = step.change;
  const auto& shown =
      change.after && step.result != ImportResult::removed ? change.after : change.before;
  return {change.ip,
          shown ? shown->label : "",
          step.result,
          step.fields,
          step.result == ImportResult::removed ? change.still_by : std::vector<Source>(),
          change.why};
}

// By result, in the order of ImportResult.
constexpr auto kCounters = std::to_array<std::uint64_t control::ImportReply::*>(
    {&control::ImportReply::added, &control::ImportReply::changed, &control::ImportReply::unchanged,
     &control::ImportReply::removed, &control::ImportReply::skipped,
     &control::ImportReply::refused});

control::ImportReply reply_of(const std::vector<ImportStep>& steps) {
  control::ImportReply reply;
  reply.rows.reserve(steps.size());
  for (const auto& step : steps) {
    ++(reply.*kCounters.at(static_cast<std::size_t>(step.result)));
    reply.rows.push_back(row_of(step));
  }
  // Names the difference, so that what an operator was shown is what his yes applies.
  reply.plan = wire::to_hex(wire::sha256(json::serialize(to_json(reply.rows))));
  return reply;
}

std::string why_of(const WhitelistChange& change) {
  const auto* manual = change.after ? change.after->find(Source::manual) : nullptr;
  if (manual == nullptr) return std::string(kNotListed);
  return manual->reason.empty() ? std::string(kImported) : manual->reason;
}

}  // namespace

control::Reply whitelist_import(const Call& call) {
  const auto request = read_params<control::WhitelistImportRequest>(call);
  if (!request) return {request.error()};
  if (auto ok = check(*request); !ok) return {ok.error()};
  const auto steps =
      plan_import(*call.services.whitelist, request->entries,
                  request->replace ? ImportMode::replace : ImportMode::merge,
                  {call.actor.user, call.now.wall}, configured(*call.services.config));
  auto reply = reply_of(steps);
  if (request->entries.empty() && reply.removed > 0) {
    // What a broken pipe sends, too.
    return {Error{Code::list_refused,
                  "the list is empty and would take away all " + std::to_string(reply.removed) +
                      " manual entries",
                  "a list that was cut off looks the same",
                  {"timectl whitelist remove IP..."}}};
  }
  if (!request->plan.empty() && request->plan != reply.plan) {
    return {Error{Code::busy,
                  "the whitelist was changed since the difference was shown",
                  "somebody else changed it, or an entry expired",
                  {"the same command again"}}};
  }
  if (request->dry_run || reply.refused > 0) return {to_json(reply)};
  reply.applied = true;
  ChangeSet set{.origin = origin_of(call), .why = why_of};
  for (const auto& step : steps) set.changes.push_back(step.change);
  return change_reply(call, std::move(set), to_json(reply));
}

}  // namespace timectl
