#include "daemon/core/events.h"

#include <array>
#include <cstdio>

#include "daemon/core/reflect.h"

namespace timectl {
namespace {

struct CodePoint {
  char32_t value = 0;
  std::size_t bytes = 0;  // 0: not valid UTF-8 here
};

// Strict UTF-8: no overlong forms, no surrogates, at most U+10FFFF.
CodePoint decode(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return {first, 1};
  std::size_t length = 0;
  char32_t value = 0;
  char32_t least = 0;
  if ((first & 0xe0U) == 0xc0) {
    length = 2, value = first & 0x1fU, least = 0x80;
  } else if ((first & 0xf0U) == 0xe0) {
    length = 3, value = first & 0x0fU, least = 0x800;
  } else if ((first & 0xf8U) == 0xf0) {
    length = 4, value = first & 0x07U, least = 0x10000;
  }
  if (length == 0 || length > text.size()) return {};
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0U) != 0x80) return {};
    value = (value << 6U) | (byte(i) & 0x3fU);
  }
  if (value < least || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff)) return {};
  return {value, length};
}

// Code points that change how the rest of a line is shown: C1 controls, bidirectional marks and
// overrides, separators, zero-width and tag characters.
bool deceives(char32_t c) {
  return (c >= 0x80 && c <= 0x9f) || c == 0xad || c == 0x61c || (c >= 0x200b && c <= 0x200f) ||
         (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || c == 0xfeff ||
         (c >= 0xfff9 && c <= 0xfffb) || (c >= 0xe0000 && c <= 0xe007f);
}

std::string ip_of(const Event& event) {
  return event.peer ? event.peer->to_string() : std::string("?");
}

std::string with_detail(std::string text, const Event& event) {
  if (!event.detail.empty()) text += ": " + event.detail;
  return text;
}

std::string reason_of(const Event& event) {
  return event.reason ? std::string(name_of(*event.reason)) : std::string("unknown");
}

std::string whom(const Event& event) {
  return event.peer ? "whitelisted peer " + event.peer->to_string()
                    : std::string("all whitelisted peers");
}

std::string disconnected_line(const Event& event) {
  const bool loss = event.whitelisted && event.severity == Severity::critical;
  std::string text = loss ? "CRITICAL: Whitelisted peer " : "Peer ";
  text += ip_of(event) + " disconnected: " + reason_of(event);
  if (!event.detail.empty()) text += " (" + event.detail + ")";
  return text;
}

std::string unresponsive_line(const Event& event) {
  const std::string missed = std::to_string(event.missed_pongs) + " missed pongs";
  if (event.whitelisted) {
    return "WHITELIST VIOLATION: Masternode " + ip_of(event) + " unresponsive after " + missed +
           " (relaxed timeout: " + std::to_string(event.delay_seconds) + "s)";
  }
  return "Disconnecting non-whitelisted peer " + ip_of(event) + " after " + missed;
}

std::string inbound_line(const Event& event) {
  return std::string(event.whitelisted ? "[WHITELIST] " : "") +
         "Accepting inbound connection from " + ip_of(event) +
         " (total: " + std::to_string(event.total) + ", inbound: " + std::to_string(event.inbound) +
         ", whitelisted: " + std::to_string(event.masternodes) + ")";
}

std::string whitelisted_line(const Event& event) {
  // The API's entries have their own line in R5; the detail of other sources says who and why.
  if (event.detail == name_of(Source::api)) {
    return "Whitelisted masternode from time-coin.io: " + ip_of(event);
  }
  return with_detail("Whitelisted " + ip_of(event), event);
}

}  // namespace

std::string printable(std::string_view text, std::size_t max_bytes) {
  std::string out;
  while (!text.empty()) {
    const CodePoint c = decode(text);
    std::array<char, 16> escaped{};
    std::string_view piece = text.substr(0, c.bytes);
    if (c.bytes == 0 || c.value < 0x20 || c.value == 0x7f) {
      const auto byte = static_cast<unsigned>(static_cast<unsigned char>(text[0]));
      std::snprintf(escaped.data(), escaped.size(), "\\x%02X", byte);
      piece = escaped.data();
    } else if (deceives(c.value)) {
      std::snprintf(escaped.data(), escaped.size(), "\\u{%04X}", static_cast<unsigned>(c.value));
      piece = escaped.data();
    }
    if (out.size() + piece.size() > max_bytes) break;
    out += piece;
    text.remove_prefix(c.bytes == 0 ? 1 : c.bytes);
  }
  return out;
}

