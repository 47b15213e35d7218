#pragma once
// Where things are: the configuration file, the state directory, the socket (cli.md, "Global
// flags"). Pure functions of what is passed in: the environment, the flags and a question about
// files. Called by the commands and the node, so that both look in the same places.

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "config/config.h"
#include "config/load.h"

namespace timectl::config {

using Path = std::filesystem::path;

// The file that is used alone: --config, TIMECTL_CONFIG, the user's, the system's. The first two
// are taken even where they do not exist (load() then says so), the others only if they do.
[[nodiscard]] std::optional<Path> find_file(const std::optional<std::string>& flag,
                                            const Environment& environment,
                                            const std::function<bool(const Path&)>& exists);
// The places of the above without a flag, in their order, for `config path`.
[[nodiscard]] std::vector<Path> file_places(const Environment& environment);

// Whether systemd runs this process: it names the directories in STATE_DIRECTORY.
[[nodiscard]] bool is_service(const Environment& environment);

// node.data_dir itself where it is set, else <state home>/timectl/<network>, else (as a service)
// /var/lib/timectl/<network>. Error config_invalid where there is neither HOME nor a setting.
[[nodiscard]] Result<Path> state_dir(const Config& config, const Environment& environment);
// Where a command without a node may look for a database: the above, then the service's.
[[nodiscard]] std::vector<Path> state_dirs(const Config& config, const Environment& environment);

// Where the node listens: --socket or TIMECTL_SOCKET; as a service /run/timectl/<network>.sock;
// node.sock in a data directory that was set; $XDG_RUNTIME_DIR/timectl/<network>.sock; node.sock
// in the state directory.
[[nodiscard]] Result<Path> socket_path(const std::optional<std::string>& flag, const Config& config,
                                       const Environment& environment);

struct SocketPlace {
  Path path;
  std::string from;  // flag, environment, data_dir, user, state or service; printed by -v
};
// Where a command looks for the node, in this order. A socket or a data directory that was given
// by flag or environment is the only place: another node must not answer for it.
[[nodiscard]] std::vector<SocketPlace> socket_places(const std::optional<std::string>& flag,
                                                     const Config& config,
                                                     const Environment& environment);

}  // namespace timectl::config
