#pragma once
// What `timectl top` knows (of the node) and what the user has chosen: views, order, filter and
// selection, and how a key changes them. The screen is made of both by top_screen.h; the terminal
// and the connection are elsewhere. A row is remembered by its name, not by its place, because the
// order changes under the user's hands. Pure.

#include <array>
#include <boost/describe/enum.hpp>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "daemon/control/overview_api.h"
#include "daemon/core/events.h"

namespace timectl::cmd {

struct TopEvent {
  std::uint64_t number = 0;  // ascending, given by the reader: events have no name of their own
  Event event = {};
};

// Since when there is no answer, and what is done about it.
struct TopOutage {
  WallTime since = {};
  std::string because = {};
  std::optional<WallTime> next_try = {};  // none: a request is out, and the node is only slow
};

struct TopData {
  static constexpr std::size_t kMostEvents = 500;
  control::OverviewReply overview = {};
  std::optional<control::OverviewHistory> history = {};
  std::deque<TopEvent> events = {};  // the newest first, at most kMostEvents
  std::optional<TopOutage> outage = {};
};

enum class TopView : std::uint8_t { masternodes, alerts, events, chain };
BOOST_DESCRIBE_ENUM(TopView, masternodes, alerts, events, chain)
inline constexpr std::size_t kTopViews = 4;

// Of the masternodes. `worst`: as the node says it; the others the worst, the slowest or the
// longest first.
enum class TopSort : std::uint8_t { worst, ip, label, rtt, missed, score, lag, since };
BOOST_DESCRIBE_ENUM(TopSort, worst, ip, label, rtt, missed, score, lag, since)

enum class KeyCode : std::uint8_t {
  text,  // one character, in `text`
  up,
  down,
  page_up,
  page_down,
  home,
  end,
  enter,
  escape,
  backspace,
  tab,
  back_tab,
};
struct Key {
  KeyCode code = KeyCode::text;
  std::string text = {};
};

struct TopState {
  static constexpr std::size_t kLongestFilter = 64;  // bytes

  TopView view = TopView::masternodes;
  TopSort sort = TopSort::worst;
  bool reversed = false;
  bool help = false;
  bool detail = false;  // of the selected row
  bool typing = false;  // the filter
  bool paused = false;
  bool quit = false;
  bool redraw = false;  // Ctrl-L: something else wrote on the terminal
  std::string filter = {};
  // By view, the name of the selected row; empty: the first one, whichever that is.
  std::array<std::string, kTopViews> selected = {};
  // Where it stood last, for when it is gone.
  std::array<std::size_t, kTopViews> place = {};
};

// `page`: rows that PgUp and PgDn move by.
[[nodiscard]] TopState step(TopState state, const Key& key, const TopData& data, std::size_t page);

// What the view lists: in order, without what the filter hides.
[[nodiscard]] std::vector<const control::MasternodeRow*> shown_masternodes(const TopData& data,
                                                                           const TopState& state);
[[nodiscard]] std::vector<const control::AlertRow*> shown_alerts(const TopData& data,
                                                                 const TopState& state);
[[nodiscard]] std::vector<const TopEvent*> shown_events(const TopData& data, const TopState& state);
// The place of the selected row among those that are shown; none where there is no row.
[[nodiscard]] std::optional<std::size_t> selected_place(const TopData& data, const TopState& state);
// The very row that was selected is not shown any more; another one stands in for it.
[[nodiscard]] bool selection_is_gone(const TopData& data, const TopState& state);
[[nodiscard]] std::string alert_name(const control::AlertRow& row);

}  // namespace timectl::cmd
