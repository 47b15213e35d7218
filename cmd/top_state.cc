#include "cmd/top_state.h"

#include <algorithm>
#include <cctype>
#include <functional>
#include <utility>

#include "daemon/core/reflect.h"

namespace timectl::cmd {
namespace {

using control::AlertRow;
using control::MasternodeRow;

// Of ASCII; anything else must be typed as it is written.
std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](unsigned char c) {
    return static_cast<char>(c < 0x80 ? std::tolower(c) : c);
  });
  return out;
}

bool holds(std::string_view text, const std::string& lower_filter) {
  return lower(text).find(lower_filter) != std::string::npos;
}

bool matches(const MasternodeRow& row, const std::string& filter) {
  return holds(row.ip.to_string(), filter) || holds(row.label, filter) ||
         holds(name_of(row.state), filter);
}

bool matches(const AlertRow& row, const std::string& filter) {
  return holds(name_of(row.severity), filter) || holds(name_of(row.rule), filter) ||
         holds(row.object, filter) || holds(row.text, filter);
}

bool matches(const TopEvent& row, const std::string& filter) {
  return holds(name_of(row.event.severity), filter) || holds(log_line(row.event), filter);
}

template <class Rows>
auto filtered(const Rows& rows, const std::string& filter) {
  std::vector<const typename Rows::value_type*> shown;
  const auto wanted = lower(filter);
  for (const auto& row : rows) {
    if (wanted.empty() || matches(row, wanted)) shown.push_back(&row);
  }
  return shown;
}

// Of two rows whose values are known.
bool before(TopSort sort, const MasternodeRow& a, const MasternodeRow& b) {
  switch (sort) {
    case TopSort::worst:
      return false;
    case TopSort::ip:
      return a.ip < b.ip;
    case TopSort::label:
      return a.label < b.label;
    case TopSort::rtt:
      return *a.rtt_ms > *b.rtt_ms;
    case TopSort::missed:
      return *a.missed_pongs > *b.missed_pongs;
    case TopSort::score:
      return *a.score < *b.score;
    case TopSort::lag:
      return *a.lag_blocks > *b.lag_blocks;
    case TopSort::since:
      return *a.connected_at < *b.connected_at;
  }
  return false;
}

bool known(TopSort sort, const MasternodeRow& row) {
  switch (sort) {
    case TopSort::worst:
    case TopSort::ip:
      return true;
    case TopSort::label:
      return !row.label.empty();
    case TopSort::rtt:
      return row.rtt_ms.has_value();
    case TopSort::missed:
      return row.missed_pongs.has_value();
    case TopSort::score:
      return row.score.has_value();
    case TopSort::lag:
      return row.lag_blocks.has_value();
    case TopSort::since:
      return row.connected && row.connected_at.has_value();
  }
  return true;
}

// The names of the rows of a view, in order.
std::vector<std::string> names_of_rows(const TopData& data, const TopState& state) {
  std::vector<std::string> names;
  switch (state.view) {
    case TopView::masternodes:
      for (const auto* row : shown_masternodes(data, state)) names.push_back(row->ip.to_string());
      break;
    case TopView::alerts:
      for (const auto* row : shown_alerts(data, state)) names.push_back(alert_name(*row));
      break;
    case TopView::events:
      for (const auto* row : shown_events(data, state))
        names.push_back(std::to_string(row->number));
      break;
    case TopView::chain:
      break;
  }
  return names;
}

std::optional<std::size_t> place_of(const std::vector<std::string>& names, const TopState& state) {
  if (names.empty()) return {};
  const auto view = static_cast<std::size_t>(state.view);
  const auto& selected = state.selected.at(view);
  if (selected.empty()) return 0;
  const auto found = std::ranges::find(names, selected);
  if (found != names.end()) return static_cast<std::size_t>(found - names.begin());
  return std::min(state.place.at(view), names.size() - 1);
}

void move(TopState& state, const TopData& data, KeyCode code, std::size_t page) {
  const auto names = names_of_rows(data, state);
  const auto place = place_of(names, state);
  if (!place) return;
  const auto last = names.size() - 1;
  std::size_t to = *place;
  switch (code) {
    case KeyCode::up:
      to -= std::min<std::size_t>(1, to);
      break;
    case KeyCode::down:
      to = std::min(to + 1, last);
      break;
    case KeyCode::page_up:
      to -= std::min(page, to);
      break;
    case KeyCode::page_down:
      to = std::min(to + page, last);
      break;
    case KeyCode::home:
      to = 0;
      break;
    case KeyCode::end:
      to = last;
      break;
    default:
      return;
  }
  const auto view = static_cast<std::size_t>(state.view);
  state.place.at(view) = to;
  // On top the user follows what comes to the top.
  state.selected.at(view) = to == 0 && !state.detail ? std::string() : names[to];
}

