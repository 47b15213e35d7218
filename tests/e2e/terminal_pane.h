#pragma once
// A real terminal for the end-to-end tests: a program in a pseudo-terminal of tmux, which is asked
// what stands on the screen. Each pane has a server of its own, ended by the destructor; waits are
// for a state of the screen, with a deadline.

#include <sys/types.h>

#include <string>
#include <vector>

#include "tests/e2e/sandbox.h"

namespace timectl::e2e {

class TerminalPane {
 public:
  // `name`: distinct among the panes of a sandbox. A shell waits for what is typed.
  TerminalPane(const Sandbox& sandbox, const std::string& name, int columns, int rows);
  ~TerminalPane();
  TerminalPane(const TerminalPane&) = delete;
  TerminalPane& operator=(const TerminalPane&) = delete;

  void type(const std::string& text) const;  // as it is
  void press(const std::string& key) const;  // by tmux's name: "Enter", "Down", "C-z"
  // Types the command of the program at the shell's prompt, and Enter.
  void start(const std::vector<std::string>& argv) const;
  void resize(int columns, int rows) const;

  [[nodiscard]] std::string screen() const;
  [[nodiscard]] std::string painted_screen() const;         // with the escapes of its colours
  [[nodiscard]] bool shows(const std::string& text) const;  // within a few seconds
  [[nodiscard]] bool hides(const std::string& text) const;
  [[nodiscard]] bool on_alternate_screen() const;
  // The shell has its prompt again; the exit status of what ran.
  [[nodiscard]] int await_prompt();
  [[nodiscard]] std::string settings() const;  // `stty -g` of the terminal, now
  [[nodiscard]] pid_t program() const;         // that runs now, the innermost; 0: none

 private:
  [[nodiscard]] std::string tmux(std::vector<std::string> words) const;
  [[nodiscard]] std::string ask(const std::string& format) const;
  std::string directory_;
  std::string server_;
  int prompts_ = 0;  // that were waited for
};

}  // namespace timectl::e2e
