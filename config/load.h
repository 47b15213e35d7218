#pragma once
// Loading the configuration: the file, then the environment, then the flags, and the rules that
// hold between keys. check_text() is pure; load() reads the file. Used by the commands (config
// check, show) and by the node at start and at reload.

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "config/problem.h"
#include "daemon/core/result.h"

namespace timectl::config {

using Environment = std::map<std::string, std::string>;

// A flag of the command line that stands for a key: --network, --data-dir, --passive.
struct Override {
  std::string flag;  // as typed, for messages
  std::string section;
  std::string name;
  std::string value;
};

struct Request {
  std::optional<std::filesystem::path> file;  // as find_file() chose it; none: defaults
  Environment environment;  // TIMECTL_NETWORK, TIMECTL_DATA_DIR, TIMECTL_<SECTION>_<KEY>
  std::vector<Override> flags;
};

struct Checked {
  Config config;                  // meaningful where there are no problems
  std::vector<Problem> problems;  // all of them, in the order of the lines; at most 100
  bool is_toml = false;           // its values were read, each that has no problem of its own
};

[[nodiscard]] Checked check_text(std::string_view text, const std::string& file,
                                 const Request& request = {});

// A whitelist as TOML: `whitelisted_peers`, alone or in [network], in the form of the config file
// and with `expires_at` besides; a whole timectl.toml will do. Everything else in the text is left
// alone, and the rules between keys do not apply.
[[nodiscard]] Checked check_list(std::string_view text, const std::string& file);

// Reads and checks. Errors: not_found, input_output, config_insecure (anybody may write the
// file). A file that is wrong is no error here: its problems are in the value.
[[nodiscard]] Result<Checked> check_file(const Request& request);

// check_file(), and config_invalid with all problems rendered in `because` when there are any.
[[nodiscard]] Result<Config> load(const Request& request);

// The text of a configuration. Errors: those of check_file().
[[nodiscard]] Result<std::string> read_text(const std::string& file);
// config_invalid, with all problems rendered in `because`.
[[nodiscard]] Error error_of(const std::vector<Problem>& problems, const Request& request);

struct ShownValue {
  std::string section;
  std::string key;
  std::string value;   // as it would stand in the file
  std::string origin;  // default, file, environment or flag
  std::optional<std::size_t> line;
};
BOOST_DESCRIBE_STRUCT(ShownValue, (), (section, key, value, origin, line))

[[nodiscard]] std::vector<ShownValue> show(const Config& config);

// config/timectl.toml as it was at build time: every key with its default, commented.
[[nodiscard]] std::string_view default_toml();

}  // namespace timectl::config
