#pragma once
// What every command is given: the global flags as typed, the output, and the clock as it stood
// when the process started. Made by cli.cc, one per process.

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "cmd/output.h"
#include "daemon/core/result.h"
#include "daemon/core/time.h"

namespace timectl::cmd {

struct Globals {
  bool json = false;
  bool quiet = false;
  bool verbose = false;
  bool no_color = false;
  bool utc = false;
  bool yes = false;
  std::optional<std::string> config = {};
  std::optional<std::string> network = {};
  std::optional<std::string> socket = {};
  std::optional<std::string> data_dir = {};
  std::optional<Duration> timeout = {};  // none: what suits the command, 5 s for most
};

struct Context {
  Globals globals = {};
  Output out = {};
  Now now = {};
  std::string command = {};                  // "timectl whitelist add", for messages and locks
  std::function<Result<int>()> action = {};  // chosen by the parse
};

}  // namespace timectl::cmd
