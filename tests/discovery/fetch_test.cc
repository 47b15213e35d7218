// The client against a server that answers well, badly, late or not at all (requirements D2,
// faults FT-A1 to FT-A6, scenarios T54 and T56).
#include "daemon/discovery/fetch.h"

#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <thread>

#include "tests/discovery/fetch_lab.h"

namespace timectl::discovery {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;

const std::string kList = R"(["9.9.9.9"])";

TEST_F(FetchTest, ListIsFetched) {
  HttpsServer server(good_server(), always(list_answer(kList, "ETag: \"v1\"\r\n")));
  auto wish = request(server.url("/api/peers"));
  wish.user_agent = "timectl/test";
  const auto got = fetched(wish);
  EXPECT_EQ(got.body, kList);
  EXPECT_EQ(got.etag, "\"v1\"");
  EXPECT_EQ(got.address, server.endpoint());
  EXPECT_TRUE(got.notes.empty());
  EXPECT_FALSE(got.not_modified);
  EXPECT_GT(got.took, Duration(0));
  EXPECT_LT(got.took, std::chrono::seconds(5));
  ASSERT_EQ(server.requests().size(), 1U);
  const auto head = server.requests()[0];
  EXPECT_TRUE(head.starts_with("GET /api/peers HTTP/1.1\r\n")) << head;
  EXPECT_NE(head.find("User-Agent: timectl/test\r\n"), std::string::npos) << head;
  EXPECT_NE(head.find("Accept-Encoding: gzip\r\n"), std::string::npos) << head;
  EXPECT_EQ(head.find("If-None-Match"), std::string::npos) << head;
  EXPECT_EQ(head.find("Cookie"), std::string::npos) << head;
}

TEST_F(FetchTest, KnownEtagIsSentAndNotModifiedIsNoFailure) {
  HttpsServer server(good_server(), always("HTTP/1.1 304 Not Modified\r\nETag: \"v1\"\r\n\r\n"));
  auto wish = request(server.url());
  wish.etag = "\"v1\"";
  const auto got = fetched(wish);
  EXPECT_TRUE(got.not_modified);
  EXPECT_EQ(got.etag, "\"v1\"");
  EXPECT_TRUE(got.body.empty());
  EXPECT_NE(server.requests().at(0).find("If-None-Match: \"v1\"\r\n"), std::string::npos);
  // Without an etag of ours there is nothing that could be unchanged; a broken one is not sent.
  wish.etag = "";
  expect_failure(failed(wish), FetchStep::status, "304");
  wish.etag = "a\r\nX-Injected: 1";
  (void)failed(wish);
  EXPECT_EQ(server.requests().at(2).find("Injected"), std::string::npos);
}

TEST_F(FetchTest, UnusableEtagOfTheServerIsLeftOut) {
  for (const auto& etag : {"\"" + std::string(300, 'x') + "\"", "\"a\tb\""s, "\"\xc3\xa9\""s}) {
    HttpsServer server(good_server(), always(list_answer(kList, "ETag: " + etag + "\r\n")));
    EXPECT_EQ(fetched(request(server.url())).etag, "");
  }
}

TEST_F(FetchTest, WrongContentTypeIsOnlyNoted) {
  struct Row {
    const char* header;
    const char* note;
  };
  const Row rows[] = {
      {"Content-Type: text/html; charset=utf-8\r\n", "the content type is text/html"},
      {"", "the answer names no content type"},
      {"Content-Type: Application/JSON;charset=utf-8\r\n", ""},
      {"Content-Type: application/problem+json\r\n", ""},
  };
  for (const auto& row : rows) {
    HttpsServer server(good_server(), always(answer("200 OK", row.header, kList)));
    const auto got = fetched(request(server.url()));
    EXPECT_EQ(got.body, kList);
    EXPECT_EQ(got.notes.empty() ? "" : got.notes[0], row.note);
  }
}

TEST_F(FetchTest, OtherStatusIsAFailureWithTheServersWish) {
  struct Row {
    const char* status;
    const char* retry;
    std::optional<Duration> wish;
  };
  const Row rows[] = {
      {"500 Internal Server Error", "Retry-After: 7\r\n", std::nullopt},
      {"404 Not Found", "", std::nullopt},
      {"204 No Content", "", std::nullopt},
      {"206 Partial Content", "", std::nullopt},
      {"401 Unauthorized", "WWW-Authenticate: Basic realm=\"x\"\r\n", std::nullopt},
      {"503 Service Unavailable", "", std::nullopt},
      {"503 Service Unavailable", "Retry-After: 120\r\n", std::chrono::minutes(2)},
      {"429 Too Many Requests", "Retry-After: 99999999\r\n", std::chrono::hours(24)},
      {"503 Busy", "Retry-After: Fri, 31 Dec 2080 23:59:59 GMT\r\n", std::chrono::hours(24)},
      {"503 Busy", "Retry-After: Fri, 31 Dec 1999 23:59:59 GMT\r\n", std::nullopt},
      {"503 Busy", "Retry-After: -5\r\n", std::nullopt},
      {"503 Busy", "Retry-After: soon\r\n", std::nullopt},
  };
  for (const auto& row : rows) {
    // With a body over the limit: nobody reads it.
    HttpsServer server(good_server(), once("HTTP/1.1 "s + row.status + "\r\n" + row.retry +
                                           "Content-Length: 1000000000000\r\n\r\nsorry"));
    const auto failure = failed(request(server.url()));
    expect_failure(failure, FetchStep::status, std::string(row.status).substr(0, 3));
    EXPECT_EQ(failure.retry_after, row.wish) << row.status << " " << row.retry;
    EXPECT_EQ(failure.address, server.endpoint());
  }
}

TEST_F(FetchTest, GoodAnswerFollowsABadOne) {
  std::atomic<int> count = 0;
  HttpsServer server(good_server(), [&](ServerConnection& connection) {
    (void)connection.read_request();
    connection.send(++count == 1 ? answer("503 Busy", "Retry-After: 1\r\n", "")
                                 : list_answer(kList));
  });
  EXPECT_EQ(failed(request(server.url())).retry_after, std::chrono::seconds(1));
  EXPECT_EQ(fetched(request(server.url())).body, kList);
}

TEST_F(FetchTest, RedirectsOfTheSameHostAreFollowedThreeTimes) {
  HttpsServer server(good_server(), [](ServerConnection& connection) {
    const auto head = connection.read_request();
    const auto at = head.find("/hop") + 4;
    const int left = head[at] - '0';
    connection.send(left == 0
                        ? list_answer(kList)
                        : answer("302 Found", "Location: /hop" + std::to_string(left - 1) + "\r\n",
                                 "see there"));
  });
  EXPECT_EQ(fetched(request(server.url("/hop0"))).body, kList);
  EXPECT_EQ(fetched(request(server.url("/hop3"))).body, kList);
  const auto failure = failed(request(server.url("/hop4")));
  expect_failure(failure, FetchStep::redirect, "more than 3 redirects");
  EXPECT_EQ(failure.address, server.endpoint());
  auto none = request(server.url("/hop1"));
  none.max_redirects = 0;
  expect_failure(failed(none), FetchStep::redirect, "more than 0 redirects");
}

TEST_F(FetchTest, RedirectsElsewhereAreRefusedAndShown) {
  HttpsServer other(good_server(), always(list_answer(kList)));
  struct Row {
    std::string location;
    const char* shown;
  };
  const Row rows[] = {
      {"http://127.0.0.5/list", "http://127.0.0.5/list"},
      {"https://127.0.0.6/list", "https://127.0.0.6/list: only the same host"},
      {other.url(), "only the same port"},
      {"//evil.test/x", "https://evil.test/x"},
      {"file:///etc/passwd", "file:///etc/passwd"},
      {"ftp://127.0.0.5/", "ftp://127.0.0.5/"},
      {"https://user:pw@127.0.0.5/", "USER@"},
      {"https://a b\x1b[31m/", "\\x1B[31m"},
      {"", ""},
  };
  for (const auto& row : rows) {
    HttpsServer server(good_server(),
                       always(answer("301 Moved", "Location: " + row.location + "\r\n", "")));
    const auto failure = failed(request(server.url()));
    if (row.location.empty()) {
      expect_failure(failure, FetchStep::redirect, "more than 3");  // to itself
    } else {
      expect_failure(failure, FetchStep::redirect, row.shown);
      EXPECT_EQ(server.requests().size(), 1U) << row.location;
    }
  }
  EXPECT_EQ(other.connections(), 0U);
  HttpsServer nowhere(good_server(), always(answer("302 Found", "", "")));
  expect_failure(failed(request(nowhere.url())), FetchStep::status, "302");
}

TEST_F(FetchTest, RedirectLoopEnds) {
  HttpsServer server(good_server(), always(answer("301 Moved", "Location: /list\r\n", "")));
  expect_failure(failed(request(server.url())), FetchStep::redirect, "more than 3 redirects");
  EXPECT_EQ(server.requests().size(), 4U);
}

TEST_F(FetchTest, BodyThatEndsTooEarlyIsNoList) {
  const auto cut = "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + kList;
  HttpsServer tidy(good_server(), once(cut));
  expect_failure(failed(request(tidy.url())), FetchStep::connect, "ended before the list did");
  HttpsServer rude(good_server(), [&](ServerConnection& connection) {
    (void)connection.read_request();
    connection.send(cut);
    connection.cut();
  });
  EXPECT_EQ(failed(request(rude.url())).step, FetchStep::connect);
  // Without a length libcurl takes any end for the end. The parser does not: half an array is none.
  const auto open = "HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n" + kList;
  HttpsServer whole(good_server(), once(open));
  EXPECT_EQ(fetched(request(whole.url())).body, kList);
  HttpsServer severed(good_server(), [&](ServerConnection& connection) {
    (void)connection.read_request();
    connection.send(open);
    connection.cut();
  });
  EXPECT_EQ(fetched(request(severed.url())).body, kList);
  HttpsServer chunks(good_server(), once("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                                         "b\r\n" +
                                         kList + "\r\n"));
  EXPECT_EQ(failed(request(chunks.url())).step, FetchStep::connect);
}

TEST_F(FetchTest, BrokenConnectionsAreNamed) {
  HttpsServer silent(good_server(),
                     [](ServerConnection& connection) { (void)connection.read_request(); });
  const auto nothing = failed(request(silent.url()));
  expect_failure(nothing, FetchStep::connect, "without an answer");
  EXPECT_EQ(nothing.address, silent.endpoint());
  HttpsServer resetting(good_server(), [](ServerConnection& connection) {
    (void)connection.read_request();
    connection.reset();
  });
  expect_failure(failed(request(resetting.url())), FetchStep::connect, "127.0.0.5: ");
  std::string nobody;
  {
    HttpsServer gone(good_server(), once(""));
    nobody = gone.url();
  }
  const auto refusal = failed(request(nobody));
  expect_failure(refusal, FetchStep::connect, "Connection refused");
  EXPECT_NE(nobody.find(refusal.address), std::string::npos);
  EXPECT_FALSE(refusal.address.empty());
}

TEST_F(FetchTest, WhatIsNoHttpIsRefused) {
  HttpsServer ancient(good_server(), once(kList));  // as HTTP/0.9 would
  expect_failure(failed(request(ancient.url())), FetchStep::status, "no HTTP");
  HttpsServer garbled(good_server(),
                      once("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\nnot packed at all"));
  expect_failure(failed(request(garbled.url())), FetchStep::status, "unpacked");
}

TEST_F(FetchTest, SlowAnswersEndAtTheDeadline) {
  // FT-A6, scaled: one byte each 20 ms would need 20 s for this body.
  HttpsServer drip(good_server(), [](ServerConnection& connection) {
    (void)connection.read_request();
    connection.send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
    while (connection.send(" ")) connection.wait(20ms);
  });
  HttpsServer hang(good_server(), [](ServerConnection& connection) {
    (void)connection.read_request();
    connection.wait();
  });
  // Each hop is quick enough; together they are not.
  HttpsServer hops(good_server(), [](ServerConnection& connection) {
    while (!connection.read_request().empty()) {
      connection.wait(200ms);
      connection.send(answer("302 Found", "Location: /again\r\n", ""));
    }
  });
  for (const auto* server : {&drip, &hang, &hops}) {
    auto wish = request(server->url());
    wish.timeout = 500ms;
    const Stopwatch stopwatch;
    const auto failure = failed(wish);
    expect_failure(failure, FetchStep::timeout, "not done within 0.5 s");
    EXPECT_EQ(failure.address, server->endpoint());
    EXPECT_GE(stopwatch.elapsed(), 450ms);
    EXPECT_LT(stopwatch.elapsed(), 1500ms);
  }
}

TEST_F(FetchTest, StopEndsItAtOnce) {
  HttpsServer server(good_server(), [](ServerConnection& connection) {
    (void)connection.read_request();
    connection.wait();
  });
  std::stop_source stop;
  Stopwatch since_stop;
  std::thread stopper([&] {
    EXPECT_TRUE(server.wait_for_requests(1));
    since_stop = {};
    stop.request_stop();
  });
  const auto failure = failed(request(server.url()), stop.get_token());
  stopper.join();
  EXPECT_LT(since_stop.elapsed(), 150ms);
  expect_failure(failure, FetchStep::timeout, "stopped");
  const Stopwatch stopwatch;
  expect_failure(failed(request(server.url()), stop.get_token()), FetchStep::timeout, "stopped");
  EXPECT_LT(stopwatch.elapsed(), 150ms);
}

TEST_F(FetchTest, ThreadsFetchSideBySide) {
  HttpsServer server(good_server(), always(list_answer(kList)));
  std::vector<std::thread> threads;
  threads.reserve(4);
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] { EXPECT_EQ(fetched(request(server.url())).body, kList); });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(server.requests().size(), 4U);
}

