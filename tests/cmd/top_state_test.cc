// The keys of `timectl top`: what each does to views, order, filter and selection.
#include "cmd/top_state.h"

#include <gtest/gtest.h>

#include "tests/cmd/top_lab.h"

namespace timectl::cmd {
namespace {

constexpr std::size_t kMasternodes = static_cast<std::size_t>(TopView::masternodes);

std::vector<std::string> shown(const TopData& data, const TopState& state) {
  std::vector<std::string> all;
  for (const auto* row : shown_masternodes(data, state)) all.push_back(row->ip.to_string());
  return all;
}

TEST(TopState, LettersAndTabChooseTheView) {
  const auto data = usual();
  const std::vector<std::pair<std::string, TopView>> letters{{"a", TopView::alerts},
                                                             {"e", TopView::events},
                                                             {"c", TopView::chain},
                                                             {"m", TopView::masternodes}};
  TopState state;
  for (const auto& [key, view] : letters) {
    state = typed(state, {letter(key)}, data);
    EXPECT_EQ(state.view, view) << key;
  }
  state = typed(state, {{KeyCode::tab}, {KeyCode::tab}}, data);
  EXPECT_EQ(state.view, TopView::events);
  state = typed(state, {{KeyCode::back_tab}, {KeyCode::back_tab}, {KeyCode::back_tab}}, data);
  EXPECT_EQ(state.view, TopView::chain) << "round the corner";
  EXPECT_FALSE(state.quit);
  EXPECT_TRUE(typed(state, {letter("q")}, data).quit);
}

TEST(TopState, ARowIsFollowedByItsNameWhenTheOrderChanges) {
  auto data = usual();
  const auto state = typed({}, {{KeyCode::down}, {KeyCode::down}}, data);
  EXPECT_EQ(state.selected[kMasternodes], "203.0.113.2");
  std::swap(data.overview.masternodes[2], data.overview.masternodes[0]);
  EXPECT_EQ(selected_place(data, state), 0U);
  EXPECT_FALSE(selection_is_gone(data, state));
  data.overview.masternodes.erase(data.overview.masternodes.begin());
  EXPECT_EQ(selected_place(data, state), 2U) << "the row that took its place";
  EXPECT_TRUE(selection_is_gone(data, state));
}

TEST(TopState, OnTheFirstRowTheTopIsFollowed) {
  auto data = usual();
  const auto state = typed({}, {{KeyCode::end}, {KeyCode::home}}, data);
  std::rotate(data.overview.masternodes.begin(), data.overview.masternodes.begin() + 1,
              data.overview.masternodes.end());
  EXPECT_EQ(selected_place(data, state), 0U);
}

TEST(TopState, NoKeyLeavesTheList) {
  for (const std::size_t count : {0U, 1U, 500U}) {
    std::vector<control::MasternodeRow> rows;
    for (std::size_t i = 0; i < count; ++i) {
      rows.push_back(healthy(1, ""));
      rows.back().ip = IpAddress::v4(10, 0, static_cast<std::uint8_t>(i / 256),
                                     static_cast<std::uint8_t>(i % 256));
    }
    const auto data = network_of(std::move(rows));
    TopState state;
    for (const auto code : {KeyCode::up, KeyCode::page_up, KeyCode::end, KeyCode::down,
                            KeyCode::page_down, KeyCode::page_up, KeyCode::home}) {
      state = typed(state, {{code}}, data);
      const auto place = selected_place(data, state);
      ASSERT_EQ(place.has_value(), count > 0);
      if (!place) continue;
      EXPECT_LT(*place, count);
      EXPECT_TRUE(code != KeyCode::end || *place == count - 1);
    }
    EXPECT_EQ(selected_place(data, state).value_or(0), 0U);
  }
}

TEST(TopState, TheFilterHidesRowsUntilItIsCleared) {
  const auto data = usual();
  auto state = typed({}, {letter("/"), letter("H"), letter("a"), letter("M"), letter("q")}, data);
  EXPECT_TRUE(state.typing);
  EXPECT_FALSE(state.quit) << "a q in the filter is a letter";
  EXPECT_TRUE(shown(data, state).empty());
  state = typed(state, {{KeyCode::backspace}, {KeyCode::enter}}, data);
  EXPECT_FALSE(state.typing);
  EXPECT_EQ(shown(data, state), std::vector<std::string>{"203.0.113.1"});
  state = typed(state, {letter("e")}, data);
  EXPECT_TRUE(shown_events(data, state).empty()) << "it holds in every list";
  state = typed(state, {{KeyCode::escape}}, data);
  EXPECT_EQ(shown_events(data, state).size(), data.events.size());
  for (const auto* by : {"backoff", "203.0.113.7", "berlin"}) {
    state = {};
    state.filter = by;
    EXPECT_EQ(shown(data, state), std::vector<std::string>{"203.0.113.7"}) << by;
  }
}

TEST(TopState, TheFilterIsBoundedAndLosesWholeCharacters) {
  const auto data = usual();
  auto state = typed({}, {letter("/"), letter("ü"), letter("漢")}, data);
  state = typed(state, {{KeyCode::backspace}}, data);
  EXPECT_EQ(state.filter, "ü");
  for (int i = 0; i < 200; ++i) state = typed(state, {letter("漢")}, data);
  EXPECT_LE(state.filter.size(), TopState::kLongestFilter);
}

TEST(TopState, EveryOrderHasTheUnknownLast) {
  const auto data = usual();
  TopState state;
  for (const auto name : names_of<TopSort>()) {
    EXPECT_EQ(name_of(state.sort), name);
    EXPECT_EQ(shown(data, state).size(), 4U);
    if (state.sort == TopSort::rtt || state.sort == TopSort::since) {
      EXPECT_EQ(shown(data, state).back(), "203.0.113.7") << name;
      EXPECT_EQ(shown(data, typed(state, {letter("r")}, data)).back(), "203.0.113.7") << name;
    }
    state = typed(state, {letter("s")}, data);
  }
  EXPECT_EQ(state.sort, TopSort::worst) << "all round";
  state.sort = TopSort::rtt;
  EXPECT_EQ(shown(data, state).front(), "203.0.113.3") << "the slowest first";
  EXPECT_EQ(shown(data, typed(state, {letter("r")}, data)).front(), "203.0.113.1");
}

TEST(TopState, EscapeGoesBackByOne) {
  const auto data = usual();
  auto state = typed({}, {letter("/"), letter("b"), {KeyCode::enter}, {KeyCode::enter}}, data);
  state = typed(state, {letter("?")}, data);
  EXPECT_TRUE(state.help && state.detail);
  state = typed(state, {{KeyCode::escape}}, data);
  EXPECT_TRUE(!state.help && state.detail);
  state = typed(state, {{KeyCode::escape}}, data);
  EXPECT_TRUE(!state.detail && state.filter == "b");
  state = typed(state, {{KeyCode::escape}}, data);
  EXPECT_EQ(state.filter, "");
}

TEST(TopState, KeysWithoutAMeaningChangeNothing) {
  const auto data = usual();
  for (const auto* key : {"x", "Q", "1", "ß", "\x01", ""}) {
    const auto state = typed({}, {letter(key)}, data);
    EXPECT_FALSE(state.quit || state.help || state.paused || state.typing) << key;
    EXPECT_EQ(state.view, TopView::masternodes);
  }
}

}  // namespace
}  // namespace timectl::cmd
