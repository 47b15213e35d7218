#include "cmd/client.h"

#include <gtest/gtest.h>

#include <atomic>
#include <boost/asio/post.hpp>
#include <thread>

#include "daemon/clock.h"
#include "tests/control/methods_lab.h"

namespace timectl::test {
namespace {

using namespace std::chrono_literals;

// A node's control side in a thread of its own: real socket, real methods, real database.
class ClientTest : public MethodsTest {
 protected:
  ~ClientTest() override { stop(); }
  void start(control::Limits limits = {}) {
    with_node();
    control::ServerOptions options;
    options.path = socket();
    options.node_uid = ::getuid();
    options.limits = limits;
    options.now = [] { return clock_now().mono; };
    server_ = std::make_unique<control::Server>(
        io_, options,
        [this](const std::string& name, const json::value& params, const control::Actor& actor) {
          return methods_->handle(name, params, actor);
        });
    ASSERT_TRUE(server_->listen());
    thread_ = std::thread([this] {
      while (!done_) {
        io_.restart();
        io_.run_one_for(5ms);
      }
    });
  }
  void stop() {
    done_ = true;
    if (thread_.joinable()) thread_.join();
    server_.reset();
  }
  [[nodiscard]] std::string socket() const { return dir_ / "node.sock"; }
  [[nodiscard]] cmd::Route route() const {
    cmd::Route route;
    route.socket = socket();
    route.config.node.data_dir = dir_.path();
    route.timeout = 10s;
    route.command = "client_test";
    return route;
  }

  boost::asio::io_context io_{1};
  std::unique_ptr<control::Server> server_;
  std::thread thread_;
  std::atomic<bool> done_ = false;
};

TEST_F(ClientTest, CallsTheNodeAndBringsItsErrorsBack) {
  start();
  auto client = cmd::Client::connect(socket(), 5s);
  ASSERT_TRUE(client) << client.error().message;
  EXPECT_EQ(client->node().pid, 77);
  const auto added =
      client->call("whitelist.add", json::object{{"ips", json::array{"10.0.0.1"}}}, 5s);
  ASSERT_TRUE(added) << added.error().message;
  EXPECT_EQ(added->at(0).at("result"), "added");
  const auto error =
      client->call("whitelist.add", json::object{{"ips", json::array{"10.0.0.300"}}}, 5s);
  ASSERT_FALSE(error);
  EXPECT_EQ(error.error().code, Code::not_an_address);
  EXPECT_EQ(error.error().remedy, std::vector<std::string>{"timectl whitelist add 10.0.0.30"});
}

TEST_F(ClientTest, WithoutANodeTheSameCallsWorkOnTheDatabase) {
  database_.reset();  // gives the lock back
  auto writer = cmd::Backend::open(route(), "whitelist.add");
  ASSERT_TRUE(writer) << writer.error().message;
  EXPECT_EQ(writer->source(), "database");
  control::WhitelistAddRequest request;
  request.ips = {"10.0.0.1"};
  const auto added = writer->call("whitelist.add", request);
  ASSERT_TRUE(added) << added.error().message;
  EXPECT_EQ(added->at(0).at("result"), "added");
  auto hurried = route();
  hurried.timeout = 30ms;
  const auto second = cmd::Backend::open(hurried, "audit.list");
  ASSERT_FALSE(second) << "the first still holds the lock";
  EXPECT_EQ(second.error().code, Code::database_locked);
}

TEST_F(ClientTest, ReadingWhereNothingIsMakesNothing) {
  database_.reset();
  auto elsewhere = route();
  elsewhere.config.node.data_dir = dir_ / "never";
  auto reader = cmd::Backend::open(elsewhere, "whitelist.list");
  ASSERT_TRUE(reader) << reader.error().message;
  EXPECT_TRUE(reader->call("whitelist.list")->as_array().empty());
  EXPECT_EQ(reader->call("status")->at("verdict"), "unknown");
  EXPECT_FALSE(std::filesystem::exists(dir_ / "never"));
}

TEST_F(ClientTest, ALockedDatabaseNamesItsHolder) {
  auto hurried = route();
  hurried.timeout = 30ms;
  const auto refused = cmd::Backend::open(hurried, "whitelist.add");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::database_locked);
  EXPECT_NE((refused.error().message + refused.error().because).find("methods_test"),
            std::string::npos);
}

TEST_F(ClientTest, WhatNeedsTheNodeFailsWithoutOne) {
  const auto refused = cmd::Backend::open(route(), "node.stop");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::node_not_running);
}

TEST_F(ClientTest, ANodeThatDoesNotAnswerIsATimeOut) {
  start();
  done_ = true;
  thread_.join();
  const auto late = cmd::Client::connect(socket(), 50ms);
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, Code::timed_out);
}

TEST_F(ClientTest, FollowsEvents) {
  start();
  auto client = cmd::Client::connect(socket(), 5s);
  ASSERT_TRUE(client);
  ASSERT_TRUE(client->call("events.follow", nullptr, 5s));
  Event event;
  event.kind = EventKind::peer_suspect;
  boost::asio::post(io_, [this, event] { server_->publish(event); });
  const auto seen = client->next_event(5s);
  ASSERT_TRUE(seen);
  ASSERT_TRUE(*seen);
  EXPECT_EQ((*seen)->at("kind"), "peer_suspect");
  const auto quiet = client->next_event(10ms);
  ASSERT_TRUE(quiet);
  EXPECT_FALSE(*quiet);
}

// FT-C5. Far more clients than the node takes at once: each gets its turn, each change happens
// once, and the chain of the audit log is whole.
TEST_F(ClientTest, AHundredConcurrentAddsHappenExactlyOnce) {
  start();
  std::atomic<int> added = 0;
  std::atomic<int> unchanged = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 100; ++i) {
    threads.emplace_back([&, i] {
      const auto ip = i % 2 == 0 ? std::string("10.1.0.1") : "10.2.0." + std::to_string(i);
      auto client = cmd::Client::connect(socket(), 30s);
      ASSERT_TRUE(client) << client.error().message << client.error().because;
      const auto reply = client->call("whitelist.add", json::object{{"ips", json::array{ip}}}, 30s);
      ASSERT_TRUE(reply) << reply.error().message;
      (reply->at(0).at("result") == "added" ? added : unchanged) += 1;
    });
  }
  for (auto& thread : threads) thread.join();
  stop();
  EXPECT_EQ(added, 51);
  EXPECT_EQ(unchanged, 49);
  EXPECT_EQ(stored().size(), 51U);
  EXPECT_EQ(audit().size(), 51U);
  EXPECT_EQ(good("audit.verify").at("ok"), true);
}

}  // namespace
}  // namespace timectl::test
