#include "tests/e2e/terminal_pane.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

namespace timectl::e2e {
namespace {

using namespace std::chrono_literals;
constexpr milliseconds kDeadline = 20s;

std::string quoted(const std::string& word) {
  std::string out = "'";
  for (const char c : word) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

}  // namespace

TerminalPane::TerminalPane(const Sandbox& sandbox, const std::string& name, int columns, int rows)
    : directory_(sandbox.path() + "/" + name), server_(directory_ + ".tmux") {
  // The prompt tells its number and the status of the command before it.
  std::ofstream(directory_ + ".bashrc") << "n=0; PROMPT_COMMAND='s=$?; n=$((n+1)); "
                                           "PS1=\"ready-$n-status-$s> \"'\n";
  std::ofstream(directory_ + ".conf") << "set -g status off\nset -sg escape-time 0\n";
  // What ncurses knows of a terminal it keeps until the process ends; of ours a leak still counts.
  std::ofstream(directory_ + ".supp") << "leak:_nc_\nleak:copy_termtype\nleak:newterm\n";
  const auto leaks = "LSAN_OPTIONS=print_suppressions=0:suppressions=" + directory_ + ".supp";
  (void)tmux({"-f", directory_ + ".conf", "-u", "new-session", "-d", "-x", std::to_string(columns),
              "-y", std::to_string(rows), "env", "LC_ALL=C.UTF-8", "HISTFILE=", leaks, "bash",
              "--rcfile", directory_ + ".bashrc", "--noprofile", "-i"});
  EXPECT_EQ(await_prompt(), 0);
}

TerminalPane::~TerminalPane() {
  (void)tmux({"kill-server"});
}

std::string TerminalPane::tmux(std::vector<std::string> words) const {
  words.insert(words.begin(), {"tmux", "-S", server_});
  return run(words).out;
}

std::string TerminalPane::ask(const std::string& format) const {
  auto answer = tmux({"display-message", "-p", format});
  while (answer.ends_with('\n')) answer.pop_back();
  return answer;
}

void TerminalPane::type(const std::string& text) const {
  (void)tmux({"send-keys", "-l", text});
}

void TerminalPane::press(const std::string& key) const {
  (void)tmux({"send-keys", key});
}

void TerminalPane::start(const std::vector<std::string>& argv) const {
  std::string line;
  for (const auto& word : argv) line += quoted(word) + " ";
  type("clear; " + line);
  press("Enter");
}

void TerminalPane::resize(int columns, int rows) const {
  (void)tmux({"resize-window", "-x", std::to_string(columns), "-y", std::to_string(rows)});
}

std::string TerminalPane::screen() const {
  return tmux({"capture-pane", "-p"});
}

std::string TerminalPane::painted_screen() const {
  return tmux({"capture-pane", "-p", "-e"});
}

bool TerminalPane::shows(const std::string& text) const {
  return wait_for([&] { return screen().find(text) != std::string::npos; }, kDeadline);
}

bool TerminalPane::hides(const std::string& text) const {
  return wait_for([&] { return screen().find(text) == std::string::npos; }, kDeadline);
}

bool TerminalPane::on_alternate_screen() const {
  return ask("#{alternate_on}") == "1";
}

int TerminalPane::await_prompt() {
  const std::string prompt = "ready-" + std::to_string(++prompts_) + "-status-";
  EXPECT_TRUE(shows(prompt)) << screen();
  const auto text = screen();
  const auto at = text.find(prompt);
  return at == std::string::npos ? -1 : std::atoi(text.c_str() + at + prompt.size());
}

std::string TerminalPane::settings() const {
  return run({"stty", "-g", "-F", ask("#{pane_tty}")}).out;
}

pid_t TerminalPane::program() const {
  pid_t last = 0;
  std::string pid = ask("#{pane_pid}");
  while (!pid.empty()) {
    std::ifstream children("/proc/" + pid + "/task/" + pid + "/children");
    pid.clear();
    if (children >> pid) last = std::stoi(pid);
  }
  return last;
}

}  // namespace timectl::e2e
