// What of a broken file still leads to the node, and where that would be a guess.
#include "config/reach.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace timectl::config {
namespace {

class Reaching : public ::testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/timectl-reach-XXXXXX";
    ASSERT_NE(::mkdtemp(name), nullptr);
    directory_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }
  Result<Reach> reach(const std::string& text, const Environment& environment = {},
                      std::vector<Override> flags = {}, mode_t mode = 0600) const {
    const auto file = directory_ + "/timectl.toml";
    std::ofstream(file) << text;
    ::chmod(file.c_str(), mode);
    return load_to_reach({file, environment, std::move(flags)});
  }
  std::string directory_;
};

TEST_F(Reaching, AGoodFileIsTakenWhole) {
  const auto found = reach("[network]\nname = \"testnet\"\n[node]\nlog_files = 7\n");
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_FALSE(found->broken);
  EXPECT_EQ(found->config.node.log_files, 7U);
}

TEST_F(Reaching, OfABrokenOneOnlyTheWayIsTaken) {
  const struct {
    const char* text;
    Network network;
    const char* data_dir;
  } kRows[] = {
      {"[network]\nname = \"testnet\"\n[node]\ndata_dir = \"/d\"\nlog_files = 7\n[nonsense]\n",
       Network::testnet, "/d"},
      {"[network]\nname = \"testnet\"  # ours\n[node]\ndata_dir = '/d'\n[alerts\n",
       Network::testnet, "/d"},
      {"broken = = =\nnetwork.name = \"testnet\"\n", Network::testnet, ""},
      {"[nonsense]\n", Network::mainnet, ""},
      {"[alerts]\n= 5\n", Network::mainnet, ""},
      {"[[alerts.sink]]\nname = \"testnet\"\nkind = = \n", Network::mainnet, ""},
  };
  for (const auto& row : kRows) {
    const auto found = reach(row.text);
    ASSERT_TRUE(found) << row.text << found.error().message;
    ASSERT_TRUE(found->broken) << row.text;
    EXPECT_EQ(found->broken->code, Code::config_invalid);
    EXPECT_FALSE(found->guessed) << row.text;
    EXPECT_EQ(found->config.network.name, row.network) << row.text;
    EXPECT_EQ(found->config.node.data_dir, row.data_dir) << row.text;
    EXPECT_EQ(found->config.node.log_files, NodeSection{}.log_files) << "not the way: a default";
  }
}

TEST_F(Reaching, WhatMayBeThereAndDoesNotReadIsAGuess) {
  for (const char* text : {
           "[network]\nname = \"testnett\"\n",
           "[network]\nname = \"testnet\n",
           "[network]\nname = testnet\n",
           "[network]\nname\n",
           "[network\nname = \"testnet\"\n",
           "[netwrok]\nname = \"testnet\"\n",
           "[network]\nnmae = \"testnet\"\n",
           "[network]\nname = \"testnet\"\nname = \"mainnet\"\n",
           "network = {name = \"testnet\"}\nbroken = = \n",
           "[node]\ndata_dir = 7\n",
           "[node]\ndata_dir = \"/d\n",
       }) {
    const auto found = reach(text);
    ASSERT_TRUE(found) << text << found.error().message;
    EXPECT_TRUE(found->guessed) << text;
    EXPECT_TRUE(found->broken) << text;
  }
}

TEST_F(Reaching, AFlagOrAVariableLeavesNothingToGuess) {
  const std::string text = "[network]\nname = \"testnet\n";
  const auto flag = reach(text, {}, {{"--network", "network", "name", "testnet"}});
  ASSERT_TRUE(flag);
  EXPECT_FALSE(flag->guessed);
  EXPECT_EQ(flag->config.network.name, Network::testnet);
  const auto variable = reach(text, {{"TIMECTL_NETWORK", "testnet"}});
  ASSERT_TRUE(variable);
  EXPECT_FALSE(variable->guessed);
  EXPECT_EQ(variable->config.placed.at("network.name").origin, Origin::environment);
}

TEST_F(Reaching, AFileThatAnybodyMayWriteLeadsNowhere) {
  const auto found =
      reach("[network]\nname = \"testnet\"\n[node]\ndata_dir = \"/evil\"\n", {}, {}, 0666);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->broken->code, Code::config_insecure);
  EXPECT_TRUE(found->guessed);
  EXPECT_EQ(found->config.node.data_dir, "");
}

TEST_F(Reaching, WhatTheCommandLineGotWrongIsAnErrorAsBefore) {
  EXPECT_FALSE(reach("", {}, {{"--network", "network", "name", "mars"}}));
  EXPECT_FALSE(reach("[nonsense]\n", {{"TIMECTL_NETWORK", "mars"}}));
  EXPECT_EQ(load_to_reach({directory_ + "/none.toml", {}, {}}).error().code, Code::not_found);
}

}  // namespace
}  // namespace timectl::config
