#pragma once
// The terminal of `timectl top`, by ncurses: takes the screen over, draws lines (what changed of
// them), and gives keys; whatever ends the process, a signal or a crash too, the terminal is as it
// was before. One at a time. The library is known to the .cc alone: its macros are everywhere.

#include <memory>
#include <optional>
#include <span>

#include "cmd/screen_line.h"
#include "cmd/top_screen.h"
#include "cmd/top_state.h"

namespace timectl::cmd {

class TopTerminal {
 public:
  // Errors: invalid_argument where stdin or stdout is no terminal, or one that ncurses cannot use.
  [[nodiscard]] static Result<void> check();
  [[nodiscard]] static Result<TopTerminal> open(bool color);
  TopTerminal(TopTerminal&&) noexcept;
  TopTerminal& operator=(TopTerminal&&) noexcept;
  ~TopTerminal();  // restores the terminal

  [[nodiscard]] ScreenSize size();  // now: follows the window
  [[nodiscard]] Charset charset() const;
  void draw(const Lines& lines);
  void redraw_all();  // with the next draw(): another program wrote here

  // Waits until a key, a signal, something to read on one of `others` (-1: none), or the time
  // is over.
  struct Woken {
    bool key = false;
    bool other = false;
    bool hung_up = false;  // the terminal is gone
    int signal = 0;        // that asks to end: SIGINT, SIGTERM or SIGHUP
  };
  [[nodiscard]] Woken wait(std::span<const int> others, Duration timeout);
  [[nodiscard]] std::optional<Key> next_key();  // none: all were taken

 private:
  struct Screen;
  explicit TopTerminal(std::unique_ptr<Screen> screen);
  std::unique_ptr<Screen> screen_;
};

// Of the locale, as the environment says it; also for text that goes elsewhere.
[[nodiscard]] Charset charset_of_locale();

}  // namespace timectl::cmd
