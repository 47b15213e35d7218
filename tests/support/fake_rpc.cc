#include "tests/support/fake_rpc.h"

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <charconv>
#include <optional>
#include <utility>

namespace timectl::testing {
namespace {

namespace json = boost::json;
using Turn = FakeRpc::Turn;

constexpr std::size_t kHuge = 200'000'000;

ServerWish server_wish(const FakeRpcWish& wish) {
  ServerWish server;
  server.address = wish.address;
  server.port = wish.port;
  if (wish.tls) server.certificate = TestAuthority::self_signed({{"DNS:timecoin.local"}});
  return server;
}

std::string http(const std::string& status, const std::string& body,
                 const std::string& type = "application/json") {
  return "HTTP/1.1 " + status + "\r\nContent-Type: " + type +
         "\r\nContent-Length: " + std::to_string(body.size()) + "\r\nConnection: close\r\n\r\n" +
         body;
}

std::string error_text(int code, const std::string& message, const std::string& id) {
  return R"({"jsonrpc":"2.0","error":{"code":)" + std::to_string(code) + R"(,"message":")" +
         message + R"("},"id":)" + id + "}";
}

// The value of Content-Length; none where there is no such header, which the node refuses.
std::optional<std::size_t> body_length(std::string head) {
  std::transform(head.begin(), head.end(), head.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  constexpr std::string_view kName = "\r\ncontent-length: ";
  const auto at = head.find(kName);
  std::size_t length = 0;
  if (at == std::string::npos) return std::nullopt;
  const char* digits = head.data() + at + kName.size();
  if (std::from_chars(digits, head.data() + head.size(), length).ec != std::errc{}) {
    return std::nullopt;
  }
  return length;
}

}  // namespace

FakeRpc::FakeRpc(const FakeRpcWish& wish)
    : server_(server_wish(wish), [this](ServerConnection& connection) { serve(connection); }) {}

void FakeRpc::answer(const std::string& method, const std::string& result) {
  const std::lock_guard lock(mutex_);
  answers_[method] = result;
}

void FakeRpc::healthy(std::uint64_t height, std::uint64_t uptime_seconds) {
  const auto h = std::to_string(height);
  answer("getblockchaininfo", R"({"chain":"testnet","blocks":)" + h + R"(,"headers":)" + h +
                                  R"(,"bestblockhash":")" + std::string(64, 'b') +
                                  R"(","initialblockdownload":false})");
  uptime(uptime_seconds);
  connections(13, 11);
  answer("getinfo", R"({"version":"1.5.9","blocks":)" + h + R"(,"masternodes":30})");
  answer("getpeerinfo", "[]");
  answer("getbanlist", R"({"permanent":[],"temporary":[],"subnets":[],"violations":[]})");
  answer("masternodelist", R"({"total":0,"total_in_registry":0,"masternodes":[]})");
  answer("masternodestatus", R"({"status":"active","is_active":true,"version":"1.5.9"})");
  answer("getwhitelist", R"({"count":17,"info":"x"})");
}

void FakeRpc::connections(std::uint64_t in, std::uint64_t out) {
  answer("getnetworkinfo", R"({"subversion":"/timed:1.5.9/","connections_in":)" +
                               std::to_string(in) + R"(,"connections_out":)" + std::to_string(out) +
                               "}");
}

void FakeRpc::ban(const std::string& ip, const std::string& reason) {
  const json::object row{{"ip", ip}, {"reason", reason}};
  answer("getbanlist", R"({"permanent":[)" + json::serialize(row) +
                           R"(],"temporary":[],"subnets":[],"violations":[]})");
}

void FakeRpc::next(Turn turn, std::size_t requests) {
  const std::lock_guard lock(mutex_);
  turns_.insert(turns_.end(), requests, turn);
}

