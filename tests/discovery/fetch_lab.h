#pragma once
// What the client's tests share: an authority, a server with a good certificate and a request that
// trusts it; the environment's own proxies are out of the way.

#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <string>

#include "daemon/core/events.h"
#include "daemon/core/reflect.h"
#include "daemon/discovery/fetch.h"
#include "tests/support/https_server.h"

namespace timectl::discovery {

using testing::HttpsServer;
using testing::ServerConnection;
using testing::ServerWish;
using testing::TestAuthority;

inline const TestAuthority& authority() {
  static const TestAuthority kAuthority("timectl test root");
  return kAuthority;
}

inline ServerWish good_server() {
  return {"127.0.0.5",
          authority().issue(
              {{"IP:127.0.0.5", "DNS:lists.test", "DNS:www.lists.test", "DNS:localhost"}}),
          0};
}

// An answer with the body's length, of the status line's text.
inline std::string answer(const std::string& status, const std::string& headers,
                          const std::string& body) {
  return "HTTP/1.1 " + status + "\r\n" + headers +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

inline std::string list_answer(const std::string& body, const std::string& headers = "") {
  return answer("200 OK", "Content-Type: application/json\r\n" + headers, body);
}

// A script that answers each request of a connection with the same text.
inline HttpsServer::Script always(const std::string& text) {
  return [text](ServerConnection& connection) {
    while (!connection.read_request().empty()) {
      if (!connection.send(text)) return;
    }
  };
}

// One answer, then the connection's end, as HTTP/1.0 has it.
inline HttpsServer::Script once(const std::string& text) {
  return [text](ServerConnection& connection) {
    if (!connection.read_request().empty()) connection.send(text);
  };
}

class FetchTest : public ::testing::Test {
 protected:
  FetchTest() {
    for (const char* name : {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy",
                             "NO_PROXY", "http_proxy", "SSLKEYLOGFILE"}) {
      ::unsetenv(name);
    }
  }

  static FetchRequest request(const std::string& url) {
    FetchRequest wish;
    wish.url = url;
    wish.ca_file = authority().file();
    wish.allow_private = true;
    wish.timeout = std::chrono::seconds(10);  // a test that needs it all has failed
    return wish;
  }

  static Fetched fetched(const FetchRequest& wish) {
    auto outcome = fetch(wish);
    if (const auto* failure = std::get_if<FetchFailure>(&outcome)) {
      ADD_FAILURE() << name_of(failure->step) << ": " << failure->message;
      return {};
    }
    return std::get<Fetched>(std::move(outcome));
  }

  static FetchFailure failed(const FetchRequest& wish, std::stop_token stop = {}) {
    auto outcome = fetch(wish, stop);
    if (const auto* failure = std::get_if<FetchFailure>(&outcome)) {
      EXPECT_EQ(printable(failure->message, 1000), failure->message) << "one printable line";
      EXPECT_FALSE(failure->message.empty());
      return *failure;
    }
    ADD_FAILURE() << "fetched: " << std::get<Fetched>(outcome).body.substr(0, 80);
    return {FetchStep::file, ""};
  }

  // The step and a part of the message, in one expectation.
  static void expect_failure(const FetchFailure& failure, FetchStep step, const std::string& part) {
    EXPECT_EQ(name_of(failure.step), name_of(step)) << failure.message;
    EXPECT_NE(failure.message.find(part), std::string::npos) << failure.message;
  }
};

class Stopwatch {
 public:
  [[nodiscard]] std::chrono::milliseconds elapsed() const {
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() -
                                                                 begin_);
  }

 private:
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

}  // namespace timectl::discovery
