#pragma once
// The public RPC of a peer that does not exist: answers each method with what the test put there,
// as the network's node does (protocol 11.1: one request a connection, which is then closed), or
// misbehaves for a number of requests. Threads of its own. Tests use it in process, end-to-end
// tests as timectl_fake_rpc.

#include <atomic>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/https_server.h"

namespace timectl::testing {

struct FakeRpcWish {
  std::string address = "127.0.0.11";
  std::uint16_t port = 0;  // 0: any
  bool tls = false;
};

class FakeRpc {
 public:
  // What happens to one request instead of an answer.
  enum class Turn : std::uint8_t {
    answer,
    limited,       // 429 and the JSON of it
    unauthorized,  // 401
    html,
    huge,          // 200 MB of JSON, announced
    huge_chunked,  // the same, in chunks
    endless_head,
    endless_chunk,  // the line with a chunk's length has no end
    hang,
    close,
    cut_short,  // half of an answer
    redirect,   // 302 to itself
    reset,
  };
  struct Request {
    std::string head = {};
    std::string body = {};
  };

  explicit FakeRpc(const FakeRpcWish& wish = {});

  // The JSON of a method's result; one that has none is unknown.
  void answer(const std::string& method, const std::string& result);
  // The words of scenarios: a healthy node of these numbers, with no peers, masternodes or bans.
  void healthy(std::uint64_t height, std::uint64_t uptime_seconds);
  void connections(std::uint64_t in, std::uint64_t out);
  void ban(const std::string& ip, const std::string& reason);  // for good
  void uptime(std::uint64_t seconds) { answer("uptime", std::to_string(seconds)); }
  // For the next requests, in order, before the answers go on.
  void next(Turn turn, std::size_t requests = 1);
  // "limited", "html*2", "hang", ...: a word of the tool's file. False: no such word.
  [[nodiscard]] bool next(std::string_view word);

  [[nodiscard]] std::uint16_t port() const { return server_.port(); }
  [[nodiscard]] std::size_t connections() const { return server_.connections(); }
  [[nodiscard]] std::vector<Request> requests() const;
  [[nodiscard]] std::vector<std::string> methods() const;           // in order
  [[nodiscard]] std::uint64_t bytes_sent() const { return sent_; }  // of huge ones

 private:
  void serve(ServerConnection& connection);
  void misbehave(ServerConnection& connection, Turn turn);
  [[nodiscard]] std::string reply_to(const std::string& body) const;

  mutable std::mutex mutex_;
  std::map<std::string, std::string> answers_;
  std::deque<Turn> turns_;
  std::vector<Request> requests_;
  std::atomic<std::uint64_t> sent_ = 0;
  HttpsServer server_;  // the last member: its threads use the others
};

}  // namespace timectl::testing
