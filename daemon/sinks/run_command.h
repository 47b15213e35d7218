#pragma once
// Runs a program to its end: no shell, a clean environment, a process group of its own, `input` on
// its stdin (a file in memory, so that a program that does not read it holds up nobody), nothing of
// ours open. After the time limit, or when stop is requested, the whole group is asked to end and
// then killed; what the program leaves behind is killed with it. Its output is bounded.

#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "daemon/sinks/send.h"

namespace timectl::sinks {

struct CommandRequest {
  std::vector<std::string> command = {};  // an absolute path, and arguments
  std::vector<std::pair<std::string, std::string>> environment = {};
  std::string input = {};
  Duration timeout = std::chrono::seconds(30);
};

inline constexpr Duration kTermGrace = std::chrono::seconds(1);

[[nodiscard]] SendReport run_command(const CommandRequest& request, const std::stop_token& stop);

}  // namespace timectl::sinks
