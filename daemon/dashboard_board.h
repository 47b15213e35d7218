#pragma once
// The overview as items of the dashboard's board (daemon/web/board.h): which keys there are, and
// what counts as a change. Pure; runs in the web server's thread, on values of its own.
//
// Keys: `status` (all but the lists), `masternode/IP`, `alert/RULE/OBJECT`, `history`, `event/N`.

#include <cstdint>
#include <string>
#include <vector>

#include "daemon/control/overview_api.h"
#include "daemon/core/json.h"
#include "daemon/web/board.h"

namespace timectl {

inline constexpr std::size_t kShownEvents = 100;

// Puts what changed, drops the masternodes and alerts that are not in it any more.
void show_overview(web::Board& board, const control::OverviewReply& overview);

struct ShownEvent {
  std::uint64_t number = 0;  // ascending; the order of the page
  std::string json = {};
};
// Adds them, and drops all but the newest kShownEvents. `anew`: what was there goes first.
void show_events(web::Board& board, const std::vector<ShownEvent>& events, bool anew);

// The document without what only says that time goes on, to tell changes by.
[[nodiscard]] std::string without_clocks(const json::value& status);

}  // namespace timectl
