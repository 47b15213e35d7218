#include "daemon/control/server.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <future>
#include <memory>

#include "tests/control/lab.h"

namespace timectl::control {
namespace {

using test::RawClient;
using test::run_until;
using test::TempDir;

// A server whose handler is the test's: `hello` agrees, everything else asks `answer`.
class ServerTest : public ::testing::Test {
 protected:
  void start() {
    ServerOptions options;
    options.path = path();
    options.node_uid = ::getuid();
    options.limits = limits_;
    options.now = [this] { return clock_; };
    server_ = std::make_unique<Server>(
        io_, options,
        [this](const std::string& method, const json::value& params, const Actor& who) {
          if (method == "hello") return Reply{json::value(json::object{{"api", 1}})};
          calls_.push_back(method);
          actor_ = who;
          return answer_(method, params);
        });
    const auto listening = server_->listen();
    ASSERT_TRUE(listening) << listening.error().message << ": " << listening.error().because;
  }
  std::unique_ptr<RawClient> greeted() {
    auto client = std::make_unique<RawClient>(path());
    client->hello();
    EXPECT_TRUE(client->wait(io_).result);
    return client;
  }
  [[nodiscard]] std::string path() const { return dir_ / "run/node.sock"; }

  TempDir dir_;
  boost::asio::io_context io_{1};
  Limits limits_;
  Instant clock_{};
  std::vector<std::string> calls_;
  Actor actor_;
  std::function<Reply(const std::string&, const json::value&)> answer_ =
      [](const std::string& method, const json::value&) { return Reply{json::value(method)}; };
  std::unique_ptr<Server> server_;
};

TEST_F(ServerTest, DirectoryAndSocketHaveTheirModesUnderAnyUmask) {
  const auto before = ::umask(077);  // as the daemon sets it
  start();
  ::umask(before);
  struct stat info {};
  ASSERT_EQ(::stat(path().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777U, 0660U);
  ASSERT_EQ(::stat((dir_ / "run").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777U, 0750U);
}

TEST_F(ServerTest, TheKernelSaysWhoAsks) {
  start();
  const auto client = greeted();
  client->request(1, "status");
  EXPECT_TRUE(client->wait(io_).result);
  EXPECT_EQ(actor_.uid, ::getuid());
  EXPECT_EQ(actor_.gid, ::getgid());
  EXPECT_EQ(actor_.pid, ::getpid());
  EXPECT_EQ(actor_.via, "socket");
  std::vector<gid_t> groups(1024);
  groups.resize(static_cast<std::size_t>(::getgroups(1024, groups.data())));
  EXPECT_EQ(actor_.groups, std::vector<std::uint32_t>(groups.begin(), groups.end()));
}

TEST_F(ServerTest, HelloComesFirst) {
  start();
  RawClient client(path());
  client.request(1, "status");
  const auto reply = client.wait(io_);
  ASSERT_FALSE(reply.result);
  EXPECT_EQ(reply.result.error().code, Code::protocol_mismatch);
  EXPECT_TRUE(client.wait_closed(io_));
  EXPECT_TRUE(calls_.empty());
}

TEST_F(ServerTest, TwoRequestsInOneWriteAreAnsweredInOrder) {
  start();
  const auto client = greeted();
  client->send(request_line(1, "status", nullptr) + request_line("b", "peer.list", nullptr));
  const auto first = client->wait(io_);
  const auto second = client->wait(io_);
  EXPECT_EQ(first.id, 1);
  EXPECT_EQ(*first.result, "status");
  EXPECT_EQ(second.id, "b");
  EXPECT_EQ(*second.result, "peer.list");
}

TEST_F(ServerTest, ATruncatedLineIsNoRequest) {
  start();
  auto client = greeted();
  client->send(R"({"jsonrpc":"2.0","id":1,"method":"whitelist.add")");
  client->close();
  EXPECT_TRUE(run_until(io_, [&] { return server_->clients() == 0; }));
  EXPECT_TRUE(calls_.empty());
}

TEST_F(ServerTest, MalformedLinesAreAnsweredAndTheConnectionGoesOn) {
  start();
  const auto client = greeted();
  client->send("{\"jsonrpc\":\n\xff\xfe\n");
  for (int i = 0; i < 2; ++i) {
    const auto reply = client->wait(io_);
    ASSERT_FALSE(reply.result);
    EXPECT_EQ(reply.result.error().code, Code::bad_data);
    EXPECT_TRUE(reply.id.is_null());
  }
  client->request(3, "status");
  EXPECT_TRUE(client->wait(io_).result);
}

TEST_F(ServerTest, OversizedLineIsRefusedAndTheClientCut) {
  start();
  const auto client = greeted();
  const std::string junk(65536, 'x');
  std::size_t sent = 0;
  EXPECT_TRUE(run_until(io_, [&] { return (sent += client->send(junk)) > kRequestLimit + 65536; }));
  const auto reply = client->wait(io_);
  ASSERT_FALSE(reply.result);
  EXPECT_EQ(reply.result.error().code, Code::too_large);
  EXPECT_TRUE(client->wait_closed(io_));
}

TEST_F(ServerTest, BeforeHelloALineIsShort) {
  start();
  RawClient client(path());
  client.send(std::string(5000, ' ') + "\n");
  const auto reply = client.wait(io_);
  ASSERT_FALSE(reply.result);
  EXPECT_EQ(reply.result.error().code, Code::too_large);
  EXPECT_TRUE(client.wait_closed(io_));
}

TEST_F(ServerTest, AClientThatReadsNothingIsHeldToOneAnswerAndThenCut) {
  limits_.write_timeout = 50ms;
  answer_ = [](const std::string&, const json::value&) {
    return Reply{json::value(std::string(4'000'000, 'a'))};
  };
  start();
  const auto slow = greeted();
  std::string many;
  for (int i = 0; i < 100; ++i) many += request_line(i, "audit.export", nullptr);
  slow->send(many);
  ASSERT_TRUE(run_until(io_, [&] { return !calls_.empty(); }));
  const auto other = greeted();
  EXPECT_TRUE(run_until(io_, [&] { return server_->clients() == 1; }));
  EXPECT_EQ(calls_.size(), 1U);
  EXPECT_FALSE(other->closed());
}

TEST_F(ServerTest, TooManyClientsAreToldSo) {
  limits_.clients_per_uid = 2;
  start();
  const auto first = greeted();
  const auto second = greeted();
  RawClient third(path());
  const auto reply = third.wait(io_);
  ASSERT_FALSE(reply.result);
  EXPECT_EQ(reply.result.error().code, Code::busy);
  EXPECT_TRUE(third.wait_closed(io_));
  first->close();
  ASSERT_TRUE(run_until(io_, [&] { return server_->clients() == 1; }));
  EXPECT_TRUE(greeted()->connected());
}

TEST_F(ServerTest, AnIdleClientIsCutAndOneWithoutHelloSooner) {
  limits_.hello_timeout = 20ms;
  limits_.idle_timeout = 60ms;
  start();
  RawClient silent(path());
  const auto idle = greeted();
  EXPECT_TRUE(silent.wait_closed(io_));
  EXPECT_EQ(server_->clients(), 1U);
  EXPECT_TRUE(idle->wait_closed(io_));
  EXPECT_EQ(server_->clients(), 0U);
}

Event event_of(EventKind kind) {
  Event event;
  event.kind = kind;
  return event;
}

TEST_F(ServerTest, AFollowerGetsWhatItsFilterPassesAndMayBeSilent) {
  limits_.idle_timeout = 20ms;
  answer_ = [](const std::string&, const json::value&) {
    Reply reply{json::value(json::array{})};
    reply.follow = [](const Event& event) { return event.kind == EventKind::peer_connected; };
    return reply;
  };
  start();
  const auto follower = greeted();
  const auto idle = greeted();
  follower->request(1, "events.follow");
  ASSERT_TRUE(follower->wait(io_).result);
  ASSERT_TRUE(idle->wait_closed(io_));  // so the follower has outlived the idle time
  server_->publish(event_of(EventKind::peer_suspect));
  server_->publish(event_of(EventKind::peer_connected));
  const auto note = follower->wait(io_);
  EXPECT_EQ(note.method, "event");
  EXPECT_EQ(note.result->as_object().at("kind"), "peer_connected");
  follower->close();
  EXPECT_TRUE(run_until(io_, [&] { return server_->clients() == 0; }));
}

TEST_F(ServerTest, AFollowerThatDoesNotReadIsCutAndTheOthersStay) {
  limits_.output = 10'000;
  answer_ = [](const std::string&, const json::value&) {
    Reply reply{json::value(json::array{})};
    reply.follow = [](const Event&) { return true; };
    return reply;
  };
  start();
  const auto slow = greeted();
  const auto quick = greeted();
  for (const auto* client : {slow.get(), quick.get()}) client->request(1, "events.follow");
  ASSERT_TRUE(slow->wait(io_).result);
  ASSERT_TRUE(quick->wait(io_).result);
  auto event = event_of(EventKind::violation);
  event.detail = std::string(900, 'x');
  int published = 0;
  EXPECT_TRUE(run_until(io_, [&] {
    server_->publish(event);
    ++published;
    io_.restart();
    io_.poll();
    (void)quick->closed();
    return server_->clients() == 1;
  }));
  EXPECT_FALSE(quick->closed());
  EXPECT_GT(published, 10);
}

TEST_F(ServerTest, ALongJobDoesNotKeepTheOthersWaiting) {
  std::promise<void> release;
  answer_ = [&](const std::string& method, const json::value&) {
    Reply reply{json::value(method)};
    if (method == "db.check") {
      reply.job = [&release](const std::stop_token&) -> Result<json::value> {
        release.get_future().wait();
        return json::value("sound");
      };
    }
    return reply;
  };
  start();
  const auto patient = greeted();
  const auto quick = greeted();
  patient->request(1, "db.check");
  ASSERT_TRUE(run_until(io_, [&] { return !calls_.empty(); }));
  quick->request(2, "status");
  EXPECT_EQ(*quick->wait(io_).result, "status");
  EXPECT_TRUE(patient->line().empty());
  release.set_value();
  EXPECT_EQ(*patient->wait(io_).result, "sound");
}

TEST_F(ServerTest, StopAsksJobsToEndAndWaitsForThem) {
  bool ended = false;
  answer_ = [&](const std::string&, const json::value&) {
    Reply reply;
    reply.job = [&ended](const std::stop_token& stop) -> Result<json::value> {
      std::promise<void> stopped;
      const std::stop_callback on_stop(stop, [&] { stopped.set_value(); });
      stopped.get_future().wait();
      ended = true;
      return Error{Code::interrupted, "stopped"};
    };
    return reply;
  };
  start();
  const auto client = greeted();
  client->request(1, "db.check");
  ASSERT_TRUE(run_until(io_, [&] { return !calls_.empty(); }));
  server_.reset();
  EXPECT_TRUE(ended);
}

TEST_F(ServerTest, AUserOverHisBudgetWaitsAndIsThenServed) {
  limits_.burst = 100ms;
  limits_.share_privileged = 0.5;
  answer_ = [this](const std::string& method, const json::value&) {
    if (method == "audit.list") clock_ += 150ms;  // a call that takes the thread that long
    return Reply{json::value(method)};
  };
  start();
  const auto client = greeted();
  client->request(1, "audit.list");
  EXPECT_TRUE(client->wait(io_).result);
  client->request(2, "status");
  io_.restart();
  io_.run_for(20ms);
  EXPECT_EQ(calls_.size(), 1U);
  EXPECT_EQ(*client->wait(io_).result, "status");
}

// A diagnosis waits for seconds: nobody is made to wait for that again.
TEST_F(ServerTest, AJobThatOnlyWaitedCostsNothing) {
  limits_.burst = 100ms;
  limits_.share_privileged = 0.01;
  std::promise<void> release;
  answer_ = [&](const std::string& method, const json::value&) {
    Reply reply{json::value(method)};
    if (method == "diagnose.peer") {
      reply.job = [&release](const std::stop_token&) -> Result<json::value> {
        release.get_future().wait();
        return json::value("waited");
      };
    }
    return reply;
  };
  start();
  const auto client = greeted();
  client->request(1, "diagnose.peer");
  ASSERT_TRUE(run_until(io_, [&] { return !calls_.empty(); }));
  clock_ += 5s;
  release.set_value();
  EXPECT_EQ(*client->wait(io_).result, "waited");
  client->request(2, "status");
  io_.restart();
  ASSERT_TRUE(run_until(io_, [&] { return calls_.size() == 2; }));
  EXPECT_EQ(*client->wait(io_).result, "status");
}

TEST_F(ServerTest, StopAnswersWhatIsUnderWayAndRemovesTheSocket) {
  answer_ = [this](const std::string&, const json::value&) {
    server_->stop();
    return Reply{json::value("stopping")};
  };
  start();
  const auto idle = greeted();
  const auto client = greeted();
  client->request(1, "node.stop");
  EXPECT_EQ(*client->wait(io_).result, "stopping");
  EXPECT_TRUE(client->wait_closed(io_));
  EXPECT_TRUE(idle->wait_closed(io_));
  EXPECT_EQ(server_->clients(), 0U);
  EXPECT_FALSE(std::filesystem::exists(path()));
  EXPECT_FALSE(RawClient(path()).connected());
}

TEST_F(ServerTest, AStaleSocketIsReplacedAndALiveOneNever) {
  std::filesystem::create_directory(dir_ / "run");
  {  // what a killed node leaves: a file that nobody listens on
    const int dead = ::socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path().data(), path().size());
    ASSERT_EQ(::bind(dead, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    ::close(dead);
  }
  start();
  Server second(io_, ServerOptions{path(), {}, 0, {}, [] { return Instant{}; }},
                [](const auto&, const auto&, const auto&) { return Reply{}; });
  const auto refused = second.listen();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::node_already_running);
  EXPECT_TRUE(greeted()->connected()) << "the live one still serves";
}

TEST_F(ServerTest, WhatIsNoSocketIsLeftAlone) {
  std::filesystem::create_directory(dir_ / "run");
  std::ofstream(path()) << "precious";
  Server server(io_, ServerOptions{path(), {}, 0, {}, [] { return Instant{}; }},
                [](const auto&, const auto&, const auto&) { return Reply{}; });
  const auto refused = server.listen();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::cannot_create);
  EXPECT_EQ(std::filesystem::file_size(path()), 8U);
}

TEST_F(ServerTest, APathOrGroupThatCannotBeIsAnError) {
  for (const auto& options : {ServerOptions{dir_ / std::string(200, 'p'), {}, 0, {}, {}},
                              ServerOptions{path(), "no-such-group-here", 0, {}, {}}}) {
    Server server(io_, options, [](const auto&, const auto&, const auto&) { return Reply{}; });
    const auto refused = server.listen();
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::cannot_create);
  }
}

}  // namespace
}  // namespace timectl::control
