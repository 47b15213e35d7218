#include "cmd/top_terminal.h"

#define NCURSES_WIDECHAR 1
#define NCURSES_NOMACROS 1
#include <curses.h>
#include <langinfo.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <term.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <clocale>
#include <csignal>
#include <cstdlib>
#include <cwchar>
#include <cwctype>
#include <string>

// Names of capabilities, as macros over everything that follows.
#undef back_tab
#undef columns
#undef lines
#undef tab

namespace timectl::cmd {
namespace {

constexpr int kEscapeWait = 50;  // ms, for the rest of a key's sequence on a slow line
constexpr auto kEnding = std::to_array({SIGINT, SIGTERM, SIGHUP});
constexpr auto kTaken = std::to_array({SIGINT, SIGTERM, SIGHUP, SIGWINCH, SIGTSTP});
constexpr auto kCrashes = std::to_array({SIGSEGV, SIGABRT, SIGBUS, SIGFPE, SIGILL});

volatile std::sig_atomic_t ending = 0;

extern "C" void note_ending(int number) {
  ending = number;
}
extern "C" void note_resize(int) {}  // poll() returns, and size() looks

// For a crash: what leaves the screen, made before, because nothing may be computed then.
struct Rescue {
  termios before = {};
  std::array<char, 256> text = {};
  std::size_t length = 0;
};
Rescue rescue;

extern "C" void leave_crashed(int number) {
  (void)!::write(STDOUT_FILENO, rescue.text.data(), rescue.length);
  (void)::tcsetattr(STDIN_FILENO, TCSANOW, &rescue.before);
  std::signal(number, SIG_DFL);
  (void)::raise(number);
}

void on_signal(int number, void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  sigemptyset(&action.sa_mask);
  (void)::sigaction(number, &action, nullptr);
}

void prepare_rescue() {
  (void)::tcgetattr(STDIN_FILENO, &rescue.before);
  rescue.length = 0;
  for (const char* name : {"sgr0", "cnorm", "rmkx", "rmcup"}) {
    const char* text = ::tigetstr(name);
    if (text == nullptr || text == reinterpret_cast<const char*>(-1)) continue;  // as it says
    const std::string_view sequence = text;
    if (rescue.length + sequence.size() > rescue.text.size()) continue;
    std::ranges::copy(sequence, rescue.text.begin() + static_cast<std::ptrdiff_t>(rescue.length));
    rescue.length += sequence.size();
  }
}

// Signals are let in only while wait() waits: no drawing, no call of the library is interrupted.
sigset_t held_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : kTaken) sigaddset(&set, number);
  return set;
}

Error no_terminal(const std::string& because) {
  return {Code::invalid_argument,
          "timectl top needs a terminal",
          because,
          {"timectl status", "timectl top --once", "timectl top --json"}};
}

Result<void> check_terminal() {
  if (::isatty(STDIN_FILENO) == 0) return no_terminal("its input is none");
  if (::isatty(STDOUT_FILENO) == 0) return no_terminal("its output goes into a file or a pipe");
  const char* name = std::getenv("TERM");
  if (name == nullptr || *name == '\0') return no_terminal("TERM is not set");
  const std::string shown = "TERM is '" + printable(name, 64) + "', ";
  int found = 0;
  if (::setupterm(nullptr, STDOUT_FILENO, &found) != OK) {
    return no_terminal(shown + (found == 0 ? "which this system does not know (terminfo)"
                                           : "and this system has no terminfo database"));
  }
  const char* place = ::tigetstr("cup");
  if (place == nullptr || place == reinterpret_cast<const char*>(-1)) {
    return no_terminal(shown + "which cannot place its cursor");
  }
  return {};
}

constexpr short kGood = 1;
constexpr short kWarn = 2;
constexpr short kBad = 3;

attr_t attributes_of(const Span& span, bool color) {
  attr_t attributes = span.inverse ? A_REVERSE : A_NORMAL;
  const auto pair = [&](short number) { return color ? COLOR_PAIR(number) : A_NORMAL; };
  switch (span.paint) {
    case Paint::plain:
      break;
    case Paint::bold:
      attributes |= A_BOLD;
      break;
    case Paint::dim:
      attributes |= A_DIM;
      break;
    case Paint::good:
      attributes |= pair(kGood);
      break;
    case Paint::warn:
      attributes |= pair(kWarn);
      break;
    case Paint::bad:
      attributes |= pair(kBad) | A_BOLD;
      break;
  }
  return attributes;
}

