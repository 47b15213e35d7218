#pragma once
// The way to a running node past a configuration that cannot be loaded. The node goes on with what
// it read before, and whoever looks why it complains must reach it: from a broken file only the
// network and the data directory are taken, as far as they can be read. Called by the commands;
// whatever needs the whole configuration uses load().

#include <optional>
#include <string_view>

#include "config/load.h"

namespace timectl::config {

struct Reach {
  Config config = {};                // of a broken file: defaults but for the way to the node
  std::optional<Error> broken = {};  // why the file as a whole is not in `config`
  bool guessed = false;              // the network or the data directory could not be read
};

// Errors are those of load() that no running node explains: there is no such file, or a flag or a
// variable of this command is wrong.
[[nodiscard]] Result<Reach> load_to_reach(const Request& request);

// `key = "text"` of [section] in a text that does not parse, line by line. Pure.
struct Scanned {
  std::optional<std::string> value = {};
  bool unreadable = false;  // it seems to be there in a form that this does not read
};
[[nodiscard]] Scanned scan(std::string_view text, std::string_view section, std::string_view key);

}  // namespace timectl::config
