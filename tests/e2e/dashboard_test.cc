// The dashboard of a real node: its link, its token, its stream, its metrics, and what a reload
// does.
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <iostream>

#include "tests/e2e/sandbox.h"
#include "tests/web/web_lab.h"

namespace timectl::e2e {
namespace {

using namespace std::chrono_literals;
using web::RawClient;

constexpr milliseconds kVisibleWithin = 5s;  // on a loaded machine; what it took is printed

// Free now, and by the order in which the kernel gives them for long.
std::uint16_t free_port() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  EXPECT_EQ(::bind(fd, reinterpret_cast<const sockaddr*>(&address), size), 0);
  EXPECT_EQ(::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size), 0);
  ::close(fd);
  return ntohs(address.sin_port);
}

std::string dashboard_at(std::uint16_t port, const std::string& more = {}) {
  return "[dashboard]\nlisten = \"127.0.0.1:" + std::to_string(port) + "\"\n" + more;
}

// The word after the label in a command's text.
std::string field(const std::string& text, const std::string& label) {
  const auto at = text.find("\n" + label);
  if (at == std::string::npos) return {};
  const auto begin = text.find_first_not_of(' ', at + 1 + label.size());
  return text.substr(begin, text.find('\n', begin) - begin);
}

// The answer to a request without a token of its own.
std::string get(std::uint16_t port, const std::string& target, const std::string& fields = {}) {
  RawClient client(port);
  client.send("GET " + target + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" + fields +
              "\r\n");
  EXPECT_TRUE(client.read_to_end());
  return client.text();
}

struct DashboardTest : testing::Test {
  // With a token that the test's clients know.
  [[nodiscard]] std::string known_token() const {
    const auto file = sandbox.path() + "/token";
    std::ofstream(file) << web::kToken;
    EXPECT_EQ(::chmod(file.c_str(), 0600), 0);
    return "token_file = \"" + file + "\"\n";
  }
  Sandbox sandbox;
  std::uint16_t port = free_port();
};

TEST_F(DashboardTest, NodeInfoPrintsTheLinkThatOpensIt) {
  NodeProcess node(sandbox, "127.37.2.2", dashboard_at(port));
  node.start();
  const auto file = node.data_dir() + "/testnet.token";
  struct stat found {};
  struct stat socket {};
  ASSERT_EQ(::stat(file.c_str(), &found), 0);
  ASSERT_EQ(::stat(node.socket_path().c_str(), &socket), 0);
  EXPECT_EQ(found.st_mode & 07777, 0640U);
  EXPECT_EQ(found.st_gid, socket.st_gid);

  const auto url = "http://127.0.0.1:" + std::to_string(port) + "/";
  const auto link = field(node.timectl({"node", "info"}).out, "Dashboard");
  ASSERT_TRUE(link.starts_with(url + "?token=")) << link;
  const auto entered = get(port, link.substr(url.size() - 1));
  ASSERT_TRUE(entered.starts_with("HTTP/1.1 303 ")) << entered;
  const auto cookie_at = entered.find("Set-Cookie: ") + 12;
  const auto cookie = entered.substr(cookie_at, entered.find(';', cookie_at) - cookie_at);
  EXPECT_TRUE(get(port, "/", "Cookie: " + cookie + "\r\n").starts_with("HTTP/1.1 200 "));
  EXPECT_TRUE(get(port, "/").starts_with("HTTP/1.1 401 "));

  const auto info = node.query({"node", "info"});
  EXPECT_EQ(info.at("dashboard_url").as_string(), url);
  EXPECT_EQ(info.at("dashboard_token_file").as_string(), file);
  const auto token = link.substr(link.find('=') + 1);
  EXPECT_EQ(json::serialize(info).find(token), std::string::npos) << "documents travel";
  EXPECT_EQ(node.log().find(token), std::string::npos);
}

TEST_F(DashboardTest, TheStreamShowsAMasternodeThatDies) {
  const std::string other = "127.37.2.3";
  NodeProcess masternode(sandbox, other, "whitelisted_peers = [\"127.37.2.2\"]\n");
  NodeProcess node(sandbox, "127.37.2.2",
                   "whitelisted_peers = [\"" + other + "\"]\n" + dashboard_at(port, known_token()));
  masternode.start();
  node.start();
  ASSERT_TRUE(wait_for([&] { return node.connected_to(other); }, 20s));
  RawClient stream(port);
  stream.get("/api/stream");
  ASSERT_TRUE(stream.read_until("event: ready"));
  EXPECT_NE(stream.text().find("{\"key\":\"status\",\"value\":{\"at\":"), std::string::npos);
  EXPECT_NE(
      stream.text().find("{\"key\":\"masternode/" + other + "\",\"value\":{\"ip\":\"" + other),
      std::string::npos);
  EXPECT_NE(stream.text().find("\"kind\":\"peer_connected\""), std::string::npos);
  ASSERT_TRUE(stream.read_until("{\"key\":\"history\",\"value\":{\"since\":"));
  stream.forget();
  const auto took = elapsed([&] {
    masternode.kill9();
    EXPECT_TRUE(stream.read_until("\"connected_at\":null"));
  });
  EXPECT_LT(took, kVisibleWithin) << "in ms: " << took.count();
  std::cerr << "a dead masternode is on the page after " << took.count() << " ms\n";
  EXPECT_TRUE(stream.read_until("\"kind\":\"peer_disconnected\""));
  EXPECT_TRUE(stream.read_until("{\"key\":\"alert/masternode_down/" + other + "\""));
}