// The library's own characters; what it would not print, or the locale cannot, is a question mark.
std::wstring wide(std::string_view text) {
  std::wstring out;
  std::mbstate_t state{};
  while (!text.empty()) {
    wchar_t character = 0;
    const auto length = std::mbrtowc(&character, text.data(), text.size(), &state);
    if (length == 0 || length > text.size()) {
      out += L'?';
      text.remove_prefix(1);
      state = {};
      continue;
    }
    out += ::wcwidth(character) >= 0 && std::iswprint(static_cast<wint_t>(character)) != 0
               ? character
               : L'?';
    text.remove_prefix(length);
  }
  return out;
}

struct NamedKey {
  wint_t number;
  KeyCode code;
};
constexpr auto kFunctionKeys = std::to_array<NamedKey>({{KEY_UP, KeyCode::up},
                                                        {KEY_DOWN, KeyCode::down},
                                                        {KEY_PPAGE, KeyCode::page_up},
                                                        {KEY_NPAGE, KeyCode::page_down},
                                                        {KEY_HOME, KeyCode::home},
                                                        {KEY_END, KeyCode::end},
                                                        {KEY_ENTER, KeyCode::enter},
                                                        {KEY_BACKSPACE, KeyCode::backspace},
                                                        {KEY_BTAB, KeyCode::back_tab}});
constexpr auto kControlKeys = std::to_array<NamedKey>({{'\r', KeyCode::enter},
                                                       {'\n', KeyCode::enter},
                                                       {0x1b, KeyCode::escape},
                                                       {0x7f, KeyCode::backspace},
                                                       {0x08, KeyCode::backspace},
                                                       {'\t', KeyCode::tab}});

std::string narrow(wint_t character) {
  std::array<char, MB_LEN_MAX> bytes{};
  std::mbstate_t state{};
  const auto length = std::wcrtomb(bytes.data(), static_cast<wchar_t>(character), &state);
  return length <= bytes.size() ? std::string(bytes.data(), length) : std::string();
}

}  // namespace

struct TopTerminal::Screen {
  SCREEN* screen = nullptr;
  bool color = false;
  sigset_t before = {};
  std::array<struct sigaction, kTaken.size()> handlers = {};
};

TopTerminal::TopTerminal(std::unique_ptr<Screen> screen) : screen_(std::move(screen)) {}
TopTerminal::TopTerminal(TopTerminal&&) noexcept = default;
TopTerminal& TopTerminal::operator=(TopTerminal&&) noexcept = default;

Result<void> TopTerminal::check() {
  return check_terminal();
}

Result<TopTerminal> TopTerminal::open(bool color) {
  if (auto ok = check(); !ok) return ok.error();
  (void)charset_of_locale();
  auto screen = std::make_unique<Screen>();
  prepare_rescue();
  ending = 0;
  const auto held = held_signals();
  (void)::sigprocmask(SIG_BLOCK, &held, &screen->before);
  for (std::size_t i = 0; i < kTaken.size(); ++i) {
    (void)::sigaction(kTaken[i], nullptr, &screen->handlers[i]);
  }
  screen->screen = ::newterm(nullptr, stdout, stdin);
  if (screen->screen == nullptr) {
    (void)::sigprocmask(SIG_SETMASK, &screen->before, nullptr);
    return no_terminal("ncurses cannot use it");
  }
  // After newterm(), which takes some of them for itself. Ctrl-Z stays the library's.
  for (const int number : kEnding) on_signal(number, note_ending);
  on_signal(SIGWINCH, note_resize);
  for (const int number : kCrashes) on_signal(number, leave_crashed);
  (void)::cbreak();
  (void)::noecho();
  (void)::nonl();
  (void)::intrflush(stdscr, FALSE);
  (void)::keypad(stdscr, TRUE);
  (void)::nodelay(stdscr, TRUE);
  (void)::set_escdelay(kEscapeWait);
  (void)::curs_set(0);
  if (color && ::has_colors() && ::start_color() == OK) {
    const short ground = ::use_default_colors() == OK ? -1 : COLOR_BLACK;
    (void)::init_pair(kGood, COLOR_GREEN, ground);
    (void)::init_pair(kWarn, COLOR_YELLOW, ground);
    (void)::init_pair(kBad, COLOR_RED, ground);
    screen->color = true;
  }
  return TopTerminal(std::move(screen));
}

