// Starting, stopping, reloading and refusing: what the operator and the service manager see.

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "tests/e2e/sandbox.h"

namespace timectl::e2e {
namespace {

using namespace std::chrono_literals;

// A zombie that nobody has waited for yet is gone, too.
bool running(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string line;
  if (!std::getline(file, line)) return false;
  const auto name_end = line.rfind(") ");
  return name_end != std::string::npos && line[name_end + 2] != 'Z';
}

TEST(Lifecycle, StartReturnsWhenTheNodeAnswersAndStopWhenItIsGone) {
  Sandbox sandbox;
  NodeProcess node(sandbox, "127.41.0.2", "");
  const auto started = node.timectl({"--json", "node", "start"});
  ASSERT_EQ(started.status, 0) << started.err;
  const auto data = started.data();
  for (const char* key : {"pid", "socket", "listen", "mode", "data_dir"}) {
    EXPECT_TRUE(data.as_object().contains(key)) << key;
  }
  const auto pid = data.at("pid").to_number<pid_t>();
  EXPECT_EQ(data.at("mode").as_string(), "active");
  EXPECT_EQ(node.query({"node", "info"}).at("pid").to_number<pid_t>(), pid);
  EXPECT_EQ(node.timectl({"node", "stop"}).status, 0);
  EXPECT_FALSE(running(pid));  // when stop returns
  EXPECT_EQ(node.timectl({"node", "stop"}).status, 69);
}

// W8: a head that is noted elsewhere shows a log that was cut off, and the log is elsewhere.
TEST(Lifecycle, TheLogHasTheAuditHeadOfTheStartAndOfTheStop) {
  Sandbox sandbox;
  NodeProcess node(sandbox, "127.32.9.2", "");
  const auto line_of = [&](const json::value& head) {
    return "audit head: row " + std::to_string(head.at("seq").to_number<int>()) + ", " +
           std::string(head.at("hash").as_string());
  };
  ASSERT_EQ(node.timectl({"whitelist", "add", "10.1.0.1"}).status, 0);
  const auto at_start = line_of(node.query({"audit", "head"}));
  node.start();
  EXPECT_NE(node.log().find(at_start), std::string::npos) << node.log();
  ASSERT_EQ(node.timectl({"whitelist", "add", "10.1.0.2"}).status, 0);
  const auto head = node.query({"audit", "head"});
  EXPECT_EQ(node.log().find(line_of(head)), std::string::npos) << "the control: not at each change";
  node.signal(SIGTERM);
  EXPECT_EQ(node.wait_exit(), 0);
  EXPECT_NE(node.log().find(line_of(head)), std::string::npos) << node.log();
  const std::string noted(head.at("hash").as_string());
  EXPECT_EQ(node.timectl({"audit", "verify", "--head", noted}).status, 0);
}

TEST(Lifecycle, RestartGivesANewProcessOnTheSameData) {
  Sandbox sandbox;
  NodeProcess node(sandbox, "127.42.0.2", "");
  ASSERT_EQ(node.timectl({"node", "start"}).status, 0);
  const auto before = node.query({"node", "info"}).at("pid").to_number<pid_t>();
  EXPECT_EQ(node.timectl({"node", "restart"}).status, 0);
  const auto after = node.query({"node", "info"}).at("pid").to_number<pid_t>();
  EXPECT_NE(before, after);
  EXPECT_EQ(node.timectl({"node", "stop"}).status, 0);
}

TEST(Lifecycle, InfoIsTheNetworkInfoDocument) {
  Sandbox sandbox;
  NodeProcess node(sandbox, "127.43.0.2", "whitelisted_peers = [\"127.43.0.9\"]\n");
  node.start();
  const auto info = node.query({"node", "info"});
  EXPECT_EQ(info.at("whitelist_count").to_number<int>(), 1);
  const auto& peer = info.at("whitelisted_peers").at(0);
  for (const char* key : {"ip", "reason", "uptime", "missed_pongs"}) {
    EXPECT_TRUE(peer.as_object().contains(key)) << key;
  }
  for (const char* key : {"height", "best_peer", "best_height", "syncing"}) {
    EXPECT_TRUE(info.at("sync_status").as_object().contains(key)) << key;
  }
}

TEST(Lifecycle, ABrokenConfigIsRefusedWithItsLine) {
  Sandbox sandbox;
  NodeProcess node(sandbox, "127.44.0.2", "prot = 1\n");
  const auto started = node.timectl({"node", "start"});
  EXPECT_EQ(started.status, 78);
  EXPECT_NE(started.err.find("prot"), std::string::npos) << started.err;
}

TEST(Lifecycle, ATakenPortOnLoopbackIsAnErrorThatNamesIt) {
  Sandbox sandbox;
  NodeProcess node(sandbox, "127.45.0.2", "");
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(sandbox.port()));
  address.sin_addr.s_addr = htonl(0x7f2d0002);
  ASSERT_EQ(::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  ASSERT_EQ(::listen(fd, 1), 0);
  const auto started = node.timectl({"--json", "node", "start"});
  EXPECT_EQ(started.status, 73) << started.err;
  EXPECT_NE(started.err.find("TC-NODE-003"), std::string::npos) << started.err;
  ::close(fd);
}

TEST(Lifecycle, ABrokenReloadKeepsTheOldConfig) {
  Sandbox sandbox;
  NodeProcess node(sandbox, "127.46.0.2", "whitelisted_peers = [\"127.46.0.7\"]\n");
  node.start();
  std::filesystem::copy(node.config_path(), node.config_path() + ".good");
  std::ofstream(node.config_path(), std::ios::app) << "[whitelist]\nliveness = \"sometimes\"\n";
  const auto reload = node.timectl({"--json", "node", "reload"});
  EXPECT_EQ(reload.status, 78) << reload.err;
  node.signal(SIGHUP);
  EXPECT_TRUE(wait_for(
      [&] { return node.log().find("the configuration stays as it was") != std::string::npos; },
      3s));
  // The command reads the file, too.
  std::filesystem::rename(node.config_path() + ".good", node.config_path());
  EXPECT_EQ(node.query({"whitelist", "list"}).get_array().size(), 1U);
}

TEST(Lifecycle, AReloadIsADiffOfTheConfigsWhitelist) {
  Sandbox sandbox;
  NodeProcess node(sandbox, "127.47.0.2", "whitelisted_peers = [\"127.47.0.7\", \"127.47.0.8\"]\n");
  node.start();
  std::ifstream in(node.config_path());
  std::string text((std::istreambuf_iterator<char>(in)), {});
  text.replace(text.find("127.47.0.8"), 10, "127.47.0.9");
  std::ofstream(node.config_path()) << text;
  EXPECT_EQ(node.timectl({"node", "reload"}).status, 0);
  const auto rows = node.query({"whitelist", "list"});
  ASSERT_EQ(rows.get_array().size(), 2U) << rows;
  EXPECT_EQ(rows.at(0).at("ip").as_string(), "127.47.0.7");
  EXPECT_EQ(rows.at(1).at("ip").as_string(), "127.47.0.9");
  EXPECT_TRUE(node.query({"audit", "verify"}).at("ok").as_bool());
}

TEST(Lifecycle, StatusTellsTheStateByItsExitCode) {
  Sandbox sandbox;
  NodeProcess node(sandbox, "127.48.0.2", "whitelisted_peers = [\"127.48.0.3\"]\n");
  const auto without = node.timectl({"--json", "status"});
  EXPECT_EQ(without.status, 3);
  EXPECT_FALSE(without.data().at("node").at("running").as_bool());
  EXPECT_EQ(without.data().at("verdict").as_string(), "unknown");
  node.start();
  EXPECT_EQ(node.timectl({"status"}).status, 2);  // the only masternode is away
  NodeProcess peer(sandbox, "127.48.0.3", "whitelisted_peers = [\"127.48.0.2\"]\n");
  peer.start();
  EXPECT_TRUE(wait_for([&] { return node.timectl({"status"}).status == 0; }, 10s));
}

TEST(Lifecycle, TheServiceManagerIsToldReadyAndStopping) {
  Sandbox sandbox;
  NodeProcess node(sandbox, "127.49.0.2", "");
  const std::string path = sandbox.path() + "/notify";
  const int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof(address.sun_path) - 1);
  ASSERT_EQ(::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  ::setenv("NOTIFY_SOCKET", path.c_str(), 1);
  ::setenv("WATCHDOG_USEC", "2000000", 1);
  node.start();
  ::unsetenv("NOTIFY_SOCKET");
  ::unsetenv("WATCHDOG_USEC");
  std::string seen;
  const auto receive = [&] {
    char buffer[256];
    const auto n = ::recv(fd, buffer, sizeof(buffer), MSG_DONTWAIT);
    if (n > 0) seen += std::string(buffer, static_cast<std::size_t>(n)) + ";";
  };
  EXPECT_TRUE(wait_for(
      [&] {
        receive();
        return seen.find("READY=1") != std::string::npos;
      },
      2s));
  EXPECT_TRUE(wait_for(
      [&] {
        receive();
        return seen.find("WATCHDOG=1") != std::string::npos;
      },
      3s));
  // Another process beside the manager's would run on other data.
  const auto again = node.timectl({"node", "restart"});
  EXPECT_EQ(again.status, 64);
  EXPECT_NE(again.err.find("systemctl restart timectl"), std::string::npos) << again.err;
  EXPECT_EQ(node.timectl({"node", "info"}).status, 0) << "it runs on";
  node.signal(SIGTERM);
  EXPECT_EQ(node.wait_exit(), 0);
  receive();
  EXPECT_TRUE(wait_for(
      [&] {
        receive();
        return seen.find("STOPPING=1") != std::string::npos;
      },
      2s));
  ::close(fd);
}

TEST(Lifecycle, TheDemoSeesEverythingItPromises) {
  const auto demo = run({binary(), "demo", "--seconds", "12"});
  EXPECT_EQ(demo.status, 0) << demo.out << demo.err;
  EXPECT_NE(demo.out.find("CRITICAL: Whitelisted peer 127.0.0.2 disconnected: closed_by_peer"),
            std::string::npos);
  EXPECT_NE(demo.out.find("[MASTERNODE] Reconnecting to 127.0.0.2 in 2s..."), std::string::npos);
  EXPECT_NE(demo.out.find("recovered"), std::string::npos);
}

// A shell's limit is often 1024; the operator who raises max_connections has said enough.
TEST(Lifecycle, TheNodeAsksForTheDescriptorsThatItsConnectionsNeed) {
  Sandbox sandbox;
  NodeProcess node(sandbox, "127.79.0.2", "max_connections = 12000\n");
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  if (before.rlim_max < 12'500) GTEST_SKIP() << "the hard limit is " << before.rlim_max;
  rlimit low = before;
  low.rlim_cur = 1024;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &low), 0);
  node.start();
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  rlimit has{};
  ASSERT_EQ(::prlimit(node.pid(), RLIMIT_NOFILE, nullptr, &has), 0);
  EXPECT_GE(has.rlim_cur, 12'100U);
}

}  // namespace
}  // namespace timectl::e2e