std::string log_line(const Event& event) {
  const std::string ip = ip_of(event);
  switch (event.kind) {
    case EventKind::node_started:
      return with_detail("Node started", event);
    case EventKind::node_stopping:
      return with_detail("Node is stopping", event);
    case EventKind::config_reloaded:
      return with_detail("Configuration reloaded", event);
    case EventKind::config_rejected:
      return with_detail("Configuration rejected, the old one stays in force", event);
    case EventKind::whitelist_added:
      return whitelisted_line(event);
    case EventKind::whitelist_removed:
      return with_detail("Removed " + ip + " from the whitelist", event);
    case EventKind::promoted:
      return "Marked " + ip + " as whitelisted masternode with enhanced protection";
    case EventKind::demoted:
      return with_detail("Marked " + ip + " as regular peer: no longer whitelisted", event);
    case EventKind::dial_scheduled:
      return std::string(event.whitelisted ? "[MASTERNODE] " : "") + "Reconnecting to " + ip +
             " in " + std::to_string(event.delay_seconds) + "s...";
    case EventKind::dial_failed:
      return with_detail("Connection attempt to " + ip + " failed: " + reason_of(event), event);
    case EventKind::inbound_accepted:
      return inbound_line(event);
    case EventKind::inbound_rejected:
      return with_detail("Rejected inbound connection from " + ip + ": " + reason_of(event), event);
    case EventKind::peer_connected:
      return std::string("Connected to ") + (event.whitelisted ? "masternode " : "peer ") + ip +
             (event.direction == Direction::in ? " (inbound)" : " (outbound)");
    case EventKind::peer_disconnected:
      return disconnected_line(event);
    case EventKind::peer_suspect:
      return with_detail("Peer " + ip + " is suspect", event);
    case EventKind::peer_degraded:
      return with_detail("Peer " + ip + " is degraded", event);
    case EventKind::peer_recovered:
      return with_detail("Peer " + ip + " has recovered", event);
    case EventKind::peer_unresponsive:
      return unresponsive_line(event);
    case EventKind::attempts_exhausted:
      return with_detail("Gave up the fast attempts to reach " + ip, event);
    case EventKind::peer_parked:
      return with_detail("Stopped dialling " + ip, event);
    case EventKind::peer_evicted:
      return with_detail("Evicted peer " + ip, event);
    case EventKind::violation:
      return with_detail("Violation by " + ip, event);
    case EventKind::no_masternode_connected:
      return with_detail("CRITICAL: No whitelisted masternode is connected", event);
    case EventKind::masternode_connected_again:
      return "A whitelisted masternode is connected again: " + ip;
    case EventKind::store_degraded:
      return with_detail("The database cannot be written", event);
    case EventKind::store_recovered:
      return with_detail("The database works again", event);
    case EventKind::observer_sick:
      return with_detail("This node itself is in trouble", event);
    case EventKind::observer_well:
      return with_detail("This node is well again", event);
    case EventKind::peer_cut:
      return with_detail("CRITICAL: Disconnecting WHITELISTED peer " + ip, event);
    case EventKind::peer_banned:
      return with_detail("Banned " + ip, event);
    case EventKind::protection_lost:
      return with_detail(std::string(event.severity == Severity::critical ? "CRITICAL: " : "") +
                             "Protection lost of " + whom(event),
                         event);
    case EventKind::protection_regained:
      return with_detail("Protection is back for " + whom(event), event);
    case EventKind::list_changed:
      return with_detail("The list of masternodes changed", event);
    case EventKind::list_failed:
      return with_detail("The list of masternodes could not be had", event);
    case EventKind::list_recovered:
      return with_detail("The list of masternodes is back", event);
    case EventKind::list_held_back:
      return with_detail("The list of masternodes is held back", event);
    case EventKind::sync_started:
      return with_detail("Sync started", event);
    case EventKind::sync_stalled:
      return with_detail("Sync stalled", event);
    case EventKind::sync_ended:
      return with_detail("Sync ended", event);
    case EventKind::lag_high:
      return with_detail("Our chain lags", event);
    case EventKind::lag_over:
      return with_detail("Our chain has caught up", event);
    case EventKind::fork_seen:
      return with_detail("FORK", event);
    case EventKind::fork_resolved:
      return with_detail("The fork is resolved", event);
    case EventKind::chain_failed:
      return with_detail("The chain cannot be stored", event);
    case EventKind::chain_recovered:
      return with_detail("The chain can be stored again", event);
    case EventKind::unreachable_said:
      return with_detail("Whitelisted peer " + ip + " says that it cannot reach our port", event);
    case EventKind::signature_doubted:
      return with_detail("Signatures of blocks do not fit their producers' keys", event);
    case EventKind::alert_fired:
      return with_detail("ALERT", event);
    case EventKind::alert_resolved:
      return with_detail("Alert", event);
    case EventKind::ban_ended:
      return with_detail("The ban of " + ip + " has ended", event);
  }
  check_failed("every EventKind has a line", __FILE__, __LINE__);
}

}  // namespace timectl