// It outlives a reboot there, and with it the links and what Prometheus has.
TEST_F(DashboardTest, AServicesTokenIsInItsStateDirectory) {
  NodeProcess node(sandbox, "127.37.2.2", dashboard_at(port));
  ::setenv("STATE_DIRECTORY", sandbox.path().c_str(), 1);
  node.start();
  ::unsetenv("STATE_DIRECTORY");
  EXPECT_EQ(node.query({"node", "info"}).at("dashboard_token_file").as_string(),
            sandbox.path() + "/testnet.token");
}

TEST_F(DashboardTest, TheApiAnswersAsTheCommandsDo) {
  NodeProcess node(sandbox, "127.37.2.2",
                   dashboard_at(port, known_token()) + "[metrics]\nenabled = true\nlisten = \"" +
                       "127.0.0.1:" + std::to_string(port) + "\"\n");
  node.start();
  const auto bearer = "Authorization: Bearer " + web::kToken + "\r\n";
  const auto body = [&](const std::string& target) {
    const auto answer = get(port, target, bearer);
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 ")) << answer;
    return answer.substr(answer.find("\r\n\r\n") + 4);
  };
  const auto overview = json::parse(body("/api/overview"));
  EXPECT_EQ(overview.at("status").at("network").as_string(), "testnet");
  EXPECT_EQ(overview.at("status").at("verdict"), node.query({"status"}).at("verdict"));
  EXPECT_FALSE(json::parse(body("/api/history")).at("node").as_array().empty());
  EXPECT_FALSE(body("/metrics").empty());
  EXPECT_TRUE(get(port, "/metrics").starts_with("HTTP/1.1 401 "));
}

TEST_F(DashboardTest, APortThatIsTakenIsSaidAndTheNodeRunsOn) {
  NodeProcess first(sandbox, "127.37.2.2", dashboard_at(port));
  NodeProcess second(sandbox, "127.37.2.3", dashboard_at(port));
  first.start();
  second.start();
  EXPECT_TRUE(field(second.timectl({"node", "info"}).out, "Dashboard")
                  .starts_with("off: cannot listen on 127.0.0.1:" + std::to_string(port)));
  EXPECT_NE(second.log().find("The dashboard is off: cannot listen on"), std::string::npos);
  first.kill9();
  second.signal(SIGHUP);
  EXPECT_TRUE(wait_for(
      [&] {
        return second.query({"node", "info"}).at("dashboard_url").is_string();
      },
      10s));
}

TEST_F(DashboardTest, AReloadMovesItAndTurnsItOff) {
  NodeProcess node(sandbox, "127.37.2.2", dashboard_at(port, known_token()));
  node.start();
  const auto configure = [&](const std::string& dashboard) {
    std::ofstream(node.config_path()) << "[node]\nlisten = \"127.37.2.2\"\ntime_servers = []\n"
                                      << "[discovery]\nenabled = false\n[network]\n"
                                      << "name = \"testnet\"\nport = " << sandbox.port() << "\n"
                                      << dashboard;
    EXPECT_EQ(node.timectl({"node", "reload"}).status, 0);
  };
  RawClient stream(port);
  stream.get("/api/stream");
  ASSERT_TRUE(stream.read_until("event: ready"));
  configure(dashboard_at(port, known_token()) + "[alerts]\nfork_blocks = 7\n");
  stream.forget();
  EXPECT_TRUE(stream.read_until("\"kind\":\"config_reloaded\"")) << "nothing of it changed";
  const auto other = free_port();
  configure(dashboard_at(other, known_token()));
  EXPECT_TRUE(stream.read_to_end());
  EXPECT_TRUE(get(other, "/").starts_with("HTTP/1.1 401 "));
  configure("[dashboard]\nenabled = false\n");
  EXPECT_TRUE(node.query({"node", "info"}).at("dashboard_url").is_null());
  EXPECT_EQ(node.query({"node", "info"}).at("dashboard_off_because").as_string(),
            "dashboard.enabled is false");
}

TEST_F(DashboardTest, AnOpenDashboardDoesNotHoldTheStop) {
  NodeProcess node(sandbox, "127.37.2.2", dashboard_at(port, known_token()));
  node.start();
  RawClient stream(port);
  stream.get("/api/stream");
  ASSERT_TRUE(stream.read_until("event: ready"));
  node.signal(SIGTERM);
  EXPECT_EQ(node.wait_exit(), 0);
  EXPECT_TRUE(stream.read_to_end());
}

TEST_F(DashboardTest, ATokenThatEverybodyCanReadIsRefused) {
  const auto token = known_token();
  ASSERT_EQ(::chmod((sandbox.path() + "/token").c_str(), 0644), 0);
  NodeProcess node(sandbox, "127.37.2.2", dashboard_at(port, token));
  node.start();
  const auto said = field(node.timectl({"node", "info"}).out, "Dashboard");
  EXPECT_TRUE(said.starts_with("off: the dashboard's token file")) << said;
}

}  // namespace
}  // namespace timectl::e2e
