// Never harm the operator's masternode: where something listens on the P2P port of this host, the
// node runs passive. In a network namespace of its own, since 127/8 is exempt.

#include <gtest/gtest.h>

#include <fstream>

#include "tests/e2e/sandbox.h"

namespace timectl::e2e {
namespace {

// Runs a shell script in a new network namespace with lo up and 203.0.113.9 on it; $T is timectl
// on its own data directory and $U on another, both listening on the wildcard address.
Outcome in_namespace(const Sandbox& sandbox, const std::string& script,
                     const std::string& config = {}) {
  std::ofstream(sandbox.path() + "/t.toml") << "[network]\nname = \"testnet\"\n" << config;
  const auto tool = [&](const std::string& name) {
    return binary() + " --config " + sandbox.path() + "/t.toml --data-dir " + sandbox.path() + "/" +
           name;
  };
  return run({"unshare", "-n", "sh", "-c",
              "ip link set lo up && ip addr add 203.0.113.9/32 dev lo\nT='" + tool("t") + "'\nU='" +
                  tool("u") + "'\n" + script});
}

bool have_namespaces() {
  return run({"unshare", "-n", "ip", "link", "set", "lo", "up"}).status == 0;
}

TEST(PassiveMode, ATakenP2pPortMeansNoP2pAtAllButEverythingElseWorks) {
  if (!have_namespaces()) GTEST_SKIP() << "network namespaces need root and iproute2";
  Sandbox sandbox;
  const auto outcome = in_namespace(sandbox,
                                    "$U node start --quiet\n"  // stands for timed
                                    "$T --json node start\n"
                                    "$T --json whitelist add 203.0.113.77\n"
                                    "$T --json peer list\n"
                                    "$T status; echo exit=$?\n"
                                    "$T node stop --quiet; $U node stop --quiet\n");
  EXPECT_NE(outcome.out.find("\"mode\":\"passive\""), std::string::npos)
      << outcome.out << outcome.err;
  EXPECT_NE(outcome.out.find("\"result\":\"added\""), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.out.find("passive"), std::string::npos);
  EXPECT_NE(outcome.out.find("exit=3"), std::string::npos) << outcome.out;
  EXPECT_EQ(outcome.out.find("\"state\":\"connecting\""), std::string::npos) << outcome.out;
}

TEST(PassiveMode, ATimedsRpcPortAloneIsEnough) {
  if (!have_namespaces()) GTEST_SKIP() << "network namespaces need root and iproute2";
  Sandbox sandbox;
  // $U on 127.0.0.1:24101 stands for timed's RPC listener: only that it accepts counts.
  const auto outcome =
      in_namespace(sandbox,
                   "TIMECTL_NODE_LISTEN=127.0.0.1 TIMECTL_NETWORK_PORT=24101 $U node start -q\n"
                   "$T --json node start\n"
                   "$T node stop -q; $U node stop -q\n");
  EXPECT_NE(outcome.out.find("\"mode\":\"passive\""), std::string::npos)
      << outcome.out << outcome.err;
  EXPECT_NE(outcome.out.find("RPC"), std::string::npos) << outcome.out;
}

TEST(PassiveMode, WithoutATimedTheNodeIsActive) {
  if (!have_namespaces()) GTEST_SKIP() << "network namespaces need root and iproute2";
  Sandbox sandbox;
  const auto outcome = in_namespace(sandbox, "$T --json node start; $T node stop -q\n");
  EXPECT_NE(outcome.out.find("\"mode\":\"active\""), std::string::npos)
      << outcome.out << outcome.err;
}

TEST(PassiveMode, TheFlagHoldsTheNodeBack) {
  Sandbox sandbox;
  NodeProcess node(sandbox, "127.51.0.2", "whitelisted_peers = [\"127.51.0.3\"]\n");
  const auto started = node.timectl({"--json", "node", "start", "--passive"});
  ASSERT_EQ(started.status, 0) << started.err;
  EXPECT_EQ(started.data().at("mode").as_string(), "passive");
  EXPECT_TRUE(started.data().at("listen").is_null());
  EXPECT_EQ(node.timectl({"node", "stop"}).status, 0);
}

}  // namespace
}  // namespace timectl::e2e
