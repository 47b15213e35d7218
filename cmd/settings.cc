#include "cmd/settings.h"

#include <unistd.h>

#include <string_view>

namespace timectl::cmd {

config::Environment environment() {
  config::Environment variables;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const auto equals = text.find('=');
    if (equals == std::string_view::npos) continue;
    variables.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return variables;
}

config::Request config_request(const Globals& globals) {
  config::Request request;
  request.environment = environment();
  request.file = config::find_file(globals.config, request.environment, [](const auto& path) {
    std::error_code ignored;
    return std::filesystem::exists(path, ignored);
  });
  if (globals.network) {
    request.flags.push_back({"--network", "network", "name", *globals.network});
  }
  if (globals.data_dir) {
    request.flags.push_back({"--data-dir", "node", "data_dir", absolute_path(*globals.data_dir)});
  }
  return request;
}

Result<Settings> load_settings(const Globals& globals) {
  Settings settings;
  settings.request = config_request(globals);
  auto config = config::load(settings.request);
  if (!config) return config.error();
  settings.config = std::move(*config);
  const auto directory = config::state_dir(settings.config, settings.request.environment);
  if (!directory) return directory.error();
  const auto socket =
      config::socket_path(globals.socket, settings.config, settings.request.environment);
  if (!socket) return socket.error();
  settings.data_dir = absolute_path(directory->string());
  settings.socket_path = absolute_path(socket->string());
  return settings;
}

std::string absolute_path(const std::string& file) {
  std::error_code failed;
  const auto path = std::filesystem::absolute(file, failed);
  return failed ? file : path.lexically_normal().string();
}

}  // namespace timectl::cmd
