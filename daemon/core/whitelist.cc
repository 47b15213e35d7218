#include "daemon/core/whitelist.h"

#include <algorithm>
#include <utility>

#include "daemon/core/reflect.h"

namespace timectl {
namespace {

WhitelistSource* find_source(WhitelistEntry& entry, Source source) {
  const auto it = std::find_if(entry.sources.begin(), entry.sources.end(),
                               [&](const WhitelistSource& s) { return s.source == source; });
  return it == entry.sources.end() ? nullptr : &*it;
}

std::vector<Source> sources_of(const WhitelistEntry& entry) {
  std::vector<Source> sources;
  for (const auto& s : entry.sources) sources.push_back(s.source);
  return sources;
}

WhitelistChange refused(WhitelistChange change, Code code, std::string why) {
  change.result = ChangeResult::refused;
  change.after = change.before;
  change.code = code;
  change.why = std::move(why);
  return change;
}

// Takes away the sources for which gone() holds; the entry goes with its last one (W1).
template <class Gone>
WhitelistChange without(const WhitelistEntry& entry, Gone gone) {
  WhitelistChange change;
  change.ip = entry.ip;
  change.before = entry;
  WhitelistEntry after = entry;
  std::erase_if(after.sources, gone);
  change.still_by = sources_of(after);
  change.result = after.sources.size() == entry.sources.size() ? ChangeResult::unchanged
                                                               : ChangeResult::removed;
  if (!after.sources.empty()) change.after = std::move(after);
  return change;
}

}  // namespace

const WhitelistSource* WhitelistEntry::find(Source source) const {
  return find_source(const_cast<WhitelistEntry&>(*this), source);
}

const WhitelistSource& WhitelistEntry::strongest() const {
  TIMECTL_CHECK(!sources.empty());
  return *std::min_element(sources.begin(), sources.end(),
                           [](const auto& a, const auto& b) { return a.source < b.source; });
}

const WhitelistEntry* Whitelist::find(const IpAddress& ip) const {
  const auto it = entries_.find(ip);
  return it == entries_.end() ? nullptr : &it->second;
}

WhitelistChange Whitelist::plan_add(const AddRequest& request) const {
  WhitelistChange change;
  change.ip = request.ip;
  const WhitelistEntry* present = find(request.ip);
  if (present != nullptr) change.before = *present;
  const auto line = blacklist_.find(request.ip);
  if (line != blacklist_.end()) {
    return refused(std::move(change), Code::blacklisted,
                   "network.blacklisted_peers holds it (" + line->second + ")");
  }
  if (request.ip.is_unspecified() || request.ip.is_multicast()) {
    return refused(std::move(change), Code::invalid_argument,
                   "no peer can have this address: it is unspecified, multicast or broadcast");
  }
  // What an operator types now can be mended now; the config's own labels are checked when loaded.
  if (request.label && !request.label->empty() && request.source.source == Source::manual) {
    for (const auto& [ip, entry] : entries_) {
      if (entry.label != *request.label || ip == request.ip) continue;
      return refused(std::move(change), Code::invalid_argument,
                     "the label " + *request.label + " belongs to " + ip.to_string());
    }
  }
  if (present == nullptr && entries_.size() >= max_entries_) {
    return refused(std::move(change), Code::whitelist_full,
                   "the whitelist has its " + std::to_string(max_entries_) + " entries");
  }
  WhitelistEntry after = present != nullptr ? *present : WhitelistEntry{};
  after.ip = request.ip;
  if (request.label) after.label = *request.label;
  if (request.liveness) after.liveness = request.liveness;
  if (request.trusts_us) after.trusts_us = *request.trusts_us;
  if (WhitelistSource* source = find_source(after, request.source.source)) {
    // Who added it first and when stays; the audit log has who changed it since.
    source->reason = request.source.reason;
    source->expires_at = request.source.expires_at;
    source->missing_since = request.source.missing_since;
  } else {
    after.sources.push_back(request.source);
    std::sort(after.sources.begin(), after.sources.end(),
              [](const auto& a, const auto& b) { return a.source < b.source; });
  }
  if (present != nullptr && after == *present) {
    change.result = ChangeResult::unchanged;
    change.why = "already whitelisted by " + std::string(name_of(request.source.source));
  } else {
    change.result = ChangeResult::added;
  }
  change.after = std::move(after);
  return change;
}

WhitelistChange Whitelist::plan_remove(const IpAddress& ip, Source source) const {
  const WhitelistEntry* present = find(ip);
  if (present == nullptr) {
    WhitelistChange change;
    change.ip = ip;
    change.why = "it is not whitelisted";
    return change;
  }
  auto change = without(*present, [&](const WhitelistSource& s) { return s.source == source; });
  if (change.result == ChangeResult::unchanged) {
    change.why = "it is not whitelisted by " + std::string(name_of(source));
  }
  return change;
}

std::vector<WhitelistChange> Whitelist::plan_config(const std::vector<AddRequest>& wanted) const {
  Whitelist scratch = *this;  // so that several additions respect max_entries together
  std::vector<WhitelistChange> changes;
  const auto note = [&](WhitelistChange change) {
    if (change.result == ChangeResult::unchanged) return;
    scratch.put(change);
    changes.push_back(std::move(change));
  };
  std::set<IpAddress> kept;
  for (const auto& request : wanted) kept.insert(request.ip);
  for (const auto& [ip, entry] : entries_) {
    if (entry.find(Source::config) != nullptr && !kept.contains(ip)) {
      note(scratch.plan_remove(ip, Source::config));
    }
  }
  for (const auto& request : wanted) note(scratch.plan_add(request));
  return changes;
}

std::vector<WhitelistChange> Whitelist::plan_expiry(WallTime now, bool api_confirmed) const {
  std::vector<WhitelistChange> changes;
  for (const auto& [ip, entry] : entries_) {
    auto change = without(entry, [&](const WhitelistSource& s) {
      const bool may = s.source == Source::manual || (s.source == Source::api && api_confirmed);
      return may && s.expires_at && *s.expires_at <= now;
    });
    if (change.result == ChangeResult::unchanged) continue;
    change.why = "expired";
    changes.push_back(std::move(change));
  }
  return changes;
}

void Whitelist::put(const WhitelistChange& change) {
  if (change.result != ChangeResult::added && change.result != ChangeResult::removed) return;
  if (change.after) {
    entries_[change.ip] = *change.after;
  } else {
    entries_.erase(change.ip);
  }
}

void Whitelist::load(std::vector<WhitelistEntry> entries) {
  entries_.clear();
  for (auto& entry : entries) {
    if (entry.sources.empty()) continue;
    const IpAddress ip = entry.ip;
    entries_.insert_or_assign(ip, std::move(entry));
  }
}

Result<IpAddress> Whitelist::resolve(std::string_view name) const {
  auto parsed = IpAddress::parse(name);
  if (parsed) return parsed;
  std::vector<IpAddress> matches;
  for (const auto& [ip, entry] : entries_) {
    if (!entry.label.empty() && entry.label == name) matches.push_back(ip);
  }
  if (matches.size() == 1) return matches.front();
  if (matches.size() > 1) {
    std::string candidates;
    for (std::size_t i = 0; i < std::min<std::size_t>(matches.size(), 10); ++i) {
      candidates += (i == 0 ? "" : ", ") + matches[i].to_string();
    }
    return Error{Code::ambiguous_peer,
                 "'" + std::string(name.substr(0, 64)) + "' is the label of " +
                     std::to_string(matches.size()) + " peers",
                 candidates};
  }
  const bool like_an_address = name.find_first_of(".:/[%") != std::string_view::npos ||
                               name.empty() || name.find_first_not_of("0123456789") == name.npos;
  if (like_an_address) return parsed;
  std::string labels;
  std::size_t count = 0;
  for (const auto& [ip, entry] : entries_) {
    if (entry.label.empty() || ++count > 10) continue;
    labels += (labels.empty() ? "the labels are " : ", ") + entry.label;
  }
  return Error{Code::unknown_peer, "no peer is called '" + std::string(name.substr(0, 64)) + "'",
               labels.empty() ? "no whitelist entry has a label" : labels};
}

}  // namespace timectl
