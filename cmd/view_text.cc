#include "cmd/view_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "cmd/sync_verdict.h"

namespace timectl::cmd {

std::string upper(std::string_view word) {
  std::string out(word);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return out;
}

std::string node_line(const control::StatusReply& status) {
  const auto& node = status.node;
  if (!node.running) return "not running (" + status.network + ")";
  std::string line = status.network;
  if (node.mode) line += fmt::format(", {}", name_of(*node.mode));
  if (node.pid) line += fmt::format(", pid {}", *node.pid);
  if (node.uptime_seconds) {
    line +=
        ", up " + human_duration(Duration(static_cast<Duration::rep>(*node.uptime_seconds * 1e6)));
  }
  if (node.listen) line += ", listens on " + printable(*node.listen);
  return line;
}

std::string masternodes_line(const control::MasternodesStatus& masternodes) {
  if (!masternodes.connected) return fmt::format("{} whitelisted", masternodes.whitelisted);
  return fmt::format("{} of {} connected", *masternodes.connected, masternodes.whitelisted);
}

std::string slots_line(const SlotsView& slots) {
  return fmt::format("{} of {} used: {} masternode ({} reserved), {} regular of {}; {} in, {} out",
                     slots.total, slots.total_max, slots.masternode, slots.masternode_reserved,
                     slots.regular, slots.regular_max, slots.inbound, slots.outbound);
}

std::string sync_line(const control::SyncStatus& sync) {
  const auto line = control::sync_sentence(sync);
  const bool behind = sync.height && sync.verdict == control::SyncVerdict::behind;
  if (!behind || !sync.activity) return line;
  return line + ", " + std::string(activity_row(*sync.activity).phrase);
}

Paint paint_of(Tone tone) {
  switch (tone) {
    case Tone::good:
      return Paint::good;
    case Tone::warn:
      return Paint::warn;
    case Tone::bad:
      return Paint::bad;
    case Tone::plain:
      break;
  }
  return Paint::plain;
}

Paint paint_of_state(PeerState state) {
  return paint_of(tone_of(state));
}

std::string rtt_text(const std::optional<double>& milliseconds) {
  return milliseconds ? fmt::format("{:.1f}", *milliseconds) : "-";
}

std::string alert_delivery(const control::AlertDelivery& delivery) {
  std::string text = printable(delivery.sink);
  if (delivery.state == DeliveryState::delivered) return text;
  text += " " + std::string(name_of(delivery.state));
  if (delivery.attempts > 0) text += " (" + std::to_string(delivery.attempts) + " attempts)";
  return text;
}

std::string alert_object(const std::string& object) {
  return object.empty() ? "-" : printable(object);
}

Cell alert_state(const control::AlertRow& row) {
  if (row.state == AlertState::resolved) return {"resolved", Paint::good};
  if (row.hidden_by) return {"hidden: " + std::string(name_of(*row.hidden_by)), Paint::dim};
  std::string word(name_of(row.state));
  const bool ending = row.state == AlertState::firing && row.cleared_at;
  if (ending) word = "ending";
  if (row.flapping && !ending) word = "flapping";
  if (row.silenced_until) return {word + ", silenced", Paint::dim};
  if (row.acked_by) return {word + ", acked by " + printable(*row.acked_by), Paint::plain};
  if (ending) return {word, Paint::good};
  return {word, row.state == AlertState::firing ? Paint::bad : Paint::plain};
}

}  // namespace timectl::cmd
