#include "daemon/core/whitelist_import.h"

#include <set>
#include <utility>

#include "daemon/core/events.h"
#include "daemon/core/reflect.h"

namespace timectl {
namespace {

std::optional<std::string> said(const std::string& text) {
  return text.empty() ? std::nullopt : std::optional(text);
}

std::optional<std::string> said(const std::optional<LivenessProfile>& liveness) {
  return liveness ? std::optional(std::string(name_of(*liveness))) : std::nullopt;
}

std::optional<std::string> said(const std::optional<WallTime>& at) {
  return at ? std::optional(rfc3339(*at)) : std::nullopt;
}

// What an entry says, as a list would: the fields that people compare.
ListedPeer listed(const WhitelistEntry& entry) {
  ListedPeer peer{entry.ip, entry.label, entry.liveness, entry.trusts_us, {}, {}};
  if (const auto* manual = entry.find(Source::manual)) {
    peer.reason = manual->reason;
    peer.expires_at = manual->expires_at;
  }
  return peer;
}

class Import {
 public:
  Import(const Whitelist& whitelist, ImportMode mode, const ImportOrigin& origin,
         const std::map<IpAddress, ListedPeer>& configured)
      : scratch_(whitelist), mode_(mode), origin_(origin), configured_(configured) {}

  void remove_unlisted(const std::vector<ListedPeer>& list) {
    std::set<IpAddress> kept;
    for (const auto& peer : list) {
      if (!is_over(peer)) kept.insert(peer.ip);
    }
    std::vector<IpAddress> gone;
    for (const auto& [ip, entry] : scratch_.entries()) {
      if (entry.find(Source::manual) != nullptr && !kept.contains(ip)) gone.push_back(ip);
    }
    for (const auto& ip : gone) {
      take({scratch_.plan_remove(ip, Source::manual), ImportResult::removed, {}});
    }
  }

  void add(const ListedPeer& peer) {
    if (!seen_.insert(peer.ip).second) {
      return refuse(peer.ip, Code::bad_data, "it is in the list twice");
    }
    if (is_over(peer)) {
      ImportStep step{{.ip = peer.ip}, ImportResult::skipped, {}};
      step.change.why = "it expired at " + rfc3339(*peer.expires_at);
      steps_.push_back(std::move(step));
      return;
    }
    const auto* present = scratch_.find(peer.ip);
    const auto wanted = complete(peer, present);
    AddRequest request;
    request.ip = peer.ip;
    request.source = {Source::manual, wanted.reason, origin_.user, origin_.at, wanted.expires_at};
    auto change = scratch_.plan_add(request);
    if (change.result == ChangeResult::refused) {
      steps_.push_back({std::move(change), ImportResult::refused, {}});
      return;
    }
    change.after->label = wanted.label;
    change.after->liveness = wanted.liveness;
    change.after->trusts_us = wanted.trusts_us;
    change.why.clear();
    if (change.before == change.after) {
      change.result = ChangeResult::unchanged;
      steps_.push_back({std::move(change), ImportResult::unchanged, {}});
      return;
    }
    change.result = ChangeResult::added;
    const bool manual = change.before && change.before->find(Source::manual) != nullptr;
    ImportStep step{std::move(change), manual ? ImportResult::changed : ImportResult::added, {}};
    if (step.change.before) step.fields = differences(*step.change.before, *step.change.after);
    take(std::move(step));
  }

  // Labels are judged when all is in its place: a list may swap two of them.
  void refuse_taken_labels() {
    std::map<std::string, std::vector<IpAddress>> holders;
    for (const auto& [ip, entry] : scratch_.entries()) {
      if (!entry.label.empty()) holders[entry.label].push_back(ip);
    }
    for (auto& step : steps_) {
      auto& change = step.change;
      if (change.result != ChangeResult::added || change.after->label.empty()) continue;
      const auto label = change.after->label;
      if (change.before && change.before->label == label) continue;
      for (const auto& ip : holders[label]) {
        if (ip == change.ip) continue;
        change.result = ChangeResult::refused;
        change.code = Code::invalid_argument;
        change.why = "the label " + label + " belongs to " + ip.to_string();
        change.after = change.before;
        step.result = ImportResult::refused;
        step.fields.clear();
        break;
      }
    }
  }

