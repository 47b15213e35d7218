#pragma once
// The words of the node's views for people, shared by the commands that print them and by `timectl
// top`: whoever shows the verdict, a state or an alert says it with the same words and paint. Pure.

#include <optional>
#include <string>
#include <string_view>

#include "cmd/output.h"
#include "cmd/table.h"
#include "daemon/control/alerts_api.h"
#include "daemon/control/api.h"
#include "daemon/core/peer_words.h"
#include "daemon/core/vocabulary.h"

namespace timectl::cmd {

[[nodiscard]] std::string upper(std::string_view word);

// The lines of `timectl status`.
[[nodiscard]] std::string node_line(const control::StatusReply& status);
[[nodiscard]] std::string masternodes_line(const control::MasternodesStatus& masternodes);
[[nodiscard]] std::string slots_line(const SlotsView& slots);
// The sentence of the reply, and what is done about a lag.
[[nodiscard]] std::string sync_line(const control::SyncStatus& sync);

[[nodiscard]] Paint paint_of(Tone tone);
[[nodiscard]] Paint paint_of_state(PeerState state);
// "12.3", of milliseconds; "-" where it is unknown.
[[nodiscard]] std::string rtt_text(const std::optional<double>& milliseconds);

// One word for what becomes of it: silenced and acknowledged ones are not said again.
[[nodiscard]] Cell alert_state(const control::AlertRow& row);
// What became of the last message to one sink: "pager", "ops waiting (3 attempts)".
[[nodiscard]] std::string alert_delivery(const control::AlertDelivery& delivery);
[[nodiscard]] std::string alert_object(const std::string& object);

}  // namespace timectl::cmd
