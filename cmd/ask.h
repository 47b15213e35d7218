#pragma once
// A question to the node, or to the database where no node runs: one call per method, with the
// request as its described struct and the reply as JSON that a noun prints as it is (--json) or
// reads into a struct (for people). The one place where the nouns meet client.h.

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "cmd/context.h"
#include "daemon/core/json.h"

namespace timectl::cmd {

struct Route;  // client.h

struct Answer {
  json::value data = {};
  std::string source = {};  // "node" or "database"
  std::vector<std::string> warnings = {};
};

[[nodiscard]] Result<Answer> ask(Context& context, std::string_view method,
                                 const json::value& request);
template <class Request>
[[nodiscard]] Result<Answer> ask(Context& context, std::string_view method,
                                 const Request& request) {
  return ask(context, method, to_json(request));
}

// The way to the node as this command line says it; for those who keep a connection themselves.
[[nodiscard]] Result<Route> route_of(Context& context);

// Of the running node only (node_not_running otherwise), with a time limit of its own.
[[nodiscard]] Result<Answer> ask_node(Context& context, std::string_view method,
                                      const json::value& request, Duration timeout);

// Of the running node: the reply goes to `first`, then every notification to `sink`, until the
// connection ends (the error says how) or the user interrupts the process.
[[nodiscard]] Result<void> follow(Context& context, std::string_view method,
                                  const json::value& request,
                                  const std::function<void(const Answer&)>& first,
                                  const std::function<void(const json::value&)>& sink);

// Of the running node: asks again `every` so often over one connection, until `sink` says false or
// fails, the connection ends (the error says how), or a signal interrupts the wait.
[[nodiscard]] Result<void> poll_node(Context& context, std::string_view method,
                                     const json::value& request, Duration every,
                                     const std::function<Result<bool>(const Answer&)>& sink);

// The reply as the struct it was made from.
template <class T>
[[nodiscard]] Result<T> read_answer(const json::value& data) {
  T out{};
  if (auto ok = from_json(data, out, ""); !ok) {
    return Error{Code::protocol_mismatch, "the answer of the node does not read",
                 ok.error().message};
  }
  return out;
}

// With --json the document, else `print` of the struct; then the exit status.
template <class T, class Print>
[[nodiscard]] Result<int> show(Context& context, std::string_view schema, const Answer& answer,
                               Print print) {
  if (context.out.json()) {
    context.out.document(schema, answer.data, answer.source, answer.warnings);
    return 0;
  }
  const auto value = read_answer<T>(answer.data);
  if (!value) return value.error();
  for (const auto& warning : answer.warnings) context.out.warning(warning);
  print(*value);
  return 0;
}

}  // namespace timectl::cmd
