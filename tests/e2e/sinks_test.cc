// Alerts of a real node that arrive: at once, in order, over a kill, while one sink hangs.
#include <gtest/gtest.h>

#include <csignal>
#include <fstream>
#include <iostream>
#include <mutex>
#include <set>
#include <sstream>

#include "tests/e2e/sandbox.h"
#include "tests/support/https_server.h"

namespace timectl::e2e {
namespace {

using namespace std::chrono_literals;
using testing::HttpsServer;
using testing::ServerConnection;

// A webhook: what it answers may be changed; 0 is nothing at all.
class Hook {
 public:
  explicit Hook(int status = 200)
      : status_(status), server_({.address = "127.0.0.7"}, [this](auto& c) { serve(c); }) {}
  void say(int status) {
    const std::lock_guard lock(mutex_);
    status_ = status;
  }
  [[nodiscard]] std::string url() const { return "http://" + server_.endpoint() + "/KEY"; }
  // Every alert that was taken with a 200, in order.
  [[nodiscard]] std::vector<json::object> taken() const {
    const std::lock_guard lock(mutex_);
    return taken_;
  }
  [[nodiscard]] std::size_t requests() const { return server_.requests().size(); }
  [[nodiscard]] bool wait_for_request() const { return server_.wait_for_requests(1); }
  [[nodiscard]] std::vector<std::string> events(const std::string& rule) const {
    std::vector<std::string> found;
    for (const auto& alert : taken()) {
      if (alert.at("rule").as_string() == rule) found.emplace_back(alert.at("event").as_string());
    }
    return found;
  }