TopTerminal::~TopTerminal() {
  if (!screen_) return;
  (void)::endwin();
  ::delscreen(screen_->screen);
  for (const int number : kCrashes) std::signal(number, SIG_DFL);
  for (std::size_t i = 0; i < kTaken.size(); ++i) {
    (void)::sigaction(kTaken[i], &screen_->handlers[i], nullptr);
  }
  (void)::sigprocmask(SIG_SETMASK, &screen_->before, nullptr);
}

ScreenSize TopTerminal::size() {
  winsize window{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) == 0 && window.ws_row > 0 && window.ws_col > 0) {
    const int rows = std::min<int>(window.ws_row, static_cast<int>(kLargestScreen.rows));
    const int columns = std::min<int>(window.ws_col, static_cast<int>(kLargestScreen.columns));
    if (::is_term_resized(rows, columns)) (void)::resizeterm(rows, columns);
  }
  return {static_cast<std::size_t>(std::max(::getmaxx(stdscr), 1)),
          static_cast<std::size_t>(std::max(::getmaxy(stdscr), 1))};
}

Charset TopTerminal::charset() const {
  return charset_of_locale();
}

void TopTerminal::draw(const Lines& lines) {
  (void)::erase();  // of the library's picture; the terminal gets what differs
  for (std::size_t row = 0; row < lines.size(); ++row) {
    // Each span by its own column: should the terminal disagree about the width of a character, no
    // more than that span is out of place.
    std::size_t column = 0;
    for (const auto& span : lines[row].spans()) {
      (void)::attrset(static_cast<int>(attributes_of(span, screen_->color)));
      (void)::mvaddwstr(static_cast<int>(row), static_cast<int>(column), wide(span.text).c_str());
      column += display_width(span.text);
    }
  }
  (void)::refresh();
}

void TopTerminal::redraw_all() {
  (void)::clearok(stdscr, TRUE);
}

TopTerminal::Woken TopTerminal::wait(std::span<const int> others, Duration timeout) {
  Woken woken;
  std::vector<pollfd> entries{{STDIN_FILENO, POLLIN, 0}};
  for (const int other : others) entries.push_back({other, POLLIN, 0});
  const auto left = std::max(timeout, Duration::zero());
  const auto whole = std::chrono::duration_cast<std::chrono::seconds>(left);
  const timespec span{static_cast<time_t>(whole.count()),
                      static_cast<long>(std::chrono::nanoseconds(left - whole).count())};
  // ppoll() lets no signal in where something is to be read at once, as in a flood of events.
  const auto held = held_signals();
  (void)::sigprocmask(SIG_SETMASK, &screen_->before, nullptr);
  (void)::sigprocmask(SIG_BLOCK, &held, nullptr);
  const int ready = ::ppoll(entries.data(), entries.size(), &span, &screen_->before);
  woken.signal = ending;
  if (ready <= 0) return woken;
  woken.key = (entries[0].revents & POLLIN) != 0;
  woken.hung_up = (entries[0].revents & (POLLHUP | POLLERR | POLLNVAL)) != 0;
  woken.other = std::any_of(entries.begin() + 1, entries.end(),
                            [](const pollfd& entry) { return entry.revents != 0; });
  return woken;
}

std::optional<Key> TopTerminal::next_key() {
  for (;;) {
    wint_t character = 0;
    const int kind = ::get_wch(&character);
    if (kind == ERR) return {};
    const auto named = [&](const auto& keys) -> std::optional<Key> {
      const auto* const found = std::ranges::find(keys, character, &NamedKey::number);
      if (found == keys.end()) return {};
      return Key{found->code, {}};
    };
    if (kind == KEY_CODE_YES) {
      if (auto key = named(kFunctionKeys)) return key;
      continue;  // a resize, a mouse, a key without a meaning here
    }
    if (auto key = named(kControlKeys)) return key;
    if (auto text = narrow(character); !text.empty()) return Key{KeyCode::text, std::move(text)};
  }
}

Charset charset_of_locale() {
  static const bool kUtf8 = [] {
    (void)std::setlocale(LC_CTYPE, "");
    return std::string_view(::nl_langinfo(CODESET)) == "UTF-8";
  }();
  return kUtf8 ? Charset::utf8 : Charset::ascii;
}

}  // namespace timectl::cmd
