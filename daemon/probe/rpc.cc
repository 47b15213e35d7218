#include "daemon/probe/rpc.h"

#include <algorithm>
#include <array>
#include <utility>

#include "daemon/core/events.h"
#include "daemon/probe/http_exchange.h"
#include "daemon/probe/rpc_reply.h"

namespace timectl::probe {
namespace {

using diagnose::RpcAnswer;
using diagnose::RpcFacts;

struct Method {
  const char* name;
  const char* params;
};
// The most telling first: a slow path may not leave time for all.
constexpr auto kMethods = std::to_array<Method>({
    {"getblockchaininfo", "[]"},
    {"uptime", "[]"},
    {"getnetworkinfo", "[]"},
    {"getbanlist", "[]"},
    {"getpeerinfo", "[]"},
    {"masternodelist", "[true]"},
    {"masternodestatus", "[]"},
    {"getblockhash", "[0]"},
    {"getinfo", "[]"},
    {"getwhitelist", "[]"},
});

// Once it has answered, one method that hangs must not cost what the others would say.
constexpr Duration kOneMethod = std::chrono::seconds(2);
constexpr int kNonsenseInARow = 2;  // then it is no RPC that speaks
constexpr unsigned kUnauthorized = 401;
constexpr unsigned kTooMany = 429;
constexpr std::int64_t kTooManyCode = -32005;       // protocol 11.3
constexpr std::int64_t kUnauthorizedCode = -32600;  // with 401, protocol 11.4
constexpr unsigned kFirstError = 400;

struct Outcome {
  RpcAnswer answer = RpcAnswer::ok;
  std::string detail = {};
  bool wants_tls = false;
  bool nonsense = false;  // no JSON-RPC at all
};

RpcAnswer answer_of(const LinkStep& step, bool connected) {
  if (step.end == LinkEnd::refused) return RpcAnswer::refused;
  if (!connected) return RpcAnswer::timed_out;
  return step.end == LinkEnd::timed_out ? RpcAnswer::silent : RpcAnswer::no_json;
}

std::string host_of(const RpcRequest& request) {
  const auto ip = request.peer.to_string();
  return (request.peer.is_v4() ? ip : "[" + ip + "]") + ":" + std::to_string(request.port);
}

class Questions {
 public:
  Questions(const RpcRequest& request, const Waiter& waiter)
      : request_(request), waiter_(waiter), ends_(waiter.now().mono + request.timeout) {}

  RpcFacts ask_all() {
    for (const auto& method : kMethods) {
      auto outcome = ask(method);
      if (outcome.wants_tls && !answered_) outcome = ask_over_tls(method, std::move(outcome));
      if (!take(method, outcome)) break;
    }
    if (!answered_ && facts_.answer == RpcAnswer::ok) {
      facts_.answer = first_.answer;
      facts_.detail = first_.detail;
    }
    return std::move(facts_);
  }

 private:
  // False: nothing more is asked.
  bool take(const Method& method, const Outcome& outcome) {
    nonsense_ = outcome.nonsense ? nonsense_ + 1 : 0;
    if (outcome.answer == RpcAnswer::ok) {
      answered_ = true;
      return true;
    }
    if (first_.answer == RpcAnswer::ok) first_ = outcome;
    const std::string detail = std::string(method.name) + ": " + outcome.detail;
    if (outcome.answer == RpcAnswer::rate_limited) {  // whatever was learned before
      facts_.answer = RpcAnswer::rate_limited;
      facts_.detail = detail;
      return false;
    }
    if (answered_ && facts_.detail.empty()) facts_.detail = detail;
    if (outcome.answer == RpcAnswer::no_json) return nonsense_ < kNonsenseInARow;
    // A protected method, or one that hangs: the others may do better.
    const bool one_method =
        outcome.answer == RpcAnswer::unauthorized || outcome.answer == RpcAnswer::silent;
    return answered_ && one_method && waiter_.now().mono < ends_ && !waiter_.stopped();
  }

