// Webhooks that hang, refuse, redirect and flood; servers write their answers byte by byte.
#include "daemon/sinks/send.h"

#include <gtest/gtest.h>

#include <mutex>

#include "daemon/sinks/signature.h"
#include "daemon/sinks/worker.h"
#include "tests/support/https_server.h"

namespace timectl::sinks {
namespace {

using namespace std::chrono_literals;
using testing::HttpsServer;
using testing::ServerConnection;

const WallTime kNow(std::chrono::milliseconds(1795774830500));

Messages one(const std::string& text = "It is down") {
  Alert alert;
  alert.id = 12;
  alert.rule = AlertRule::masternode_down;
  alert.object = "203.0.113.7";
  alert.text = text;
  alert.since = kNow;
  return {std::make_shared<const AlertMessage>(
      message_of(AlertNotice{NoticeKind::fired, alert}, {"host", "testnet"}, kNow))};
}

std::size_t length_of(const std::string& head) {
  const auto at = head.find("Content-Length: ");
  return at == std::string::npos ? 0 : std::stoul(head.substr(at + 16));
}

struct Hook {
  explicit Hook(std::string text)
      : answer(std::move(text)), server({.address = "127.0.0.6"}, [this](auto& c) { serve(c); }) {}
  void serve(ServerConnection& connection) {
    const auto head = connection.read_request();
    const auto got = connection.read_body(length_of(head));
    {
      const std::lock_guard lock(mutex);
      body = got;
    }
    if (answer.empty()) return connection.wait();
    connection.send(answer);
  }
  [[nodiscard]] SinkTarget target(SinkKind kind = SinkKind::webhook) const {
    SinkTarget target;
    target.kind = kind;
    target.url = "http://" + server.endpoint() + "/hook/SECRET?token=SECRET";
    target.timeout = 8s;
    return target;
  }
  std::string answer;
  std::mutex mutex;
  std::string body;
  HttpsServer server;
};

std::string reply(const std::string& status, const std::string& more = "",
                  const std::string& body = "") {
  return "HTTP/1.1 " + status + "\r\n" + more + "Content-Length: " + std::to_string(body.size()) +
         "\r\nConnection: close\r\n\r\n" + body;
}

TEST(Send, AWebhookGetsTheBodyItsKeyAndItsSignature) {
  Hook hook(reply("200 OK", "", "thanks\nmore"));
  auto target = hook.target();
  target.secret = "key";
  const auto report = send(target, one(), kNow);
  EXPECT_EQ(report.outcome.result, SendResult::delivered) << report.outcome.error;
  EXPECT_EQ(report.status, 200);
  EXPECT_EQ(report.answer, "thanks\nmore");
  const auto head = hook.server.requests().at(0);
  EXPECT_TRUE(head.starts_with("POST /hook/SECRET?token=SECRET HTTP/1.1")) << head;
  EXPECT_NE(head.find("Idempotency-Key: " + one()[0]->key + "\r\n"), std::string::npos) << head;
  EXPECT_EQ(hook.body, json_body(one(), kNow));
  EXPECT_NE(head.find("X-Timectl-Signature: " + signature("key", hook.body, kNow) + "\r\n"),
            std::string::npos);
}

TEST(Send, AStatusSaysWhetherItIsTriedAgainAndNeverTheUrl) {
  const struct {
    const char* status;
    SendResult result;
  } kRows[] = {{"204 No Content", SendResult::delivered}, {"500 Oh", SendResult::failed},
               {"503 Later", SendResult::failed},         {"429 Slow", SendResult::failed},
               {"401 Who", SendResult::failed},           {"404 Not here", SendResult::failed},
               {"400 Bad", SendResult::refused},          {"413 Large", SendResult::refused},
               {"422 Odd", SendResult::refused},          {"302 There", SendResult::failed}};
  for (const auto& row : kRows) {
    Hook hook(reply(row.status, "Retry-After: 7\r\nLocation: https://u:p@evil.org/SECRET\r\n"));
    const auto report = send(hook.target(), one(), kNow);
    EXPECT_EQ(report.outcome.result, row.result) << row.status;
    EXPECT_EQ(report.outcome.error.find("SECRET"), std::string::npos) << report.outcome.error;
    if (row.result == SendResult::delivered) continue;
    EXPECT_EQ(report.outcome.retry_after, Duration(7s)) << row.status;
    EXPECT_EQ(hook.server.connections(), 1U) << "a redirect is not followed";
  }
}

TEST(Send, ARedirectIsToldWithTheHostItLeadsTo) {
  Hook hook(reply("301 Moved", "Location: https://u:p@new.example.org/SECRET\r\n"));
  const auto report = send(hook.target(), one(), kNow);
  EXPECT_NE(report.outcome.error.find("redirect to new.example.org, which is not followed"),
            std::string::npos)
      << report.outcome.error;
}

// The receiver has taken it: sent again, it would page twice and hold up all that waits behind.
TEST(Send, AnAnswerWhoseBodyBreaksOffIsJudgedByItsStatus) {
  const struct {
    const char* answer;
    SendResult result;
  } kRows[] = {
      {"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nok", SendResult::delivered},
      {"HTTP/1.1 202 Yes\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", SendResult::delivered},
      {"HTTP/1.1 103 Hint\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n",
       SendResult::delivered},
      {"HTTP/1.1 400 No\r\nContent-Length: 20\r\n\r\nno", SendResult::refused},
      {"HTTP/1.1 503 No\r\nContent-Length: 20\r\n\r\nno", SendResult::failed},
      // No final head: nobody has said that it was taken.
      {"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n", SendResult::failed},
      {"HTTP/1.1 100 Continue\r\n\r\n", SendResult::failed},
      {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Le", SendResult::failed}};
  for (const auto& row : kRows) {
    Hook hook(row.answer);
    const auto report = send(hook.target(), one(), kNow);
    EXPECT_EQ(report.outcome.result, row.result) << row.answer << ": " << report.outcome.error;
  }
}

TEST(Send, ABodyThatNeverEndsIsNotWaitedForAndAStopDoesNotUndoTheAnswer) {
  HttpsServer server({.address = "127.0.0.6"}, [](ServerConnection& connection) {
    (void)connection.read_request();
    connection.send("HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nx");
    connection.wait();
  });
  SinkTarget target;
  target.url = "http://" + server.endpoint() + "/";
  target.timeout = 300s;
  const auto report = send(target, one(), kNow);
  EXPECT_EQ(report.outcome.result, SendResult::delivered) << report.outcome.error;
  EXPECT_EQ(report.answer, "x");
  EXPECT_LT(report.took, 10s);
  std::stop_source stopped;
  stopped.request_stop();
  EXPECT_EQ(send(target, one(), kNow, stopped.get_token()).outcome.result, SendResult::delivered);
}

TEST(Send, AnHttpsReceiverIsBelievedByTheCaFileOfItsSinkAloneAndByItsName) {
  const testing::TestAuthority authority("Test");
  const testing::TestAuthority other("Other");
  const auto answer = [](ServerConnection& connection) {
    const auto head = connection.read_request();
    (void)connection.read_body(length_of(head));
    connection.send(reply("200 OK"));
  };
  HttpsServer good({"127.0.0.6", authority.issue({{"IP:127.0.0.6"}})}, answer);
  HttpsServer misnamed({"127.0.0.6", authority.issue({{"IP:127.0.0.7"}})}, answer);
  SinkTarget target;
  target.url = "https://" + good.endpoint() + "/hook/SECRET";
  target.ca_file = authority.file();
  EXPECT_EQ(send(target, one(), kNow).outcome.result, SendResult::delivered)
      << send(target, one(), kNow).outcome.error;
  const auto delivered = good.requests().size();
  for (const auto& file : {other.file(), std::string()}) {
    target.ca_file = file;
    const auto report = send(target, one(), kNow);
    EXPECT_EQ(report.outcome.result, SendResult::failed);
    EXPECT_NE(report.outcome.error.find("certificate"), std::string::npos) << report.outcome.error;
  }
  EXPECT_EQ(good.requests().size(), delivered) << "nothing is sent to who is not believed";
  target.ca_file = authority.file();
  target.url = "https://" + misnamed.endpoint() + "/";
  EXPECT_EQ(send(target, one(), kNow).outcome.result, SendResult::failed);
  EXPECT_TRUE(misnamed.requests().empty());
}

// Many servers answer with what they were asked for.
TEST(Send, WhatTheAnswerRepeatsOfTheUrlOrTheSignatureIsNotShown) {
  std::string repeats;
  HttpsServer server({.address = "127.0.0.6"}, [&](ServerConnection& connection) {
    const auto head = connection.read_request();
    (void)connection.read_body(length_of(head));
    const auto mark = head.find("X-Timectl-Signature: ");
    const auto signature = head.substr(mark, head.find('\r', mark) - mark);
    connection.send(reply("404 Not Found", "", repeats + " " + signature + " key-of-hmac seen"));
  });
  SinkTarget target;
  target.url = "http://" + server.endpoint() + "/hook/T0SECRET%2FB1/x?token=S3CRET-2&n=%410SECRET";
  target.secret = "key-of-hmac";
  for (const char* text : {"Cannot POST /hook/T0SECRET%2FB1/x?token=S3CRET-2&n=%410SECRET",
                           "Cannot POST /hook/T0SECRET/B1/x", "no hook t0secret/b1",
                           "{\"path\":\"\\/T0SECRET%2FB1\\/x\"}", "token S3CRET-2", "n A0SECRET"}) {
    repeats = text;
    const auto report = send(target, one(), kNow);
    for (const auto& shown : {report.outcome.error, report.answer}) {
      for (const char* secret : {"0SECRET", "0secret", "S3CRET", "key-of-hmac", "v1="}) {
        EXPECT_EQ(shown.find(secret), std::string::npos) << shown;
      }
      EXPECT_NE(shown.find("\xe2\x80\xa6"), std::string::npos) << shown;
    }
    EXPECT_NE(report.answer.find("seen"), std::string::npos) << "the rest is there";
  }
}

TEST(Send, OneThatHangsEndsWithItsTimeLimit) {
  Hook hook("");
  auto target = hook.target();
  target.timeout = 300ms;
  const auto report = send(target, one(), kNow);
  EXPECT_EQ(report.outcome.result, SendResult::failed);
  EXPECT_GE(report.took, 250ms);
  EXPECT_NE(report.outcome.error.find("127.0.0.6 cannot be reached"), std::string::npos)
      << report.outcome.error;
}

TEST(Send, AStopEndsOneThatHangs) {
  Hook hook("");
  std::stop_source source;
  const std::jthread stopper([&] {
    (void)hook.server.wait_for_requests(1);
    source.request_stop();
  });
  EXPECT_EQ(send(hook.target(), one(), kNow, source.get_token()).outcome.result,
            SendResult::interrupted);
}

TEST(Send, AnEndlessAnswerIsAnAnswer) {
  HttpsServer server({.address = "127.0.0.6"}, [](ServerConnection& connection) {
    (void)connection.read_request();
    connection.send("HTTP/1.1 200 OK\r\n\r\n");
    (void)connection.send_endlessly("flood");
  });
  SinkTarget target;
  target.url = "http://" + server.endpoint() + "/";
  const auto report = send(target, one(), kNow);
  EXPECT_EQ(report.outcome.result, SendResult::delivered);
  EXPECT_EQ(report.answer.size(), kMaxAnswer);
}

TEST(Send, EndlessHeadersAreAFailure) {
  HttpsServer server({.address = "127.0.0.6"}, [](ServerConnection& connection) {
    (void)connection.read_request();
    connection.send("HTTP/1.1 200 OK\r\n");
    (void)connection.send_endlessly("X-A: " + std::string(1000, 'a') + "\r\n");
  });
  SinkTarget target;
  target.url = "http://" + server.endpoint() + "/";
  EXPECT_EQ(send(target, one(), kNow).outcome.result, SendResult::failed);
}

TEST(Send, TheAlertmanagerAndAHeartbeatHaveTheirRequests) {
  Hook manager(reply("200 OK"));
  auto target = manager.target(SinkKind::alertmanager);
  target.url = "http://" + manager.server.endpoint() + "/";
  EXPECT_EQ(send(target, one(), kNow).outcome.result, SendResult::delivered);
  EXPECT_TRUE(manager.server.requests().at(0).starts_with("POST /api/v2/alerts HTTP/1.1"));
  EXPECT_EQ(manager.body, alertmanager_body(one(), kNow, kLasts));
  Hook monitor(reply("200 OK"));
  EXPECT_EQ(send(monitor.target(SinkKind::heartbeat), {}, kNow).outcome.result,
            SendResult::delivered);
  EXPECT_TRUE(monitor.server.requests().at(0).starts_with("GET /hook/"));
}

TEST(Send, WithoutItsSecretNothingIsSent) {
  Hook hook(reply("200 OK"));
  auto target = hook.target();
  target.broken = "secret_file x is open to everybody";
  EXPECT_EQ(send(target, one(), kNow).outcome.error, target.broken);
  EXPECT_EQ(hook.server.connections(), 0U);
}

TEST(Send, SendmailGetsTheMailOnItsInput) {
  SinkTarget target;
  target.kind = SinkKind::sendmail;
  target.to = "you@example.org";
  target.command = {"/bin/sh", "-c", "echo \"$0 $*\"; cat"};
  const auto report = send(target, one(), kNow);
  EXPECT_TRUE(report.answer.starts_with("-oi -t\nTo: you@example.org\n")) << report.answer;
}

TEST(SinkWorker, ReportsEachAndEndsInTheMiddleOfOne) {
  Hook hook("");
  std::mutex mutex;
  std::condition_variable came;
  std::vector<SendReport> reports;
  Worker worker([&](SendReport report) {
    const std::lock_guard lock(mutex);
    reports.push_back(std::move(report));
    came.notify_one();
  });
  auto quick = std::make_shared<SinkTarget>();
  quick->kind = SinkKind::command;
  quick->command = {"/bin/true"};
  worker.start(quick, one(), kNow);
  std::unique_lock lock(mutex);
  ASSERT_TRUE(came.wait_for(lock, 10s, [&] { return reports.size() == 1; }));
  EXPECT_EQ(reports[0].exit_status, 0);
  worker.start(std::make_shared<SinkTarget>(hook.target()), one(), kNow);
  lock.unlock();
  ASSERT_TRUE(hook.server.wait_for_requests(1));
  worker.stop();
  lock.lock();
  ASSERT_TRUE(came.wait_for(lock, 5s, [&] { return reports.size() == 2; }));
  EXPECT_EQ(reports[1].outcome.result, SendResult::interrupted);
}

}  // namespace
}  // namespace timectl::sinks
