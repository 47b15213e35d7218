// `timectl top`: brings the node's answers, the user's keys and the terminal together, in one loop
// that waits for whichever comes first.

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <memory>

#include "cmd/ask.h"
#include "cmd/commands.h"
#include "cmd/top_feed.h"
#include "cmd/top_screen.h"
#include "cmd/top_state.h"
#include "cmd/top_terminal.h"
#include "cmd/tree.h"
#include "daemon/clock.h"

namespace timectl::cmd {
namespace {

constexpr Duration kDefaultInterval = std::chrono::seconds(1);
constexpr Duration kShortest = std::chrono::milliseconds(500);
constexpr Duration kLongest = std::chrono::seconds(30);  // the node cuts a client idle for 60
constexpr Duration kTick = std::chrono::seconds(1);      // ages are told in seconds
// Between two pictures where nobody typed: a flood of events is not drawn one by one.
constexpr Duration kBetween = std::chrono::milliseconds(100);

struct TopOptions {
  Duration interval = kDefaultInterval;
  bool once = false;
};

Result<void> parse_interval(const std::string& text, Duration& out) {
  double number = 0;
  const auto* const end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, number);
  const double least = seconds(kShortest);
  const double most = seconds(kLongest);
  if (parsed.ec == std::errc() && parsed.ptr == end && number >= least && number <= most) {
    out = Duration(static_cast<Duration::rep>(number * 1e6));
    return {};
  }
  return Error{Code::invalid_argument,
               "'" + text + "' is no interval",
               fmt::format("it is {} to {} seconds", least, most),
               {"timectl top --interval 2"}};
}

// The picture that is seen: the node's, or what was held still.
struct Picture {
  TopData held = {};
  Now held_at = {};
  bool holding = false;

  void hold(const TopData& data, Now now, bool paused) {
    if (paused && !holding) held = data, held_at = now;
    holding = paused;
  }
};

int exit_of_signal(int number) {
  return 128 + number;
}

class TopLoop {
 public:
  TopLoop(Output& out, TopFeed& feed, TopTerminal& terminal)
      : out_(out), feed_(feed), terminal_(terminal) {}

  int run() {
    while (true) {
      draw(clock_now());
      const auto woken = wait();
      if (woken.signal != 0) return exit_of_signal(woken.signal);
      if (woken.hung_up) return exit_of_signal(SIGHUP);
      const auto now = clock_now();
      if (woken.other) feed_.on_readable(now);
      feed_.on_time(now);
      if (woken.key) take_keys(now);
      if (state_.quit) return 0;
    }
  }

 private:
  [[nodiscard]] const TopData& shown() const {
    return picture_.holding ? picture_.held : feed_.data();
  }

  void draw(Now now) {
    picture_.hold(feed_.data(), now, state_.paused);
    out_.set_now(picture_.holding ? picture_.held_at : now);
    if (state_.redraw) terminal_.redraw_all();
    state_.redraw = false;
    size_ = terminal_.size();
    terminal_.draw(top_screen(shown(), state_, out_, size_, terminal_.charset()));
    drawn_ = now.mono;
  }

  // Until there is something to draw; what the node says in quick succession is drawn together.
  TopTerminal::Woken wait() {
    while (true) {
      const auto now = clock_now();
      const auto until = std::min(feed_.next(), drawn_ + kTick);
      auto woken = terminal_.wait(feed_.descriptors(), until - now.mono);
      const auto later = clock_now();
      if (!woken.other || woken.key || woken.signal != 0) return woken;
      if (later.mono >= drawn_ + kBetween) return woken;
      feed_.on_readable(later);
      woken = terminal_.wait({}, drawn_ + kBetween - later.mono);
      return woken;
    }
  }

  void take_keys(Now now) {
    while (const auto key = terminal_.next_key()) {
      state_ = step(std::move(state_), *key, shown(), page_of(size_));
      picture_.hold(feed_.data(), now, state_.paused);
      if (state_.quit) return;
    }
  }

  Output& out_;
  TopFeed& feed_;
  TopTerminal& terminal_;
  TopState state_;
  Picture picture_;
  ScreenSize size_;
  Instant drawn_ = {};
};

std::size_t number_of(const char* variable, std::size_t otherwise, std::size_t most) {
  const char* text = std::getenv(variable);
  if (text == nullptr) return otherwise;
  const std::string_view digits = text;
  std::size_t number = 0;
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return parsed.ec == std::errc() && number > 0 ? std::min(number, most) : otherwise;
}

// One picture as text, of the size that the shell says.
Result<int> print_once(Context& context, const Route& route) {
  const auto feed = TopFeed::once(route, context.now);
  if (!feed) return feed.error();
  const ScreenSize size{number_of("COLUMNS", 80, kLargestScreen.columns),
                        number_of("LINES", 24, kLargestScreen.rows)};
  context.out.set_now(clock_now());
  const auto lines = top_screen(*feed, TopState(), context.out, size, charset_of_locale());
  for (const auto& line : lines) context.out.text(line.text() + "\n");
  return 0;
}

Result<int> print_json(Context& context) {
  const auto answer = ask(context, "overview", control::OverviewRequest{});
  if (!answer) return answer.error();
  context.out.document("timectl.top/1", answer->data, answer->source, answer->warnings);
  return 0;
}

Result<int> top(Context& context, const TopOptions& options) {
  if (context.out.json()) return print_json(context);
  const auto route = route_of(context);
  if (!route) return route.error();
  if (options.once) return print_once(context, *route);
  if (auto ok = TopTerminal::check(); !ok) return ok.error();
  // Before the terminal is taken over: without a node there is nothing to look at.
  auto feed = TopFeed::open(*route, options.interval, clock_now());
  if (!feed) return feed.error();
  auto terminal = TopTerminal::open(wants_color(STDOUT_FILENO) && !context.globals.no_color);
  if (!terminal) return terminal.error();
  return TopLoop(context.out, *feed, *terminal).run();
}

}  // namespace

void add_top(CLI::App& root, Context& context) {
  auto& command =
      add_command(root, "top", "the node on one screen, live: masternodes, alerts, events",
                  {{"top", "in the terminal; ? explains keys and columns, q quits"},
                   {"top --interval 5", "asks the node every 5 s, for a slow line"},
                   {"top --once", "one screen as plain text, for a pipe or a report"}});
  auto options = std::make_shared<TopOptions>();
  add_setter(
      command, "--interval", "SECONDS", "how often the node is asked, 0.5 to 30 (1)",
      [options](const std::string& text) { return parse_interval(text, options->interval); });
  add_flag(command, "--once", options->once, "print one screen and end");
  on_run(command, context, [&context, options] { return top(context, *options); });
}

}  // namespace timectl::cmd