  // A server that ends a plain connection without a word may be one that speaks TLS only.
  Outcome ask_over_tls(const Method& method, Outcome plain) {
    tls_.emplace();
    Outcome outcome = ask(method);
    if (outcome.answer != RpcAnswer::silent && !outcome.nonsense) return outcome;
    tls_.reset();
    return plain;
  }

  Outcome ask(const Method& method) {
    Instant until = ends_;
    if (answered_) until = std::min(until, waiter_.now().mono + kOneMethod);
    Link link(waiter_);
    const IpAddress from = request_.source.value_or(IpAddress());
    auto step = link.connect({request_.peer, request_.port}, from, until);
    if (step.end != LinkEnd::done) return {answer_of(step, false), step.detail};
    if (tls_) step = link.secure(*tls_, until);
    if (step.end != LinkEnd::done) return {answer_of(step, true), step.detail, false, true};
    const std::string body = std::string(R"({"jsonrpc":"2.0","id":1,"method":")") + method.name +
                             R"(","params":)" + method.params + "}";
    const auto answer = http_post(link, {host_of(request_), body, request_.max_bytes}, until);
    link.cut();  // it closes after each answer (protocol 11.1)
    return judge(method, answer);
  }

  Outcome judge(const Method& method, const HttpAnswer& answer) {
    using Kind = HttpAnswer::Kind;
    if (answer.kind == Kind::link_down) {
      return {answer_of(answer.step, true), answer.detail, answer.wants_tls,
              answer.step.end != LinkEnd::timed_out};
    }
    if (answer.kind == Kind::too_large) {
      return {RpcAnswer::too_large,
              "its answer is larger than " + std::to_string(request_.max_bytes) + " bytes"};
    }
    if (answer.kind == Kind::no_http) {
      return {RpcAnswer::no_json, answer.detail, answer.wants_tls, true};
    }
    if (answer.status == kTooMany) return {RpcAnswer::rate_limited, "HTTP 429"};
    if (answer.status == kUnauthorized) {
      return {RpcAnswer::unauthorized, "HTTP 401"};
    }
    return read(method, answer);
  }

  Outcome read(const Method& method, const HttpAnswer& answer) {
    JsonBudget budget(kJsonBudget);
    const auto reply = parse_rpc_reply(answer.body, budget);
    const std::string status = "HTTP " + std::to_string(answer.status);
    if (reply.kind == RpcReply::Kind::error) {
      const std::string said = "error " + std::to_string(reply.code) + ", " + reply.message;
      if (reply.code == kTooManyCode) return {RpcAnswer::rate_limited, said};
      if (reply.code == kUnauthorizedCode) return {RpcAnswer::unauthorized, said};
      if (answered_ && facts_.detail.empty()) {
        facts_.detail = std::string(method.name) + ": " + said;
      }
      return {RpcAnswer::ok, said};  // an RPC that does not know the method
    }
    if (reply.kind == RpcReply::Kind::no_json || answer.status >= kFirstError) {
      return {RpcAnswer::no_json, status + ", no JSON-RPC answer", false, true};
    }
    if (!read_rpc_result(method.name, *reply.result, request_, waiter_.now().wall, facts_)) {
      return {RpcAnswer::no_json, "its answer has another shape than we know"};
    }
    return {};
  }

  const RpcRequest& request_;
  const Waiter& waiter_;
  Instant ends_;
  std::optional<net::TlsContext> tls_;
  RpcFacts facts_;
  Outcome first_;  // failure
  bool answered_ = false;
  int nonsense_ = 0;  // answers in a row
};

}  // namespace

RpcFacts ask_rpc(const RpcRequest& request, std::function<Now()> now, std::stop_token stop) {
  const Waiter waiter(std::move(now), std::move(stop));
  return Questions(request, waiter).ask_all();
}

}  // namespace timectl::probe
