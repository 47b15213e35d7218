#include <gtest/gtest.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <set>

#include "cmd/catalogue.h"
#include "cmd/cli.h"
#include "daemon/chain/height_truth.h"
#include "daemon/chain/verdict.h"
#include "daemon/core/errors.h"
#include "daemon/core/events.h"
#include "daemon/core/sync_views.h"
#include "daemon/core/violation.h"

namespace timectl::cmd {
namespace {

void collect(const CLI::App& command, std::vector<const CLI::App*>& all) {
  all.push_back(&command);
  for (const auto* sub : commands_of(command)) collect(*sub, all);
}

class Tree : public ::testing::Test {
 protected:
  Tree() : tree_(build_tree(context_)) { collect(*tree_, all_); }
  Context context_;
  std::shared_ptr<CLI::App> tree_;
  std::vector<const CLI::App*> all_;
};

TEST_F(Tree, EveryCommandHasASummaryAndAnExampleThatNamesIt) {
  for (const auto* command : all_) {
    EXPECT_FALSE(command->get_description().empty()) << path_of(*command);
    EXPECT_LE(command->get_description().size(), 72U) << path_of(*command);
    EXPECT_NE(command->get_footer().find(path_of(*command)), std::string::npos)
        << path_of(*command) << " has no example of itself";
  }
}

TEST_F(Tree, HelpIsAtMostTwoScreensOf100ColumnsAndBeginsWithExamples) {
  for (const auto* command : all_) {
    const auto text = help_text(*command);
    EXPECT_LE(std::count(text.begin(), text.end(), '\n'), 48) << path_of(*command);
    EXPECT_LT(text.find("Examples:"), text.find("Usage:")) << path_of(*command);
    for (std::size_t at = 0; at < text.size();) {
      const auto end = text.find('\n', at);
      EXPECT_LE(end - at, 100U) << text.substr(at, end - at);
      at = end + 1;
    }
  }
}

TEST_F(Tree, EveryOptionIsExplained) {
  for (const auto* command : all_) {
    for (const auto& value : values_of(*command)) {
      EXPECT_FALSE(value.help.empty()) << path_of(*command) << " " << value.title;
    }
  }
}

TEST_F(Tree, CommandsOfTheContractAreThere) {
  std::set<std::string> paths;
  for (const auto* command : all_) paths.insert(path_of(*command).substr(7));
  for (const char* path :
       {" status",           " node start",     " node stop",        " node restart",
        " node reload",      " node status",    " node info",        " whitelist add",
        " whitelist remove", " whitelist list", " whitelist show",   " peer list",
        " whitelist verify", " ban add",        " ban remove",       " ban list",
        " ban why",          " peer show",      " peer history",     " slots",
        " slots check",      " audit list",     " audit verify",     " audit head",
        " audit export",     " db check",       " db backup",        " db restore",
        " events",           " wire decode",    " wire encode",      " config check",
        " config show",      " config example", " config path",      " completion",
        " explain",          " version",        " sync status",      " sync watch",
        " sync peers",       " sync fork",      " sync pause",       " sync resume",
        " report",           " peer score",     " whitelist suggest"}) {
    EXPECT_TRUE(paths.contains(path)) << path;
  }
}

TEST(Catalogue, HoldsEveryErrorReasonStateAndEvent) {
  std::set<std::string> codes;
  for (const auto& entry : catalogue()) {
    EXPECT_FALSE(entry.title.empty()) << entry.code;
    codes.insert(entry.catalogue + " " + entry.code);
  }
  for (const auto& row : error_table()) EXPECT_TRUE(codes.contains("error " + std::string(row.id)));
  for (const auto name : names_of<EndReason>()) {
    EXPECT_TRUE(codes.contains("end_reason " + std::string(name))) << name;
  }
  for (const auto name : names_of<PeerState>()) {
    EXPECT_TRUE(codes.contains("state " + std::string(name))) << name;
  }
  for (const auto name : names_of<EventKind>()) {
    EXPECT_TRUE(codes.contains("event " + std::string(name))) << name;
  }
  for (const auto name : names_of<SyncActivity>()) {
    EXPECT_TRUE(codes.contains("activity " + std::string(name))) << name;
  }
  for (const auto name : names_of<chain::PeerStanding>()) {
    EXPECT_TRUE(codes.contains("standing " + std::string(name))) << name;
  }
  for (const auto name : names_of<chain::Reason>()) {
    EXPECT_TRUE(codes.contains("block_reason " + std::string(name))) << name;
  }
  for (const auto name : names_of<ViolationKind>()) {
    EXPECT_TRUE(codes.contains("violation " + std::string(name))) << name;
  }
}

}  // namespace
}  // namespace timectl::cmd
