// The web server over real sockets of the loopback.
#include "daemon/web/server.h"

#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <thread>

#include "daemon/web/request.h"
#include "tests/web/web_lab.h"

namespace timectl::web {
namespace {

TEST(WebServer, ServesThePageAndItsFilesFromTheBinary) {
  const Running running;
  ASSERT_FALSE(assets().empty());
  for (const auto& asset : assets()) {
    RawClient client(running.port);
    client.get(asset.path, "Connection: close\r\n");
    ASSERT_TRUE(client.read_to_end());
    EXPECT_EQ(client.status(), 200U) << asset.path;
    EXPECT_TRUE(client.text().ends_with("\r\n\r\n" + std::string(asset.body))) << asset.path;
    EXPECT_NE(client.text().find("Content-Type: " + std::string(asset.type)), std::string::npos);
    RawClient again(running.port);
    again.get(asset.path,
              "If-None-Match: " + std::string(asset.etag) + "\r\nConnection: close\r\n");
    ASSERT_TRUE(again.read_to_end());
    EXPECT_EQ(again.status(), 304U);
    EXPECT_TRUE(again.text().ends_with("\r\n\r\n"));
  }
}

TEST(WebServer, AnswersRequestsOfOneConnectionInOrder) {
  const Running running;
  RawClient client(running.port);
  const std::string one = "GET /x HTTP/1.1\r\nHost: localhost\r\n\r\n";
  const std::string two = "GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n";
  const std::string three = "HEAD / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
  client.send(one + two + three);
  ASSERT_TRUE(client.read_to_end());
  const auto first = client.text().find("404 Not Found");
  const auto second = client.text().find("421 Misdirected Request");
  const auto third = client.text().find("401 Unauthorized");
  ASSERT_NE(third, std::string::npos) << client.text();
  EXPECT_LT(first, second);
  EXPECT_LT(second, third);
  EXPECT_TRUE(client.text().ends_with("\r\n\r\n")) << "HEAD has no body";
}

TEST(WebServer, RefusesWhatChangesOrIsNotMeantForIt) {
  const Running running;
  struct Row {
    std::string request;
    unsigned status;
  };
  const std::string host = "Host: localhost\r\n";
  const Row rows[] = {
      {"POST / HTTP/1.1\r\n" + host + "Content-Length: 3\r\n\r\nabc", 405},
      {"GET / HTTP/1.1\r\n" + host + "Content-Length: 3\r\n\r\nabc", 413},
      {"GET / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 413},
      {"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n", 421},
      {"GET / HTTP/1.1\r\n\r\n", 400},
      {"GET / HTTP/1.0\r\n\r\n", 400},
      {"GET /" + std::string(300, 'a') + " HTTP/1.1\r\n" + host + "\r\n", 414},
      {"GET / HTTP/1.1\r\n" + host + "A: " + std::string(9000, 'a') + "\r\n\r\n", 431},
      {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400},
      {std::string("\x16\x03\x01\0\xa5\x01\0\0\xa1", 9) + "\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\n" + host + "\r\n", 401},
      {"GET /api/stream HTTP/1.1\r\n" + host + "Cookie: timectl_1=x\r\n\r\n", 401},
  };
  for (const auto& row : rows) {
    RawClient client(running.port);
    client.send(row.request);
    ASSERT_TRUE(client.read_until("\r\n\r\n")) << row.status;
    EXPECT_EQ(client.status(), row.status) << row.request.substr(0, 80);
  }
}

TEST(WebServer, TheLinkGivesACookieThatOpensThePage) {
  const Running running;
  RawClient client(running.port);
  client.send("GET /?token=" + kToken + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
  ASSERT_TRUE(client.read_until("\r\n\r\n"));
  EXPECT_EQ(client.status(), 303U);
  const auto cookie = cookie_name(kToken) + "=" + kToken;
  EXPECT_NE(client.text().find("Set-Cookie: " + cookie + ";"), std::string::npos);
  client.forget();
  client.send("GET / HTTP/1.1\r\nHost: localhost\r\nCookie: " + cookie + "\r\n\r\n");
  ASSERT_TRUE(client.read_until("\r\n\r\n"));
  EXPECT_EQ(client.status(), 200U);
}

TEST(WebServer, AStreamBeginsWithEverythingAndSaysWhenItIsReady) {
  std::atomic<int> watched = 0;
  const Running running({.watched = [&] { ++watched; }});
  RawClient client(running.port);
  client.get("/api/stream");
  ASSERT_TRUE(client.read_until("\r\n\r\n"));
  EXPECT_EQ(client.status(), 200U);
  EXPECT_NE(client.text().find("Content-Type: text/event-stream"), std::string::npos);
  ASSERT_TRUE(running.streams_become(1));
  EXPECT_EQ(watched, 1);
  running.put("status", "{\"a\":1}");
  ASSERT_TRUE(client.read_until("event: ready\ndata: {}\n\n"));
  EXPECT_NE(client.text().find("event: put\ndata: {\"key\":\"status\",\"value\":{\"a\":1}}\n\n"
                               "event: ready"),
            std::string::npos);
  client.forget();
  running.put("masternode/192.0.2.1", "1");
  ASSERT_TRUE(client.read_until("\n\n"));
  EXPECT_EQ(client.text(), "event: put\ndata: {\"key\":\"masternode/192.0.2.1\",\"value\":1}\n\n");
  client.close();
  EXPECT_TRUE(running.streams_become(0));
}

TEST(WebServer, AStreamWaitsForFreshValuesButNotForEver) {
  Limits limits;
  limits.tick = std::chrono::milliseconds(10);
  limits.first_board = std::chrono::milliseconds(50);
  const Running running({.limits = limits});
  running.put("status", "1");  // of a time when somebody looked
  RawClient client(running.port);
  client.get("/api/stream");
  EXPECT_TRUE(client.read_until("event: ready"));
}

TEST(WebServer, ASilentStreamSaysThatItIsAlive) {
  Limits limits;
  limits.tick = std::chrono::milliseconds(10);
  limits.alive = std::chrono::milliseconds(30);
  const Running running({.limits = limits});
  RawClient client(running.port);
  client.get("/api/stream");
  EXPECT_TRUE(client.read_until(": alive\n\n: alive\n\n"));
}

TEST(WebServer, TextsAreMadeByTheNodeAndAskedForOnce) {
  std::mutex mutex;
  std::vector<Deliver> asked;
  const Running running({.overview = [&](Deliver deliver) {
    const std::scoped_lock lock(mutex);
    asked.push_back(std::move(deliver));
  }});
  std::vector<RawClient> clients;
  for (int i = 0; i < 5; ++i) {
    clients.emplace_back(running.port);
    clients.back().get("/api/overview", "Connection: close\r\n");
  }
  ASSERT_TRUE(eventually([&] {
    const std::scoped_lock lock(mutex);
    return !asked.empty();
  }));
  {
    const std::scoped_lock lock(mutex);
    asked.front()([] { return std::string("{\"x\":1}"); });
  }
  for (auto& client : clients) {
    ASSERT_TRUE(client.read_to_end());
    EXPECT_EQ(client.status(), 200U);
    EXPECT_TRUE(client.text().ends_with("\r\n\r\n{\"x\":1}"));
  }
  const std::scoped_lock lock(mutex);
  EXPECT_EQ(asked.size(), 1U);
}

TEST(WebServer, MetricsCanHaveADoorOfTheirOwn) {
  const Source source = [](const Deliver& deliver) {
    deliver([] { return std::string("timectl_up 1\n"); });
  };
  const Running running({.metrics = source}, {.pages = false, .metrics = true});
  RawClient client(running.port);
  client.get("/metrics", "Connection: close\r\n");
  ASSERT_TRUE(client.read_to_end());
  EXPECT_EQ(client.status(), 200U);
  EXPECT_NE(client.text().find("Content-Type: text/plain; version=0.0.4"), std::string::npos);
  EXPECT_TRUE(client.text().ends_with("\r\n\r\ntimectl_up 1\n"));
  RawClient other(running.port);
  other.get("/", "Connection: close\r\n");
  ASSERT_TRUE(other.read_to_end());
  EXPECT_EQ(other.status(), 404U);
}

TEST(WebServer, AnAnswerThatComesAfterTheEndHarmsNobody) {
  std::mutex mutex;
  std::vector<Deliver> asked;
  auto running = std::make_unique<Running>(ServerOptions{.history = [&](Deliver deliver) {
    const std::scoped_lock lock(mutex);
    asked.push_back(std::move(deliver));
  }});
  RawClient client(running->port);
  client.get("/api/history");
  ASSERT_TRUE(eventually([&] {
    const std::scoped_lock lock(mutex);
    return !asked.empty();
  }));
  running.reset();
  EXPECT_TRUE(client.read_to_end());
  asked.front()([] { return std::string("late"); });
}

TEST(WebServer, APortThatIsTakenIsAnErrorThatSaysSo) {
  const Running running;
  Server second({.token = kToken});
  const auto bound = second.listen({.port = running.port});
  ASSERT_FALSE(bound);
  EXPECT_EQ(bound.error().code, Code::port_in_use);
  EXPECT_NE(bound.error().message.find(std::to_string(running.port)), std::string::npos);
}

TEST(WebServer, ThePortIsFreeAtOnceAfterTheEnd) {
  auto running = std::make_unique<Running>();
  const auto port = running->port;
  RawClient client(port);
  client.get("/api/stream");
  ASSERT_TRUE(client.read_until("\r\n\r\n"));
  running.reset();
  Server second({.token = kToken});
  EXPECT_TRUE(second.listen({.port = port}));
}

}  // namespace
}  // namespace timectl::web
