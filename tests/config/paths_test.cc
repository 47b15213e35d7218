#include "config/paths.h"

#include <gtest/gtest.h>

namespace timectl::config {
namespace {

const Environment kUser{{"HOME", "/home/ann"}, {"XDG_RUNTIME_DIR", "/run/user/7"}};
const Environment kService{{"STATE_DIRECTORY", "/var/lib/timectl"},
                           {"RUNTIME_DIRECTORY", "/run/timectl"}};

Config with_data_dir(const char* dir, Origin origin) {
  Config config;
  config.node.data_dir = dir;
  config.placed["node.data_dir"] = {origin, 0};
  return config;
}

std::vector<std::string> texts(const std::vector<SocketPlace>& places) {
  std::vector<std::string> out;
  out.reserve(places.size());
  for (const auto& place : places) out.push_back(place.from + " " + place.path.string());
  return out;
}

TEST(Paths, FirstConfigFileFoundIsUsedAlone) {
  const auto all = [](const Path&) { return true; };
  const auto none = [](const Path&) { return false; };
  const auto system_only = [](const Path& path) { return path == "/etc/timectl/timectl.toml"; };
  EXPECT_EQ(find_file("x.toml", kUser, none), Path("x.toml"));
  EXPECT_EQ(find_file(std::nullopt, {{"TIMECTL_CONFIG", "/y.toml"}}, none), Path("/y.toml"));
  EXPECT_EQ(find_file(std::nullopt, kUser, all), Path("/home/ann/.config/timectl/timectl.toml"));
  EXPECT_EQ(find_file(std::nullopt, {{"XDG_CONFIG_HOME", "/c"}, {"HOME", "/h"}}, all),
            Path("/c/timectl/timectl.toml"));
  EXPECT_EQ(find_file(std::nullopt, kUser, system_only), Path("/etc/timectl/timectl.toml"));
  EXPECT_EQ(find_file(std::nullopt, kUser, none), std::nullopt);
}

TEST(Paths, RelativeXdgVariablesAreIgnored) {
  EXPECT_EQ(file_places({{"XDG_CONFIG_HOME", "conf"}, {"HOME", "/h"}}).front(),
            Path("/h/.config/timectl/timectl.toml"));
  EXPECT_EQ(file_places({{"HOME", "."}}).front(), Path("/etc/timectl/timectl.toml"));
}

TEST(Paths, StateDirectoryIsPerNetworkUnlessGiven) {
  Config testnet;
  testnet.network.name = Network::testnet;
  EXPECT_EQ(*state_dir({}, kUser), Path("/home/ann/.local/state/timectl/mainnet"));
  EXPECT_EQ(*state_dir(testnet, {{"XDG_STATE_HOME", "/s"}}), Path("/s/timectl/testnet"));
  EXPECT_EQ(*state_dir(testnet, kService), Path("/var/lib/timectl/testnet"));
  EXPECT_EQ(*state_dir(with_data_dir("/d", Origin::flag), kService), Path("/d"));
  EXPECT_EQ(state_dir({}, {}).error().code, Code::config_invalid);
}

TEST(Paths, OfflineCommandsAlsoLookAtTheService) {
  EXPECT_EQ(state_dirs({}, kUser), (std::vector<Path>{"/home/ann/.local/state/timectl/mainnet",
                                                      "/var/lib/timectl/mainnet"}));
  EXPECT_EQ(state_dirs({}, kService), std::vector<Path>{"/var/lib/timectl/mainnet"});
  EXPECT_EQ(state_dirs(with_data_dir("/d", Origin::file), kUser), std::vector<Path>{"/d"});
}

TEST(Paths, NodeListensWhereTheCommandsLook) {
  EXPECT_EQ(*socket_path("/s.sock", {}, kUser), Path("/s.sock"));
  EXPECT_EQ(*socket_path(std::nullopt, {}, {{"TIMECTL_SOCKET", "/e.sock"}}), Path("/e.sock"));
  EXPECT_EQ(*socket_path(std::nullopt, {}, kUser), Path("/run/user/7/timectl/mainnet.sock"));
  EXPECT_EQ(*socket_path(std::nullopt, {}, kService), Path("/run/timectl/mainnet.sock"));
  EXPECT_EQ(*socket_path(std::nullopt, {}, {{"HOME", "/h"}}),
            Path("/h/.local/state/timectl/mainnet/node.sock"));
  for (const auto origin : {Origin::file, Origin::environment, Origin::flag}) {
    for (const auto& environment : {kUser, kService}) {
      const auto config = with_data_dir("/d", origin);
      const auto path = socket_path(std::nullopt, config, environment);
      ASSERT_TRUE(path);
      const auto places = socket_places(std::nullopt, config, environment);
      EXPECT_TRUE(std::any_of(places.begin(), places.end(), [&](const auto& place) {
        return place.path == *path;
      })) << *path;
    }
  }
}

TEST(Paths, CommandsTryTheUserThenTheService) {
  EXPECT_EQ(texts(socket_places(std::nullopt, {}, kUser)),
            (std::vector<std::string>{"user /run/user/7/timectl/mainnet.sock",
                                      "state /home/ann/.local/state/timectl/mainnet/node.sock",
                                      "service /run/timectl/mainnet.sock"}));
}

TEST(Paths, GivenPlaceIsTheOnlyOne) {
  EXPECT_EQ(texts(socket_places("/s.sock", {}, kUser)), std::vector<std::string>{"flag /s.sock"});
  EXPECT_EQ(texts(socket_places(std::nullopt, with_data_dir("/d", Origin::flag), kUser)),
            std::vector<std::string>{"data_dir /d/node.sock"});
  EXPECT_EQ(
      texts(socket_places(std::nullopt, with_data_dir("/d", Origin::file), kUser)),
      (std::vector<std::string>{"data_dir /d/node.sock", "service /run/timectl/mainnet.sock"}));
}

}  // namespace
}  // namespace timectl::config