TEST_F(FetchTest, FilesAreReadIfTheyAreRegular) {
  std::string folder = "/tmp/timectl-fetch-XXXXXX";
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  const auto write = [&](const std::string& name, const std::string& text) {
    std::ofstream(folder + "/" + name) << text;
  };
  write("list.json", kList);
  write("a b", kList);
  write("big", std::string(101, 'x'));
  auto wish = request("file:" + folder + "/list.json");
  auto got = fetched(wish);
  EXPECT_EQ(got.body, kList);
  EXPECT_EQ(got.address, folder + "/list.json");
  EXPECT_EQ(fetched(request("file://" + folder + "/a%20b")).body, kList);
  wish.url = "file:" + folder + "/big";
  wish.max_bytes = 100;
  expect_failure(failed(wish), FetchStep::size, "more than the 100 bytes");
  wish.max_bytes = 101;
  EXPECT_EQ(fetched(wish).body.size(), 101U);
  ASSERT_EQ(::mkfifo((folder + "/pipe").c_str(), 0600), 0);
  for (const auto& path : {folder + "/pipe", folder, "/dev/zero"s, "/dev/null"s}) {
    expect_failure(failed(request("file:" + path)), FetchStep::file, "no regular file");
  }
  expect_failure(failed(request("file:" + folder + "/none")), FetchStep::file, "No such file");
  wish = request("file:/proc/self/status");  // says that it has no bytes and has some
  EXPECT_NE(fetched(wish).body.find("Pid:"), std::string::npos);
  wish.max_bytes = 10;
  expect_failure(failed(wish), FetchStep::size, "more than");
  for (const char* name : {"list.json", "a b", "big", "pipe"}) {
    ::unlink((folder + "/" + name).c_str());
  }
  ::rmdir(folder.c_str());
}

TEST_F(FetchTest, UrlsThatAreNotReadAreRefusedUnseen) {
  expect_failure(failed(request("http://127.0.0.5/")), FetchStep::dns, "only https");
  expect_failure(failed(request("https://u:p@127.0.0.5/")), FetchStep::dns, "user name");
  expect_failure(failed(request("file:list")), FetchStep::file, "absolute path");
}

}  // namespace
}  // namespace timectl::discovery
