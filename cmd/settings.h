#pragma once
// The configuration as this command line sees it: global flags, environment and file brought
// together by config/. Used by the commands that start a node, restore a database or show the
// configuration; what goes through the node uses client.h.

#include <string>

#include "cmd/context.h"
#include "config/load.h"
#include "config/paths.h"

namespace timectl::cmd {

// The variables of this process, all of them: config/ picks what it knows.
[[nodiscard]] config::Environment environment();
// What load() needs; `--network` and `--data-dir` as the flags that beat everything.
[[nodiscard]] config::Request config_request(const Globals& globals);

struct Settings {
  config::Config config;
  config::Request request;
  std::string data_dir;
  std::string socket_path;  // where a node started by this command line listens
};
[[nodiscard]] Result<Settings> load_settings(const Globals& globals);

// FILE as the node or a later process sees it: absolute, against the current directory.
[[nodiscard]] std::string absolute_path(const std::string& file);

}  // namespace timectl::cmd