 private:
  void serve(ServerConnection& connection) {
    const auto head = connection.read_request();
    const auto at = head.find("Content-Length: ");
    if (at == std::string::npos) return;
    const auto body = connection.read_body(std::stoul(head.substr(at + 16)));
    int status = 0;
    {
      const std::lock_guard lock(mutex_);
      status = status_;
    }
    if (status == 0) return connection.wait();
    if (status == 200) {
      const auto parsed = json::parse(body);
      const std::lock_guard lock(mutex_);
      for (const auto& alert : parsed.at("alerts").as_array()) taken_.push_back(alert.as_object());
    }
    connection.send("HTTP/1.1 " + std::to_string(status) +
                    " x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
  }
  mutable std::mutex mutex_;
  int status_;
  std::vector<json::object> taken_;
  HttpsServer server_;
};

std::string sink(const std::string& name, const Hook& hook, const std::string& more = "") {
  return "\n[[alerts.sink]]\nname = \"" + name + "\"\nkind = \"webhook\"\nseverity = \"notice\"\n" +
         "rules = [\"config_rejected\", \"sink_failing\"]\nurl = \"" + hook.url() + "\"\n" + more;
}

std::string read(const std::string& path) {
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

// A reload that is refused raises an alert at once; the file is whole again when this returns.
void raise(const NodeProcess& node) {
  const auto whole = read(node.config_path());
  const auto before = node.log().size();
  std::ofstream(node.config_path(), std::ios::app) << "\n[nonsense]\n";
  node.signal(SIGHUP);
  EXPECT_TRUE(wait_for(
      [&] { return node.log().find("ALERT: A new configuration", before) != std::string::npos; },
      20s))
      << node.log();
  std::ofstream(node.config_path(), std::ios::trunc) << whole;
}

json::array deliveries(const NodeProcess& node) {
  const auto rows = node.query({"alerts", "list"});
  for (const auto& row : rows.as_array()) {
    if (row.at("rule") == "config_rejected") return row.at("deliveries").as_array();
  }
  return {};
}

TEST(Sinks, AnAlertIsAtTheWebhookSoonAfterItsEvent) {
  Sandbox sandbox;
  Hook hook;
  NodeProcess node(sandbox, "127.37.2.2", sink("pager", hook));
  node.start();
  const auto whole = read(node.config_path());
  std::ofstream(node.config_path(), std::ios::app) << "\n[nonsense]\n";
  const auto took = elapsed([&] {
    node.signal(SIGHUP);
    EXPECT_TRUE(wait_for([&] { return hook.taken().size() == 1; }, 20s)) << node.log();
  });
  std::ofstream(node.config_path(), std::ios::trunc) << whole;
  std::cout << "from the signal to the webhook: " << took.count() << " ms\n";
#ifndef TIMECTL_SANITIZED
  EXPECT_LT(took, 3s) << "a second on an idle machine, and this one may not be";
#endif
  EXPECT_EQ(hook.events("config_rejected"), std::vector<std::string>{"fired"});
  ASSERT_TRUE(wait_for(
      [&] {
        const auto sent = deliveries(node);
        return sent.size() == 1 && sent[0].at("state") == "delivered";
      },
      10s));
  EXPECT_EQ(deliveries(node)[0].at("sink"), "pager");
  EXPECT_EQ(node.log().find("/KEY"), std::string::npos) << "a url is a secret";
}

TEST(Sinks, WhatWaitedThroughAKillArrivesOnceInOrder) {
  Sandbox sandbox;
  Hook hook(500);
  NodeProcess node(sandbox, "127.37.2.3", sink("pager", hook));
  node.start();
  raise(node);
  ASSERT_TRUE(hook.wait_for_request());
  ASSERT_TRUE(wait_for([&] { return !deliveries(node).empty(); }, 10s));
  EXPECT_EQ(deliveries(node)[0].at("state"), "waiting");
  node.kill9();
  EXPECT_EQ(deliveries(node).size(), 1U) << "without a node";
  hook.say(200);
  node.start();  // which ends the alert
  ASSERT_TRUE(wait_for([&] { return hook.events("config_rejected").size() == 2; }, 30s))
      << node.log();
  EXPECT_EQ(hook.events("config_rejected"), (std::vector<std::string>{"fired", "resolved"}));
  std::set<std::string> keys;
  const auto taken = hook.taken();
  for (const auto& alert : taken) keys.emplace(alert.at("key").as_string());
  EXPECT_EQ(keys.size(), taken.size()) << "each once";
}

TEST(Sinks, OneThatHangsHoldsUpNeitherTheOtherNorTheNodeNorItsStop) {
  Sandbox sandbox;
  Hook hanging(0);
  Hook good;
  NodeProcess node(sandbox, "127.37.2.4",
                   sink("hangs", hanging, "timeout = 300\n") + sink("good", good));
  node.start();
  raise(node);
  ASSERT_TRUE(hanging.wait_for_request());
  EXPECT_TRUE(wait_for([&] { return good.events("config_rejected").size() == 1; }, 10s));
  EXPECT_EQ(node.timectl({"status"}).err.find("error"), std::string::npos);
  const auto took = elapsed([&] {
    node.signal(SIGTERM);
    EXPECT_EQ(node.wait_exit(), 0);
  });
  EXPECT_LT(took, 8s);
}

TEST(Sinks, ATestShowsTheAnswerAndSaysNoWhereItIsNotTaken) {
  Sandbox sandbox;
  Hook hook;
  NodeProcess node(sandbox, "127.37.2.5",
                   sink("pager", hook) +
                       "\n[[alerts.sink]]\nname = \"page\"\nkind = \"command\"\n"
                       "command = [\"/bin/sh\", \"-c\", \"echo no pager; exit 7\"]\n");
  const auto alone = node.timectl({"alerts", "test", "pager"});
  EXPECT_EQ(alone.status, 0) << alone.err;
  EXPECT_NE(alone.out.find("pager (webhook to 127.0.0.7) took the test"), std::string::npos)
      << alone.out;
  node.start();
  const auto asked = node.query({"alerts", "test", "pager"});
  EXPECT_EQ(asked.at("status"), 200);
  EXPECT_EQ(hook.taken().size(), 2U);
  EXPECT_TRUE(hook.taken().at(1).at("test").as_bool());
  const auto failed = node.timectl({"alerts", "test", "page"});
  EXPECT_EQ(failed.status, 1);
  EXPECT_NE(failed.out.find("exit status 7"), std::string::npos) << failed.out;
  EXPECT_NE(failed.out.find("answer: no pager"), std::string::npos) << failed.out;
  EXPECT_NE(node.timectl({"alerts", "test", "nobody"}).err.find("there is no alert sink nobody"),
            std::string::npos);
}

}  // namespace
}  // namespace timectl::e2e
