#include "daemon/change_set.h"

#include <algorithm>
#include <utility>

#include "daemon/core/reflect.h"
#include "daemon/methods.h"
#include "store/whitelist_table.h"

namespace timectl {

bool has_effect(const WhitelistChange& change) {
  return change.result == ChangeResult::added || change.result == ChangeResult::removed;
}

ChangeWriter::ChangeWriter(Services& services, ChangeSet set)
    : services_(services), set_(std::move(set)) {
  std::erase_if(set_.changes, [](const auto& change) { return !has_effect(change); });
}

ChangeWriter::~ChangeWriter() = default;

Result<void> ChangeWriter::write_one() {
  if (!batch_) {
    auto begun = store::AuditedBatch::begin(*services_.database, set_.origin);
    if (!begun) return begun.error();
    batch_ = std::move(*begun);
    return {};
  }
  const auto& change = set_.changes[written_++];
  const auto reason = set_.why ? set_.why(change) : set_.reason;
  return batch_->run([&](store::AuditScope& scope) { return store::apply(scope, change, reason); });
}

Result<void> ChangeWriter::commit() {
  if (set_.also) {
    if (!batch_) {
      if (auto begun = write_one(); !begun) return begun;
    }
    if (auto done = batch_->run(set_.also); !done) return done;
  }
  if (batch_) {
    auto done = batch_->commit();
    batch_.reset();
    if (!done) return done;
  }
  committed_ = true;
  if (set_.stored) set_.stored();
  return {};
}

void ChangeWriter::tell_one() {
  const auto& change = set_.changes[told_++];
  services_.whitelist->put(change);
  if (services_.node == nullptr) return;
  const auto now = services_.now();
  if (services_.record && set_.origin.actor == store::kActorExpiry && !change.after) {
    services_.record({.at = now.wall,
                      .kind = EventKind::whitelist_removed,
                      .severity = Severity::notice,
                      .peer = change.ip,
                      .detail = "expired"});
  }
  if (services_.record && set_.origin.actor != store::kActorExpiry) {
    const auto* before = change.before ? change.before->find(Source::api) : nullptr;
    const auto* after = change.after ? change.after->find(Source::api) : nullptr;
    if ((before == nullptr) != (after == nullptr)) {
      services_.record(
          {.at = now.wall,
           .kind = after != nullptr ? EventKind::whitelist_added : EventKind::whitelist_removed,
           .severity = Severity::notice,
           .peer = change.ip,
           .whitelisted = change.after.has_value(),
           .detail = std::string(name_of(Source::api))});
    }
  }
  services_.node->on_whitelist_changed(change.ip, now);
  if (services_.sync && services_.sync->whitelist_changed) services_.sync->whitelist_changed();
}

Result<bool> ChangeWriter::work(const std::function<bool()>& enough) {
  while (!committed_) {
    const bool all = written_ == set_.changes.size();
    if (auto done = all ? commit() : write_one(); !done) {
      batch_.reset();
      return done.error();
    }
    if (enough()) return false;
  }
  bool stop = false;
  while (told_ < set_.changes.size() && !stop) {
    tell_one();
    stop = enough();
  }
  if (services_.node != nullptr && services_.pump && !set_.changes.empty()) services_.pump();
  return told_ == set_.changes.size();
}

Result<void> ChangeWriter::finish() {
  auto done = work([] { return false; });
  if (!done) return done.error();
  return {};
}

}  // namespace timectl
