// What clients may not do to the web server: wait for ever, never read, come in crowds.
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include <atomic>

#include "tests/web/web_lab.h"

namespace timectl::web {
namespace {

using namespace std::chrono_literals;

Limits quick() {
  Limits limits;
  limits.tick = 10ms;
  limits.first_board = 20ms;
  return limits;
}

bool answers(const Running& running) {
  RawClient client(running.port);
  client.get("/", "Connection: close\r\n");
  return client.read_to_end() && client.status() == 200;
}

TEST(WebServerLimits, AHeadThatNeverEndsIsClosed) {
  auto limits = quick();
  limits.head = 100ms;
  const Running running({.limits = limits});
  RawClient silent(running.port);
  RawClient slow(running.port);
  slow.send("GET / HTTP/1.1\r\nHost: ");
  EXPECT_TRUE(silent.read_to_end());
  EXPECT_TRUE(slow.read_to_end());
  EXPECT_EQ(slow.text(), "");
}

TEST(WebServerLimits, OneByteAfterTheOtherBuysNoTime) {
  auto limits = quick();
  limits.head = 200ms;
  const Running running({.limits = limits});
  RawClient client(running.port);
  client.send("GET /");
  pollfd ended{.fd = client.descriptor(), .events = POLLIN, .revents = 0};
  int bytes = 0;
  for (; bytes < 4000 && ::poll(&ended, 1, 5) == 0; ++bytes) client.send("a");
  EXPECT_LT(bytes, 4000) << "20 seconds";
  EXPECT_TRUE(client.read_to_end());
  EXPECT_EQ(client.text(), "") << "by the time, not by the length";
}

TEST(WebServerLimits, AnIdleConnectionIsClosed) {
  auto limits = quick();
  limits.idle = 50ms;
  const Running running({.limits = limits});
  RawClient client(running.port);
  client.get("/x");
  ASSERT_TRUE(client.read_to_end());
  EXPECT_EQ(client.status(), 404U);
}

TEST(WebServerLimits, ADashboardThatNeverReadsIsClosedAndTheOthersGoOn) {
  auto limits = quick();
  limits.write = 300ms;
  const Running running({.limits = limits});
  RawClient deaf(running.port, 4096);
  deaf.get("/api/stream");
  RawClient reader(running.port);
  reader.get("/api/stream");
  ASSERT_TRUE(running.streams_become(2));
  const std::string large(40'000, 'x');
  int i = 0;
  EXPECT_TRUE(eventually([&] {
    const auto value = "\"" + std::to_string(++i) + large + "\"";
    running.put("status", value);
    reader.forget();
    EXPECT_TRUE(reader.read_until(value)) << i;
    return running.server->streams() == 1;
  }));
  running.put("last", "1");
  EXPECT_TRUE(reader.read_until("\"last\""));
}

TEST(WebServerLimits, AnswersThatNobodyReadsAreNotCollected) {
  auto limits = quick();
  limits.write = 200ms;
  const std::string large(4'000'000, 'x');
  const Running running(
      {.overview = [&](const Deliver& deliver) { deliver([&] { return large; }); },
       .limits = limits});
  RawClient deaf(running.port, 4096);
  for (int i = 0; i < 100; ++i) deaf.get("/api/overview");
  EXPECT_TRUE(answers(running));
  // Closed, or the kernel's buffers would have held what was promised.
  EXPECT_TRUE(eventually([&] { return ::send(deaf.descriptor(), "a", 1, MSG_NOSIGNAL) < 0; }));
}

TEST(WebServerLimits, ACrowdOfIdleConnectionsKeepsNobodyAway) {
  Limits limits;
  limits.connections = 50;
  limits.streams = 40;
  const Running running({.limits = limits});
  RawClient dashboard(running.port);
  dashboard.get("/api/stream");
  ASSERT_TRUE(running.streams_become(1));
  std::vector<RawClient> crowd;
  for (int i = 0; i < 300; ++i) crowd.emplace_back(running.port);
  EXPECT_TRUE(answers(running));
  running.put("still", "1");
  EXPECT_TRUE(dashboard.read_until("\"still\"")) << "who watches stays";
  EXPECT_TRUE(crowd.front().read_to_end()) << "the oldest made room";
}

TEST(WebServerLimits, StreamsLeaveRoomForRequests) {
  auto limits = quick();
  limits.connections = 12;
  limits.streams = 8;
  const Running running({.limits = limits});
  std::vector<RawClient> dashboards;
  for (std::size_t i = 0; i < limits.streams; ++i) {
    dashboards.emplace_back(running.port);
    dashboards.back().get("/api/stream");
    ASSERT_TRUE(dashboards.back().read_until("event: ready"));
  }
  RawClient one_more(running.port);
  one_more.get("/api/stream");
  ASSERT_TRUE(one_more.read_until("Too many"));
  EXPECT_EQ(one_more.status(), 503U);
  EXPECT_TRUE(answers(running));
  dashboards.pop_back();
  ASSERT_TRUE(running.streams_become(limits.streams - 1));
  RawClient instead(running.port);
  instead.get("/api/stream");
  EXPECT_TRUE(instead.read_until("event: ready"));
}

TEST(WebServerLimits, UpdatesDoNotPileUp) {
  const Running running;
  std::atomic<bool> go = false;
  int taken = 0;
  for (int i = 0; i < 100; ++i) {
    const bool one = running.server->update([&](Board&) { go.wait(false); });
    taken += one ? 1 : 0;
  }
  EXPECT_LE(taken, 3) << "one that runs, two that wait";
  EXPECT_GE(taken, 2);
  go = true;
  go.notify_all();
  running.put("a", "1");
}

}  // namespace
}  // namespace timectl::web
