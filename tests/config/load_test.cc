#include "config/load.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace timectl::config {
namespace {

class LoadTest : public testing::Test {
 protected:
  LoadTest() {
    std::string name = testing::TempDir() + "timectl-load-XXXXXX";
    TIMECTL_CHECK(::mkdtemp(name.data()) != nullptr);
    directory_ = name;
  }
  ~LoadTest() override { std::filesystem::remove_all(directory_); }

  std::filesystem::path write(const std::string& text, mode_t mode = 0644) {
    const auto path = directory_ / "timectl.toml";
    std::ofstream(path) << text;
    ::chmod(path.c_str(), mode);
    return path;
  }

  std::filesystem::path directory_;
};

const ShownValue& row(const std::vector<ShownValue>& rows, const std::string& key) {
  for (const auto& r : rows) {
    if (r.section + "." + r.key == key) return r;
  }
  throw std::out_of_range(key);
}

TEST_F(LoadTest, FlagBeatsEnvironmentBeatsFile) {
  Request request{write("[network]\nname = \"testnet\"\nport = 1\nmax_per_ip = 2\n"),
                  {{"TIMECTL_NETWORK_PORT", "2"}, {"TIMECTL_NETWORK_MAX_PER_SUBNET", "5"}},
                  {{"--network", "network", "name", "mainnet"}}};
  const auto config = load(request);
  ASSERT_TRUE(config) << config.error().because;
  EXPECT_EQ(config->network.name, Network::mainnet);
  EXPECT_EQ(config->network.port, 2);
  EXPECT_EQ(config->policy.slots.max_per_ip, 2U);

  const auto rows = show(*config);
  EXPECT_EQ(row(rows, "network.name").origin, "flag");
  EXPECT_EQ(row(rows, "network.name").value, "\"mainnet\"");
  EXPECT_EQ(row(rows, "network.port").origin, "environment");
  EXPECT_EQ(row(rows, "network.max_per_ip").origin, "file");
  EXPECT_EQ(row(rows, "network.max_per_ip").line, std::optional<std::size_t>(4));
  EXPECT_EQ(row(rows, "network.max_connections").origin, "default");
  EXPECT_EQ(row(rows, "network.max_connections").line, std::nullopt);
}

TEST_F(LoadTest, EnvironmentHasShortNamesForNetworkAndDataDir) {
  const auto config =
      load({std::nullopt, {{"TIMECTL_NETWORK", "testnet"}, {"TIMECTL_DATA_DIR", "/tmp/7"}}, {}});
  ASSERT_TRUE(config);
  EXPECT_EQ(config->p2p_port(), 24'100);
  EXPECT_EQ(config->node.data_dir, "/tmp/7");
}

TEST_F(LoadTest, ADirectoryMayBeCalledOne) {
  const auto config = load({std::nullopt, {{"TIMECTL_DATA_DIR", "1"}}, {}});
  ASSERT_TRUE(config);
  EXPECT_EQ(config->node.data_dir, "1");
}

TEST_F(LoadTest, WrongVariablesAreProblemsAndStrangeOnesAreNot) {
  const auto config = load({std::nullopt,
                            {{"TIMECTL_NETWORK_PROT", "1"},
                             {"TIMECTL_NETWORK_PORT", "many"},
                             {"TIMECTL_LONG", "1"},
                             {"TIMECTL_CONFIG", "/x"}},
                            {}});
  ASSERT_FALSE(config);
  EXPECT_EQ(config.error().code, Code::config_invalid);
  EXPECT_EQ(config.error().message, "the environment has 2 problems");
  EXPECT_EQ(config.error().because,
            "environment: TIMECTL_NETWORK_PORT: network.port must be an integer, this is a text\n"
            "environment: there is no key for TIMECTL_NETWORK_PROT\n"
            "      did you mean TIMECTL_NETWORK_PORT?");
  EXPECT_EQ(config.error().remedy, std::vector<std::string>{"timectl config check"});
}

TEST_F(LoadTest, AGoodFileIsNotBlamedForAVariable) {
  const auto config = load({write("[network]\n"), {{"TIMECTL_NETWORK_PORT", "many"}}, {}});
  ASSERT_FALSE(config);
  EXPECT_EQ(config.error().message, "the environment has a problem");
}

TEST_F(LoadTest, ListsOfTheEnvironmentAreSeparatedByCommas) {
  const auto config = load({std::nullopt, {{"TIMECTL_NODE_OPERATORS", "ann,bob"}}, {}});
  ASSERT_TRUE(config);
  EXPECT_EQ(config->node.operators, (std::vector<std::string>{"ann", "bob"}));
}

TEST_F(LoadTest, ListsOfPeersStandInTheFileOnly) {
  EXPECT_FALSE(load({std::nullopt, {{"TIMECTL_NETWORK_WHITELISTED_PEERS", "1.2.3.4"}}, {}}));
}

TEST_F(LoadTest, WorldWritableFileIsRefusedWithTheRemedy) {
  const auto path = write("", 0646);
  const auto config = load({path, {}, {}});
  ASSERT_FALSE(config);
  EXPECT_EQ(config.error().code, Code::config_insecure);
  EXPECT_EQ(config.error().remedy, std::vector<std::string>{"chmod o-w " + path.string()});
}

TEST_F(LoadTest, MissingFileIsNotFound) {
  const auto config = load({directory_ / "none.toml", {}, {}});
  ASSERT_FALSE(config);
  EXPECT_EQ(config.error().code, Code::not_found);
}

TEST_F(LoadTest, DirectoryAndEmptyPipeDoNotHang) {
  EXPECT_EQ(load({directory_, {}, {}}).error().code, Code::input_output);
  const auto pipe = directory_ / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_TRUE(load({pipe, {}, {}}));
}

TEST_F(LoadTest, OversizedFileIsOneProblem) {
  const auto config = load({write(std::string(3'000'000, '#')), {}, {}});
  ASSERT_FALSE(config);
  EXPECT_NE(config.error().because.find("larger than 1048576 bytes"), std::string::npos);
}

TEST_F(LoadTest, ProblemsOfAFileNameItAndTheCommandToTry) {
  const auto path = write("[network]\nprot = 1\n");
  const auto config = load({path, {}, {}});
  ASSERT_FALSE(config);
  EXPECT_EQ(config.error().message, path.string() + " has a problem");
  EXPECT_NE(config.error().because.find(path.string() + ":2:1: "), std::string::npos);
  EXPECT_EQ(config.error().remedy.front(), "timectl config check " + path.string());
}

}  // namespace
}  // namespace timectl::config
