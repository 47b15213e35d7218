#include "config/paths.h"

#include "config/words.h"

namespace timectl::config {
namespace {

constexpr const char* kSystemFile = "/etc/timectl/timectl.toml";
constexpr const char* kServiceState = "/var/lib/timectl";
constexpr const char* kServiceRun = "/run/timectl";

std::string value_of_variable(const Environment& environment, const std::string& name) {
  const auto found = environment.find(name);
  return found == environment.end() ? "" : found->second;
}

// The XDG rules: a variable that is not an absolute path is as good as unset.
std::optional<Path> xdg(const Environment& environment, const std::string& variable,
                        const char* below_home) {
  const Path path = value_of_variable(environment, variable);
  if (path.is_absolute()) return path;
  const Path home = value_of_variable(environment, "HOME");
  if (below_home == nullptr || !home.is_absolute()) return std::nullopt;
  return home / below_home;
}

std::string network_of(const Config& config) {
  return spelling_of(config.network.name);
}

Path service_state(const Environment& environment, const Config& config) {
  // systemd separates several directories by colons; the unit names one.
  const std::string given = value_of_variable(environment, "STATE_DIRECTORY");
  return Path(given.empty() ? kServiceState : given.substr(0, given.find(':'))) /
         network_of(config);
}

Path service_socket(const Environment& environment, const Config& config) {
  const std::string given = value_of_variable(environment, "RUNTIME_DIRECTORY");
  return Path(given.empty() ? kServiceRun : given.substr(0, given.find(':'))) /
         (network_of(config) + ".sock");
}

std::optional<Path> user_socket(const Environment& environment, const Config& config) {
  const auto run = xdg(environment, "XDG_RUNTIME_DIR", nullptr);
  if (!run) return std::nullopt;
  return *run / "timectl" / (network_of(config) + ".sock");
}

Origin data_dir_origin(const Config& config) {
  const auto place = config.placed.find("node.data_dir");
  return place == config.placed.end() ? Origin::default_ : place->second.origin;
}

}  // namespace

std::vector<Path> file_places(const Environment& environment) {
  std::vector<Path> places;
  if (const auto user = xdg(environment, "XDG_CONFIG_HOME", ".config")) {
    places.push_back(*user / "timectl" / "timectl.toml");
  }
  places.emplace_back(kSystemFile);
  return places;
}

std::optional<Path> find_file(const std::optional<std::string>& flag,
                              const Environment& environment,
                              const std::function<bool(const Path&)>& exists) {
  if (flag) return Path(*flag);
  const std::string variable = value_of_variable(environment, "TIMECTL_CONFIG");
  if (!variable.empty()) return Path(variable);
  for (const auto& place : file_places(environment)) {
    if (exists(place)) return place;
  }
  return std::nullopt;
}

bool is_service(const Environment& environment) {
  return !value_of_variable(environment, "STATE_DIRECTORY").empty();
}

Result<Path> state_dir(const Config& config, const Environment& environment) {
  if (!config.node.data_dir.empty()) return Path(config.node.data_dir);
  if (is_service(environment)) return service_state(environment, config);
  const auto home = xdg(environment, "XDG_STATE_HOME", ".local/state");
  if (home) return *home / "timectl" / network_of(config);
  return Error{Code::config_invalid,
               "there is no place for the database",
               "neither --data-dir nor XDG_STATE_HOME nor HOME is set",
               {"timectl --data-dir DIRECTORY ..."}};
}

std::vector<Path> state_dirs(const Config& config, const Environment& environment) {
  std::vector<Path> dirs;
  if (auto own = state_dir(config, environment)) dirs.push_back(*own);
  if (config.node.data_dir.empty()) {
    const Path service = service_state(environment, config);
    if (dirs.empty() || dirs.front() != service) dirs.push_back(service);
  }
  return dirs;
}

Result<Path> socket_path(const std::optional<std::string>& flag, const Config& config,
                         const Environment& environment) {
  if (flag) return Path(*flag);
  const std::string variable = value_of_variable(environment, "TIMECTL_SOCKET");
  if (!variable.empty()) return Path(variable);
  const auto origin = data_dir_origin(config);
  const bool asked = origin == Origin::flag || origin == Origin::environment;
  if (is_service(environment) && !asked) return service_socket(environment, config);
  if (config.node.data_dir.empty()) {
    if (auto user = user_socket(environment, config)) return *user;
  }
  const auto state = state_dir(config, environment);
  if (!state) return state.error();
  return *state / "node.sock";
}

std::vector<SocketPlace> socket_places(const std::optional<std::string>& flag, const Config& config,
                                       const Environment& environment) {
  if (flag) return {{Path(*flag), "flag"}};
  const std::string variable = value_of_variable(environment, "TIMECTL_SOCKET");
  if (!variable.empty()) return {{Path(variable), "environment"}};
  std::vector<SocketPlace> places;
  const auto state = state_dir(config, environment);
  if (!config.node.data_dir.empty()) {
    places.push_back({*state / "node.sock", "data_dir"});
    if (data_dir_origin(config) != Origin::file) return places;
  } else {
    if (const auto user = user_socket(environment, config)) places.push_back({*user, "user"});
    if (state && !is_service(environment)) places.push_back({*state / "node.sock", "state"});
  }
  places.push_back({service_socket(environment, config), "service"});
  return places;
}

}  // namespace timectl::config