  [[nodiscard]] std::vector<ImportStep> take_steps() { return std::move(steps_); }

 private:
  [[nodiscard]] bool is_over(const ListedPeer& peer) const {
    return peer.expires_at && *peer.expires_at <= origin_.at;
  }

  // What the entry shall say: the list's word, and for what it leaves open the mode's.
  [[nodiscard]] ListedPeer complete(const ListedPeer& peer, const WhitelistEntry* present) const {
    ListedPeer rest;
    if (mode_ == ImportMode::merge) {
      if (present != nullptr) rest = listed(*present);
    } else if (const auto own = configured_.find(peer.ip); own != configured_.end()) {
      rest = own->second;
      rest.reason.clear();  // of the config's source
      rest.expires_at.reset();
    }
    auto wanted = peer;
    if (wanted.label.empty()) wanted.label = rest.label;
    if (!wanted.liveness) wanted.liveness = rest.liveness;
    wanted.trusts_us = wanted.trusts_us || rest.trusts_us;
    if (wanted.reason.empty()) wanted.reason = rest.reason;
    if (!wanted.expires_at) wanted.expires_at = rest.expires_at;
    return wanted;
  }

  void take(ImportStep step) {
    scratch_.put(step.change);
    steps_.push_back(std::move(step));
  }

  void refuse(const IpAddress& ip, Code code, const std::string& why) {
    ImportStep step{{.ip = ip, .result = ChangeResult::refused}, ImportResult::refused, {}};
    step.change.code = code;
    step.change.why = why;
    steps_.push_back(std::move(step));
  }

  Whitelist scratch_;
  ImportMode mode_;
  const ImportOrigin& origin_;
  const std::map<IpAddress, ListedPeer>& configured_;
  std::set<IpAddress> seen_;
  std::vector<ImportStep> steps_;
};

}  // namespace

std::vector<FieldChange> differences(const WhitelistEntry& from, const WhitelistEntry& to) {
  std::vector<FieldChange> fields;
  const auto note = [&](const char* field, std::optional<std::string> before,
                        std::optional<std::string> after) {
    if (before != after) fields.push_back({field, std::move(before), std::move(after)});
  };
  const auto before = listed(from);
  const auto after = listed(to);
  const auto yes = [](bool value) { return std::optional<std::string>(value ? "true" : "false"); };
  note("label", said(before.label), said(after.label));
  note("liveness", said(before.liveness), said(after.liveness));
  note("trusts_us", yes(before.trusts_us), yes(after.trusts_us));
  note("reason", said(before.reason), said(after.reason));
  note("expires_at", said(before.expires_at), said(after.expires_at));
  return fields;
}

std::string to_text(const std::vector<FieldChange>& changes) {
  std::string text;
  for (const auto& change : changes) {
    text += (text.empty() ? "" : "; ") + change.field + " " + change.before.value_or("-") + " -> " +
            change.after.value_or("-");
  }
  return text;
}

std::string wrong_with(const ListedPeer& peer) {
  if (peer.label.size() > kLongestLabel || printable(peer.label, kLongestLabel) != peer.label) {
    return "a label is at most 64 bytes of printable text";
  }
  if (IpAddress::parse(peer.label)) return "a label must not look like an address";
  if (peer.reason.size() > kLongestReason ||
      printable(peer.reason, kLongestReason) != peer.reason) {
    return "a reason is one line of at most 500 bytes of printable text";
  }
  return {};
}

std::vector<ImportStep> plan_import(const Whitelist& whitelist, const std::vector<ListedPeer>& list,
                                    ImportMode mode, const ImportOrigin& origin,
                                    const std::map<IpAddress, ListedPeer>& configured) {
  Import import(whitelist, mode, origin, configured);
  if (mode == ImportMode::replace) import.remove_unlisted(list);
  for (const auto& peer : list) import.add(peer);
  import.refuse_taken_labels();
  return import.take_steps();
}

}  // namespace timectl
