// FT-S15, FT-S20, FT-C1, FT-C4, FT-C11: a node without descriptors and under a flood of strangers,
// no node at all, a control socket that speaks another version, and a user who may not.

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <iterator>
#include <thread>

#include "tests/e2e/fault_support.h"

namespace timectl::e2e {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

std::size_t descriptors(pid_t pid) {
  return static_cast<std::size_t>(std::distance(
      fs::directory_iterator("/proc/" + std::to_string(pid) + "/fd"), fs::directory_iterator()));
}

std::size_t lines(const std::string& text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

// Each in a /24 of its own: the limits of one network are not what is tested here.
std::string stranger(int i) {
  return "127." + std::to_string(200 + i / 250) + "." + std::to_string(i % 250) + ".1";
}

TEST(FaultS15, ANodeWithoutDescriptorsSurvivesAndRecovers) {
  if (!has_program("prlimit")) GTEST_SKIP() << "needs prlimit";
  Sandbox sandbox;
  NodeProcess node(sandbox, "127.71.0.2", "whitelisted_peers = [\"127.71.0.3\"]\n");
  NodeProcess peer(sandbox, "127.71.0.3", "whitelisted_peers = [\"127.71.0.2\"]\n");
  node.start();
  peer.start();
  ASSERT_TRUE(wait_for([&] { return node.connected_to("127.71.0.3"); }, 10s)) << node.log();
  const auto since = node.query({"peer", "show", "127.71.0.3"}).at("connected_at");
  const auto idle = descriptors(node.pid());
  constexpr std::size_t kLimit = 64;
  ASSERT_LT(idle, kLimit);
  ASSERT_EQ(run({"prlimit", "--pid", std::to_string(node.pid()), "--nofile=64:64"}).status, 0);
  const auto log_before = lines(node.log());
  {
    std::vector<Caller> callers;
    std::size_t most = 0;
    for (int i = 0; i < 100; ++i) {
      callers.emplace_back(stranger(i), node.address(), sandbox.port());
      most = std::max(most, descriptors(node.pid()));
    }
    EXPECT_TRUE(wait_for(
        [&] {
          most = std::max(most, descriptors(node.pid()));
          return most + 20 >= kLimit;
        },
        3s))
        << "the limit was never reached (" << most << "): nothing is shown";
    EXPECT_NE(node.log().find("no file descriptor is left"), std::string::npos) << node.log();
    const auto status = ask_json(node, {"node", "status"});
    EXPECT_EQ(status.status, 0) << status.err;
    EXPECT_NE(status.out.find("\"running\":true"), std::string::npos) << status.out;
    EXPECT_EQ(node.query({"peer", "show", "127.71.0.3"}).at("connected_at"), since);
    const auto added = ask_json(node, {"whitelist", "add", "10.1.0.1"});
    EXPECT_EQ(added.status, 0) << added.err;
  }
  EXPECT_TRUE(wait_for([&] { return descriptors(node.pid()) <= idle + 2; }, 15s))
      << descriptors(node.pid()) << " descriptors, " << idle << " before";
  EXPECT_EQ(node.query({"peer", "show", "127.71.0.3"}).at("connected_at"), since);
  // A stranger is served again: not turned away at once, as without descriptors.
  const Caller late(stranger(500), node.address(), sandbox.port());
  EXPECT_TRUE(late.connected());
  EXPECT_FALSE(late.closed_within(300ms));
  EXPECT_LT(lines(node.log()) - log_before, 240U) << node.log();
}

TEST(FaultS20, AFloodOfGarbageWritesABoundedLog) {
  Sandbox sandbox;
  NodeProcess node(sandbox, "127.72.0.2", "");
  node.start();
  const auto flood = [&](int count, const std::function<std::string(int)>& source) {
    for (int i = 0; i < count; ++i) {
      const Caller caller(source(i), node.address(), sandbox.port());
      caller.send("GET /\x1b[31m HTTP/1.1\r\nHost: x\n[CRITICAL] all is lost\r\n\r\n");
      if (i % 20 == 0) (void)caller.closed_within(500ms);
    }
    EXPECT_EQ(node.timectl({"node", "status"}).status, 0);
  };
  const auto quiet = lines(node.log());
  flood(500, [](int) { return std::string("127.220.0.1"); });
  const auto one = lines(node.log()) - quiet;
  EXPECT_LE(one, 6U) << node.log();  // one a minute for each cause
  flood(kSanitized ? 500 : 2000, [](int i) { return stranger(i); });
  const auto many = lines(node.log()) - quiet - one;
  EXPECT_LE(many, 2 * 120U + 20U);  // ThrottleLimits::per_interval, at the border of two minutes
  EXPECT_GT(many, 1U) << "strangers are not logged at all: nothing is shown";
  const auto text = node.log();
  EXPECT_FALSE(has_raw_control(text)) << text;
  EXPECT_EQ(text.find("\n[CRITICAL] all"), std::string::npos);
  // 10 MiB a day are 7,281 bytes a minute; the burst above is one minute's at most twice.
  RecordProperty("log_bytes", static_cast<int>(text.size()));
  RecordProperty("log_lines", static_cast<int>(lines(text)));
  const auto events = node.query({"events", "--since", "1h"});
  EXPECT_LE(events.as_array().size(), 300U);
}

TEST(FaultC1, WithoutANodeReadsWorkAndTheRestSaysHowToStartIt) {
  Sandbox sandbox;
  const NodeProcess node(sandbox, "127.73.0.2", "");
  ASSERT_EQ(node.timectl({"whitelist", "add", "10.1.0.1"}).status, 0);
  const std::vector<std::pair<std::vector<std::string>, int>> reads{
      {{"whitelist", "list"}, 0},
      {{"whitelist", "show", "10.1.0.1"}, 0},
      {{"peer", "list"}, 0},
      {{"peer", "history", "10.1.0.1"}, 0},
      {{"audit", "list"}, 0},
      {{"audit", "verify"}, 0},
      {{"audit", "head"}, 0},
      {{"events"}, 0},
      {{"db", "check"}, 0},
      {{"config", "show"}, 0},
      {{"status"}, 3},
  };
  for (const auto& [arguments, status] : reads) {
    Outcome outcome;
    const auto took = elapsed([&] { outcome = ask_json(node, arguments); });
    EXPECT_EQ(outcome.status, status) << arguments[0] << " " << outcome.err;
    EXPECT_TRUE(parses_as_json(outcome.out)) << outcome.out;
    std::string name = "ms";
    for (const auto& word : arguments) name += "_" + std::string(word, 0, word.find('.'));
    RecordProperty(name, static_cast<int>(took.count()));
  }
  for (const auto& arguments : std::vector<std::vector<std::string>>{
           {"node", "stop"}, {"node", "reload"}, {"events", "--follow"}, {"node", "info"}}) {
    const auto refused = ask_json(node, arguments);
    EXPECT_EQ(not_this_error(refused, 69, "TC-NODE-001"), "") << arguments[1];
    EXPECT_NE(refused.err.find("node start"), std::string::npos) << refused.err;
  }
  NodeProcess up(sandbox, "127.73.0.3", "");  // the control: with a node they work
  up.start();
  EXPECT_EQ(up.timectl({"node", "info"}).status, 0);
  EXPECT_EQ(up.timectl({"node", "reload"}).status, 0);
}

TEST(FaultC4, AHelloOfAnotherVersionGetsAClearAnswer) {
  Sandbox sandbox;
  NodeProcess node(sandbox, "127.74.0.2", "");
  node.start();
  const auto hello = [](const std::string& params) {
    return R"({"jsonrpc":"2.0","id":1,"method":"hello","params":)" + params + "}\n";
  };
  const auto good = ask_socket(node.socket_path(), hello(R"({"api":1,"version":"0.1.0"})"));
  EXPECT_NE(good.find("\"result\""), std::string::npos) << good;  // the control
  for (const std::string params :
       {R"({"api":0,"version":"0"})", R"({"api":2,"version":"9.9","extra":[1]})",
        R"({"api":4294967296,"version":"9"})", R"({"api":-1})", R"({"api":1.5})", R"({})",
        R"({"api":"1"})"}) {
    const auto answer = ask_socket(node.socket_path(), hello(params));
    EXPECT_TRUE(parses_as_json(answer)) << params << answer;
    EXPECT_NE(answer.find("TC-CTL-002"), std::string::npos) << params << answer;
  }
  for (const std::string& line :
       {std::string("{}\n"), std::string("\n"), std::string("nonsense\n"), std::string("\0\n", 2),
        std::string(R"({"jsonrpc":"2.0","id":1,"method":"node.stop"})") + "\n",
        std::string(8000, '[') + "\n"}) {
    const auto answer = ask_socket(node.socket_path(), line);
    EXPECT_TRUE(answer.empty() || answer.find("\"error\"") != std::string::npos) << answer;
  }
  EXPECT_EQ(node.timectl({"node", "status"}).status, 0);
}

// A node of another version, as far as a command sees it: answers the first line, then closes.
class OtherNode {
 public:
  OtherNode(const std::string& path, std::string answer) : answer_(std::move(answer)) {
    fd_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof(address.sun_path) - 1);
    ::unlink(path.c_str());
    EXPECT_EQ(::bind(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    EXPECT_EQ(::listen(fd_, 1), 0);
    thread_ = std::thread([this] {
      const int client = ::accept(fd_, nullptr, nullptr);
      char line[4096];
      if (client >= 0 && ::recv(client, line, sizeof(line), 0) > 0) {
        (void)!::send(client, answer_.data(), answer_.size(), MSG_NOSIGNAL);
      }
      ::close(client);
    });
  }
  ~OtherNode() {
    ::shutdown(fd_, SHUT_RDWR);  // wakes an accept that nobody came for
    thread_.join();
    ::close(fd_);
  }
  OtherNode(const OtherNode&) = delete;
  OtherNode& operator=(const OtherNode&) = delete;

 private:
  std::string answer_;
  int fd_ = -1;
  std::thread thread_;
};

TEST(FaultC4, ANodeOfAnotherVersionIsNamedAndNothingElseIsBelieved) {
  Sandbox sandbox;
  const NodeProcess node(sandbox, "127.74.1.2", "");
  ASSERT_EQ(node.timectl({"whitelist", "add", "10.1.0.1"}).status, 0);
  const std::string refusal =
      R"({"jsonrpc":"2.0","id":1,"error":{"code":-32000,"message":"the node speaks control API 2",)"
      R"("data":{"code":"TC-CTL-002","message":"the node speaks control API 2","because":"",)"
      R"("try":["timectl node restart"]}}})";
  const std::string later =
      R"({"jsonrpc":"2.0","id":1,"result":{"api":2,"version":"9.0","pid":1,"more":true}})";
  for (const auto& answer : {refusal, later}) {
    const OtherNode other(node.socket_path(), answer + "\n");
    EXPECT_EQ(not_this_error(ask_json(node, {"whitelist", "list"}), 76, "TC-CTL-002"), "")
        << answer;
  }
  for (const std::string answer : {"", "nonsense\n", "{}\n", "\x1b[2J\n"}) {
    const OtherNode other(node.socket_path(), answer);
    const auto outcome = ask_json(node, {"whitelist", "list"});
    EXPECT_EQ(not_this_error(outcome, outcome.status, ""), "") << answer;
    EXPECT_NE(outcome.status, 0);
    EXPECT_LT(outcome.status, 128);
    EXPECT_FALSE(has_raw_control(outcome.err)) << outcome.err;
  }
}

TEST(FaultC11, AUserWhoMayNotIsToldWhichGroupMay) {
  const std::vector<std::string> nobody{"setpriv", "--reuid=65534", "--regid=65534",
                                        "--clear-groups"};
  Sandbox sandbox;
  NodeProcess node(sandbox, "127.75.0.2", "");
  const auto as_nobody = [&](std::vector<std::string> arguments) {
    auto argv = nobody;
    arguments.insert(arguments.begin(), "--json");
    const auto command = node.command(std::move(arguments));
    argv.insert(argv.end(), command.begin(), command.end());
    return run(argv);
  };
  fs::permissions(sandbox.path(), fs::perms(0755));
  if (!is_root() || as_nobody({"version"}).status != 0) {
    GTEST_SKIP() << "needs root, setpriv, and a build that others may run";
  }
  node.start();
  ASSERT_EQ(node.timectl({"whitelist", "add", "10.1.0.1"}).status, 0);
  const std::vector<std::vector<std::string>> commands{
      {"whitelist", "list"}, {"whitelist", "add", "10.1.0.2"}, {"status"}, {"audit", "verify"}};
  const auto expect_denied = [&](const char* when) {
    for (const auto& arguments : commands) {
      const auto denied = as_nobody(arguments);
      EXPECT_EQ(not_this_error(denied, 77, "TC-ACC-001"), "") << when << " " << arguments[0];
      EXPECT_NE(denied.err.find("group"), std::string::npos) << denied.err;
      EXPECT_EQ(denied.err.find("10.1.0.1"), std::string::npos) << denied.err;
      // Root's group gives more than the socket: nobody is advised to join it.
      EXPECT_EQ(denied.err.find("-aG root"), std::string::npos) << denied.err;
    }
  };
  fs::permissions(node.data_dir(), fs::perms(0700));
  expect_denied("behind a closed directory");
  fs::permissions(node.data_dir(), fs::perms(0755));
  expect_denied("at the socket");
  EXPECT_EQ(whitelisted(node).size(), 1U);  // the control: the node's user may
  node.signal(SIGTERM);
  EXPECT_EQ(node.wait_exit(), 0);
  fs::permissions(node.data_dir(), fs::perms(0700));
  for (const auto& arguments : commands) {
    EXPECT_EQ(as_nobody(arguments).status, 77) << "without a node: " << arguments[0];
  }
}

// W8, at the socket of a real node: the group reads and may change nothing, and that it tried is in
// the audit log, with its number, once a minute.
TEST(Privileges, AGroupMemberReadsAndWhatItMayNotIsAudited) {
  Sandbox sandbox;
  NodeProcess node(sandbox, "127.75.1.2", "");
  const auto as_member = [&](std::vector<std::string> arguments, const std::string& input = {}) {
    std::vector<std::string> argv{"setpriv", "--reuid=65533", "--regid=65533", "--groups=65533"};
    arguments.insert(arguments.begin(), "--json");
    const auto command = node.command(std::move(arguments));
    argv.insert(argv.end(), command.begin(), command.end());
    return run(argv, input);
  };
  fs::permissions(sandbox.path(), fs::perms(0755));
  if (!is_root() || as_member({"version"}).status != 0) {
    GTEST_SKIP() << "needs root, setpriv, and a build that others may run";
  }
  node.run_under({"setpriv", "--regid=65533", "--clear-groups"});
  node.start();
  fs::permissions(node.data_dir(), fs::perms(0755));
  EXPECT_EQ(as_member({"whitelist", "list"}).status, 0);
  EXPECT_EQ(as_member({"audit", "list"}).status, 0);
  EXPECT_EQ(node.query({"audit", "list"}).as_array().size(), 0U) << "reading is not audited";
  // Whoever may not import has no use for a line that long; the node does not even hold it.
  std::string list;
  for (int i = 0; i < 5000; ++i) {
    list += "10.3." + std::to_string(i / 250) + "." + std::to_string(1 + i % 250) +
            " reason=" + std::string(300, 'r') + "\n";
  }
  const auto big = as_member({"whitelist", "import", "-", "--yes"}, list);
  EXPECT_TRUE(big.status == 65 || big.status == 74) << big.status << big.err;
  EXPECT_EQ(ask_json(node, {"whitelist", "import", "-"}, list).status, 80) << "the control: root";
  for (const auto& change : std::vector<std::vector<std::string>>{
           {"whitelist", "add", "10.1.0.1"}, {"ban", "add", "10.1.0.2"}, {"node", "stop"}}) {
    EXPECT_EQ(not_this_error(as_member(change), 77, "TC-ACC-001"), "") << change[0];
  }
  EXPECT_TRUE(whitelisted(node).empty());
  auto rows = node.query({"audit", "list"}).as_array();
  ASSERT_EQ(rows.size(), 1U) << "one row a minute and user";
  EXPECT_EQ(rows[0].at("result").as_string(), "denied");
  EXPECT_EQ(rows[0].at("uid").to_number<int>(), 65533);
  EXPECT_EQ(rows[0].at("action").as_string(), "whitelist.add");
  node.signal(SIGTERM);
  EXPECT_EQ(node.wait_exit(), 0);
  rows = node.query({"audit", "list"}).as_array();
  ASSERT_EQ(rows.size(), 2U) << "the others are counted, and written at the stop";
  EXPECT_EQ(rows[1].at("after").as_string(), "{\"count\":2}");
  EXPECT_TRUE(node.query({"audit", "verify"}).at("ok").as_bool());
}

}  // namespace
}  // namespace timectl::e2e
