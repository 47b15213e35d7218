// The screens of `timectl top`, compared with tests/cmd/golden/top_*.txt, and what must hold for
// any size and any text.
#include "cmd/top_screen.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "tests/cmd/top_lab.h"
#include "tests/paths.h"

namespace timectl::cmd {
namespace {

void compare(const std::string& name, const std::string& seen) {
  const std::string path = std::string(TIMECTL_SOURCE_DIR) + "/tests/cmd/golden/" + name + ".txt";
  if (std::getenv("TIMECTL_REWRITE_GOLDEN") != nullptr) {
    std::ofstream(path, std::ios::binary) << seen;
  }
  std::stringstream wanted;
  wanted << std::ifstream(path, std::ios::binary).rdbuf();
  EXPECT_EQ(wanted.str(), seen) << "if this is right: TIMECTL_REWRITE_GOLDEN=1 cmd_test";
}

std::string titled(const std::string& title, const std::string& text) {
  return "### " + title + "\n" + text + "\n";
}

// What no screen may break.
void check(const Lines& lines, ScreenSize size) {
  ASSERT_EQ(lines.size(), size.rows);
  for (const auto& line : lines) {
    std::size_t width = 0;
    for (const auto& span : line.spans()) {
      width += display_width(span.text);
      for (const char c : span.text) EXPECT_GE(static_cast<unsigned char>(c), 0x20) << line.text();
    }
    EXPECT_LE(width, size.columns) << line.text();
    EXPECT_EQ(width, line.width()) << line.text();
  }
}

TopState in_view(TopView view) {
  TopState state;
  state.view = view;
  return state;
}

TEST(TopScreen, IsReadAt80By24) {
  const auto data = usual();
  std::string all = titled("masternodes", text_of(screen_of(data, {})));
  all += titled("alerts", text_of(screen_of(data, in_view(TopView::alerts))));
  all += titled("events", text_of(screen_of(data, in_view(TopView::events))));
  all += titled("chain", text_of(screen_of(data, in_view(TopView::chain))));
  all += titled("a masternode", text_of(screen_of(data, typed({}, {{KeyCode::enter}}, data))));
  const auto alert = typed(in_view(TopView::alerts), {{KeyCode::enter}}, data);
  all += titled("an alert", text_of(screen_of(data, alert)));
  const auto event = typed(in_view(TopView::events), {{KeyCode::enter}}, data);
  all += titled("an event", text_of(screen_of(data, event)));
  all += titled("help", text_of(screen_of(data, typed({}, {letter("?")}, data))));
  compare("top_80x24", all);
}

TEST(TopScreen, IsPaintedInWordsAndColours) {
  compare("top_painted", painted_text(screen_of(usual(), typed({}, {{KeyCode::down}}, usual()))));
}

TEST(TopScreen, UsesTheRoomOfALargeTerminal) {
  const auto data = usual();
  std::string all = titled("masternodes", text_of(screen_of(data, {}, {120, 40})));
  all += titled("chain", text_of(screen_of(data, in_view(TopView::chain), {120, 40})));
  compare("top_120x40", all);
}

TEST(TopScreen, StaysUsableWhereItIsSmall) {
  const auto data = usual();
  std::string all = titled("50x12", text_of(screen_of(data, {}, {50, 12})));
  all += titled("40x10", text_of(screen_of(data, {}, {40, 10})));
  all += titled("20x4", text_of(screen_of(data, {}, {20, 4})));
  compare("top_small", all);
}

TEST(TopScreen, FollowsTheSelectionThrough500Masternodes) {
  std::vector<control::MasternodeRow> rows;
  for (int i = 0; i < 500; ++i) {
    rows.push_back(i < 3 ? down(7, "away") : healthy(1, "mn-" + std::to_string(i)));
    rows.back().ip = IpAddress::v4(10, 0, static_cast<std::uint8_t>(i / 250),
                                   static_cast<std::uint8_t>(1 + i % 250));
  }
  auto data = network_of(std::move(rows));
  data.overview.masternodes_left_out = 1500;
  data.events = usual().events;
  std::string all = titled("the top", text_of(screen_of(data, {})));
  const auto last = typed({}, {{KeyCode::end}, {KeyCode::up}}, data);
  all += titled("near the end", text_of(screen_of(data, last)));
  compare("top_500", all);
}

TEST(TopScreen, SaysWhatIsMissing) {
  auto none = network_of({});
  none.history.reset();
  none.overview.clock.ahead_seconds.reset();
  none.overview.chain.best_height.reset();
  none.overview.chain.lag_blocks.reset();
  none.overview.chain.vouched_by.clear();
  none.overview.chain.ground = "no masternode is connected";
  none.overview.status.sync = {.height = 52'000,
                               .verdict = control::SyncVerdict::unknown,
                               .ground = "no masternode is connected"};
  std::string all = titled("no masternode, no height believed", text_of(screen_of(none, {})));
  all += titled("of the chain", text_of(screen_of(none, in_view(TopView::chain))));
  auto gone = usual();
  gone.outage = {kNow - 12s, "no node is running: nobody answers on /run/timectl/mainnet.sock",
                 kNow + 4s};
  all += titled("no answer", text_of(screen_of(gone, {})));
  gone.outage = {kNow - 5s, "the node is slow", {}};
  all += titled("slow, and held still", text_of(screen_of(gone, typed({}, {letter("p")}, gone))));
  const auto filtered = typed({}, {letter("/"), letter("z")}, usual());
  all += titled("a filter that nothing matches", text_of(screen_of(usual(), filtered)));
  compare("top_missing", all);
}

TEST(TopScreen, AgesStandStillWhileNobodyAnswers) {
  auto gone = usual();
  auto much_later = at_80_columns();
  much_later.set_now({much_later.now().mono + 5h, kNow + 5h});
  const auto row_of = [&](const TopData& data) {
    for (const auto& line : top_screen(data, {}, much_later, {}, Charset::utf8)) {
      if (line.text().find("hamburg") != std::string::npos) return line.text();
    }
    return std::string();
  };
  gone.overview.masternodes[1].connected_at = kNow - 3min;
  EXPECT_NE(row_of(gone).find("5 h"), std::string::npos) << row_of(gone);
  gone.outage = {kNow + 1s, "no node is running", {}};
  EXPECT_NE(row_of(gone).find("3 min"), std::string::npos) << row_of(gone);
}

TEST(TopScreen, AllOpenAlertsAreCountedAndNotTheRowsAlone) {
  auto data = usual();
  data.overview.alert_counts = {.critical = 1, .pending = 1, .silenced = 2, .hidden = 131};
  const auto text = text_of(screen_of(data, {}));
  EXPECT_NE(text.find("Alerts 1 critical, 1 pending, 2 silenced, 131 hidden"), std::string::npos)
      << text;
  data.overview.alert_counts = {};
  EXPECT_NE(text_of(screen_of(data, {})).find("Alerts none"), std::string::npos);
}

TEST(TopScreen, IsAsciiWhereTheLocaleIsNotUtf8) {
  auto data = usual();
  data.overview.masternodes[0].label = "Köln 漢字";
  std::string all;
  for (const auto view : {TopView::masternodes, TopView::chain}) {
    const auto lines = screen_of(data, in_view(view), {}, Charset::ascii);
    check(lines, {});
    all += titled(std::string(name_of(view)), text_of(lines));
  }
  for (const char c : all) ASSERT_LT(static_cast<unsigned char>(c), 0x80) << all;
  compare("top_ascii", all);
}

// What a peer or an operator chose can be anything.
const std::vector<std::string> kHostile{
    "\x1b[2J\x1b[31mred\x07",         "a\nb\rc\td",
    "\xff\xfe broken \xc3",           "漢字漢字漢字漢字漢字漢字漢字漢字",
    "e\u0301e\u0301e\u0301 combined", "\u202egnp.exe\u202c",
    "\u05d0\u05d1\u05d2 12 \u0639",   std::string(5000, 'W'),
    std::string(400, '\x1b'),         "%n%s{}{0}"};

TopData hostile(const std::string& text) {
  auto data = usual();
  auto& view = data.overview;
  for (auto& row : view.masternodes) row.label = row.next_attempt_reason = text;
  view.masternodes[0].next_attempt_at.reset();
  for (auto& row : view.alerts) {
    row.text = row.object = text;
    row.acked_by = row.silenced_by = row.silenced_because = text;
    row.deliveries = {{.sink = text, .error = text}};
  }
  view.status.summary = view.status.network = view.status.sync.ground = text;
  view.chain.ground = view.chain.activity_because = text;
  view.chain.best_height.reset();
  view.status.sync.verdict = control::SyncVerdict::unknown;
  for (auto& row : data.events) row.event.detail = text;
  data.outage = {kNow, text, kNow};
  return data;
}

TEST(TopScreen, KeepsItsLinesWhateverTheTextsAre) {
  for (const auto& text : kHostile) {
    const auto data = hostile(text);
    for (const auto view :
         {TopView::masternodes, TopView::alerts, TopView::events, TopView::chain}) {
      for (const bool detail : {false, true}) {
        auto state = in_view(view);
        state.detail = detail;
        state.filter = detail ? "" : text.substr(0, TopState::kLongestFilter);
        check(screen_of(data, state), {80, 24});
        check(screen_of(data, state, {200, 60}), {200, 60});
      }
    }
  }
}

TEST(TopScreen, HasExactlyTheSizeOfAnyTerminal) {
  const auto data = usual();
  for (std::size_t columns = 1; columns <= 170; columns += 3) {
    for (std::size_t rows = 1; rows <= 60; rows += columns % 2 == 0 ? 5 : 7) {
      for (const auto view :
           {TopView::masternodes, TopView::alerts, TopView::events, TopView::chain}) {
        auto state = in_view(view);
        check(screen_of(data, state, {columns, rows}), {columns, rows});
        state.detail = true;
        check(screen_of(data, state, {columns, rows}), {columns, rows});
        state.help = true;
        check(screen_of(data, state, {columns, rows}), {columns, rows});
      }
    }
  }
}

TEST(TopScreen, TellsARowThatIsGone) {
  auto data = usual();
  const auto state = typed({}, {{KeyCode::enter}}, data);
  EXPECT_NE(text_of(screen_of(data, state)).find("berlin  backoff"), std::string::npos);
  data.overview.masternodes.erase(data.overview.masternodes.begin());
  EXPECT_NE(text_of(screen_of(data, state)).find("This row is gone"), std::string::npos);
}

}  // namespace
}  // namespace timectl::cmd