bool FakeRpc::next(std::string_view word) {
  constexpr auto kWords = std::to_array<std::pair<std::string_view, Turn>>({
      {"answer", Turn::answer},
      {"limited", Turn::limited},
      {"unauthorized", Turn::unauthorized},
      {"html", Turn::html},
      {"huge", Turn::huge},
      {"huge-chunked", Turn::huge_chunked},
      {"endless-head", Turn::endless_head},
      {"endless-chunk", Turn::endless_chunk},
      {"hang", Turn::hang},
      {"close", Turn::close},
      {"cut-short", Turn::cut_short},
      {"redirect", Turn::redirect},
      {"reset", Turn::reset},
  });
  std::size_t times = 1;
  if (const auto star = word.find('*'); star != std::string_view::npos) {
    const char* end = word.data() + word.size();
    const auto read = std::from_chars(word.data() + star + 1, end, times);
    constexpr std::size_t kMost = 1000;
    if (read.ec != std::errc{} || read.ptr != end || times > kMost) return false;
    word = word.substr(0, star);
  }
  const auto* known = std::find_if(kWords.begin(), kWords.end(),
                                   [&](const auto& row) { return row.first == word; });
  if (known == kWords.end()) return false;
  next(known->second, times);
  return true;
}

std::vector<FakeRpc::Request> FakeRpc::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

std::vector<std::string> FakeRpc::methods() const {
  std::vector<std::string> names;
  for (const auto& request : requests()) {
    boost::system::error_code failed;
    const auto call = json::parse(request.body, failed);
    const auto* object = call.if_object();
    const auto* method = failed || object == nullptr ? nullptr : object->if_contains("method");
    names.emplace_back(method != nullptr && method->is_string() ? method->get_string().c_str()
                                                                : "malformed");
  }
  return names;
}

void FakeRpc::serve(ServerConnection& connection) {
  Request request;
  request.head = connection.read_request();
  if (request.head.empty()) return;
  const auto length = body_length(request.head);
  if (length) request.body = connection.read_body(*length);
  Turn turn = Turn::answer;
  std::string reply;
  {
    const std::lock_guard lock(mutex_);
    requests_.push_back(request);
    if (!turns_.empty()) {
      turn = turns_.front();
      turns_.pop_front();
    }
    reply = reply_to(request.body);
  }
  if (turn == Turn::answer) {
    connection.send(http("200 OK", reply));
  } else {
    misbehave(connection, turn);
  }
}

// As strict as the node (protocol 11.4).
std::string FakeRpc::reply_to(const std::string& body) const {
  boost::system::error_code failed;
  const auto call = json::parse(body, failed);
  const auto* object = call.if_object();
  if (failed || object == nullptr || !object->contains("jsonrpc") || !object->contains("params") ||
      !object->contains("method") || !object->at("method").is_string()) {
    return error_text(-32700, "Parse error", "null");
  }
  const auto id = json::serialize(object->contains("id") ? object->at("id") : json::value());
  const auto found = answers_.find(object->at("method").get_string().c_str());
  if (found == answers_.end()) return error_text(-32601, "Method not found", id);
  return R"({"jsonrpc":"2.0","result":)" + found->second + R"(,"id":)" + id + "}";
}

void FakeRpc::misbehave(ServerConnection& connection, Turn turn) {
  const std::string part = "[" + std::string(4000, '1') + "],";
  switch (turn) {
    case Turn::limited:
      connection.send(http("429 Too Many Requests", error_text(-32005, "Rate limit", "null")));
      break;
    case Turn::unauthorized:
      connection.send(http("401 Unauthorized", error_text(-32600, "Unauthorized", "null")));
      break;
    case Turn::html:
      connection.send(http("200 OK", "<html><body>welcome</body></html>", "text/html"));
      break;
    case Turn::huge:
      connection.send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(kHuge) + "\r\n\r\n[");
      while (sent_ < kHuge && connection.send(part)) sent_ += part.size();
      break;
    case Turn::huge_chunked:
      connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
      while (sent_ < kHuge && connection.send("fa3\r\n" + part + "\r\n")) sent_ += part.size();
      break;
    case Turn::endless_head:
      connection.send("HTTP/1.1 200 OK\r\nX: ");
      while (sent_ < kHuge && connection.send(part)) sent_ += part.size();
      break;
    case Turn::endless_chunk:
      connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;");
      while (sent_ < kHuge && connection.send(part)) sent_ += part.size();
      break;
    case Turn::hang:
      connection.wait();
      break;
    case Turn::cut_short:
      connection.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"result\":");
      break;
    case Turn::redirect:
      connection.send("HTTP/1.1 302 Found\r\nLocation: http://" + server_.endpoint() +
                      "/\r\nContent-Length: 0\r\n\r\n");
      break;
    case Turn::reset:
      connection.reset();
      break;
    case Turn::close:
    case Turn::answer:
      break;
  }
}

}  // namespace timectl::testing