void type_filter(TopState& state, const Key& key) {
  switch (key.code) {
    case KeyCode::text:
      if (state.filter.size() + key.text.size() <= TopState::kLongestFilter) {
        state.filter += key.text;
      }
      break;
    case KeyCode::backspace:
      if (state.filter.empty()) state.typing = false;
      // A character of UTF-8 is its first byte and those that continue it.
      while (!state.filter.empty()) {
        const auto byte = static_cast<unsigned char>(state.filter.back());
        state.filter.pop_back();
        if ((byte & 0xc0U) != 0x80) break;
      }
      break;
    case KeyCode::enter:
      state.typing = false;
      break;
    case KeyCode::escape:
      state.typing = false;
      state.filter.clear();
      break;
    default:
      break;
  }
}

void show(TopState& state, TopView view) {
  state.view = view;
  state.detail = false;
  state.help = false;
}

void turn(TopState& state, std::size_t by) {
  show(state, static_cast<TopView>((static_cast<std::size_t>(state.view) + by) % kTopViews));
}

void next_sort(TopState& state) {
  const auto count = names_of<TopSort>().size();
  state.sort = static_cast<TopSort>((static_cast<std::size_t>(state.sort) + 1) % count);
  state.reversed = false;
}

struct Letter {
  std::string_view text;
  void (*act)(TopState&);
};
constexpr auto kLetters = std::to_array<Letter>({
    {"q", [](TopState& s) { s.quit = true; }},
    {"m", [](TopState& s) { show(s, TopView::masternodes); }},
    {"a", [](TopState& s) { show(s, TopView::alerts); }},
    {"e", [](TopState& s) { show(s, TopView::events); }},
    {"c", [](TopState& s) { show(s, TopView::chain); }},
    {"/", [](TopState& s) { s.typing = s.view != TopView::chain, s.help = s.detail = false; }},
    {"s", [](TopState& s) { next_sort(s); }},
    {"r", [](TopState& s) { s.reversed = !s.reversed; }},
    {"p", [](TopState& s) { s.paused = !s.paused; }},
    {" ", [](TopState& s) { s.paused = !s.paused; }},
    {"?", [](TopState& s) { s.help = !s.help; }},
    {"h", [](TopState& s) { s.help = !s.help; }},
    {"\x0c", [](TopState& s) { s.redraw = true; }},
});

// Back by one: help, detail, filter.
void leave(TopState& state) {
  if (state.help) {
    state.help = false;
  } else if (state.detail) {
    state.detail = false;
  } else {
    state.filter.clear();
  }
}

// The user looks at this row from now on, wherever it goes.
void open_detail(TopState& state, const TopData& data) {
  const auto names = names_of_rows(data, state);
  const auto place = place_of(names, state);
  if (!place) return;
  const auto view = static_cast<std::size_t>(state.view);
  state.selected.at(view) = names[*place];
  state.place.at(view) = *place;
  state.detail = true;
}

}  // namespace

TopState step(TopState state, const Key& key, const TopData& data, std::size_t page) {
  if (state.typing) {
    type_filter(state, key);
    return state;
  }
  switch (key.code) {
    case KeyCode::text: {
      const auto* const letter = std::ranges::find(kLetters, key.text, &Letter::text);
      if (letter != kLetters.end()) letter->act(state);
      break;
    }
    case KeyCode::tab:
      turn(state, 1);
      break;
    case KeyCode::back_tab:
      turn(state, kTopViews - 1);
      break;
    case KeyCode::enter:
      if (state.help || state.detail) {
        leave(state);
      } else {
        open_detail(state, data);
      }
      break;
    case KeyCode::escape:
    case KeyCode::backspace:
      leave(state);
      break;
    default:
      if (!state.help) move(state, data, key.code, page);
      break;
  }
  return state;
}

std::vector<const MasternodeRow*> shown_masternodes(const TopData& data, const TopState& state) {
  auto rows = filtered(data.overview.masternodes, state.filter);
  // The unknown stands last in every order.
  const auto rest = std::ranges::stable_partition(
      rows, [&](const MasternodeRow* row) { return known(state.sort, *row); });
  std::stable_sort(rows.begin(), rest.begin(),
                   [&](const auto* a, const auto* b) { return before(state.sort, *a, *b); });
  if (state.reversed) std::reverse(rows.begin(), rest.begin());
  return rows;
}

std::vector<const AlertRow*> shown_alerts(const TopData& data, const TopState& state) {
  return filtered(data.overview.alerts, state.filter);
}

std::vector<const TopEvent*> shown_events(const TopData& data, const TopState& state) {
  return filtered(data.events, state.filter);
}

std::optional<std::size_t> selected_place(const TopData& data, const TopState& state) {
  return place_of(names_of_rows(data, state), state);
}

bool selection_is_gone(const TopData& data, const TopState& state) {
  const auto& selected = state.selected.at(static_cast<std::size_t>(state.view));
  const auto names = names_of_rows(data, state);
  return names.empty() || (!selected.empty() && std::ranges::find(names, selected) == names.end());
}

std::string alert_name(const AlertRow& row) {
  return std::string(name_of(row.rule)) + " " + row.object;
}

}  // namespace timectl::cmd
