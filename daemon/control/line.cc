#include "daemon/control/line.h"

#include <algorithm>

#include "daemon/core/errors.h"

namespace timectl::control {
namespace {

constexpr std::size_t kNameLimit = 64;  // bytes of a method name and of a text id

std::string_view view(const json::string& text) {
  return {text.data(), text.size()};
}

Result<json::object> parse_object(std::string_view line) {
  boost::system::error_code failed;
  json::parse_options options;
  options.max_depth = kJsonDepth;
  auto value = json::parse({line.data(), line.size()}, failed, {}, options);
  if (failed) return Error{Code::bad_data, "the line is not JSON", failed.message()};
  if (!value.is_object()) return Error{Code::bad_data, "the line is not a JSON object"};
  const auto* version = value.get_object().if_contains("jsonrpc");
  if (version == nullptr || *version != "2.0") {
    return Error{Code::bad_data, "the line is not JSON-RPC 2.0", "`jsonrpc` must be \"2.0\""};
  }
  return std::move(value.get_object());
}

// The numbers that JSON-RPC 2.0 reserves; tools that know nothing of ours can use them.
int rpc_number(Code code) {
  switch (code) {
    case Code::unknown_command:
      return -32601;
    case Code::bad_data:
    case Code::invalid_argument:
      return -32602;
    case Code::internal:
      return -32603;
    default:
      return -32000;
  }
}

std::string text_of(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(view(value->get_string()))
                                                : std::string();
}

// Of a newer node the code may be unknown here; the text still says everything.
Error error_of(const json::value& value) {
  if (!value.is_object()) return {Code::bad_data, "the node's reply has a malformed error"};
  const auto& object = value.get_object();
  Error error{Code::internal, text_of(object, "message")};
  const auto* data = object.if_contains("data");
  if (data == nullptr || !data->is_object()) return error;
  const auto& more = data->get_object();
  const auto id = text_of(more, "code");
  for (const auto& row : error_table()) {
    if (row.id == id) error.code = row.code;
  }
  error.because = text_of(more, "because");
  if (const auto* remedies = more.if_contains("try"); remedies != nullptr && remedies->is_array()) {
    for (const auto& remedy : remedies->get_array()) {
      if (remedy.is_string()) error.remedy.emplace_back(view(remedy.get_string()));
    }
  }
  return error;
}

}  // namespace

void LineBuffer::append(std::string_view bytes) {
  if (overflowed_) return;
  if (start_ == pending_.size()) {
    pending_.clear();
    start_ = scanned_ = 0;
  } else if (start_ > pending_.size() / 2) {
    pending_.erase(0, start_);
    scanned_ -= start_;
    start_ = 0;
  }
  pending_.append(bytes);
}

std::optional<std::string> LineBuffer::next() {
  if (overflowed_) return {};
  const auto end = pending_.find('\n', scanned_);
  const auto length = (end == std::string::npos ? pending_.size() : end) - start_;
  if (length > limit_) {
    overflowed_ = true;
    pending_ = {};
    start_ = scanned_ = 0;
    return {};
  }
  scanned_ = end == std::string::npos ? pending_.size() : end + 1;
  if (end == std::string::npos) return {};
  auto line = pending_.substr(start_, length);
  start_ = scanned_;
  return line;
}

Result<Request> parse_request(std::string_view line) {
  auto object = parse_object(line);
  if (!object) return object.error();
  Request request;
  for (auto& pair : *object) {
    const std::string_view key(pair.key().data(), pair.key().size());
    auto& value = pair.value();
    if (key == "jsonrpc") continue;
    if (key == "id") {
      const bool text = value.is_string() && value.get_string().size() <= kNameLimit;
      if (!text && !value.is_number()) {
        return Error{Code::bad_data, "`id` must be a number or a text of at most 64 bytes"};
      }
      request.id = std::move(value);
    } else if (key == "method") {
      if (!value.is_string() || value.get_string().size() > kNameLimit) {
        return Error{Code::bad_data, "`method` must be a text of at most 64 bytes"};
      }
      request.method = view(value.get_string());
    } else if (key == "params") {
      if (!value.is_object()) return Error{Code::bad_data, "`params` must be an object"};
      request.params = std::move(value);
    } else {
      return Error{Code::bad_data,
                   "the request has a field that is none of jsonrpc, id, method, "
                   "params"};
    }
  }
  if (request.method.empty()) return Error{Code::bad_data, "the request has no `method`"};
  // Without an id no answer could be told apart; there are no calls without an answer.
  if (request.id.is_null()) return Error{Code::bad_data, "the request has no `id`"};
  return request;
}

Result<Incoming> parse_incoming(std::string_view line) {
  auto object = parse_object(line);
  if (!object) return object.error();
  Incoming incoming;
  if (auto* id = object->if_contains("id")) incoming.id = std::move(*id);
  if (auto* error = object->if_contains("error")) {
    incoming.result = error_of(*error);
  } else if (auto* result = object->if_contains("result")) {
    incoming.result = std::move(*result);
  } else if (auto* params = object->if_contains("params")) {
    incoming.method = text_of(*object, "method");
    incoming.result = std::move(*params);
  } else {
    return Error{Code::bad_data, "the line is neither a reply nor a notification"};
  }
  return incoming;
}

std::string request_line(const json::value& id, std::string_view method,
                         const json::value& params) {
  json::object object{{"jsonrpc", "2.0"}, {"id", id}, {"method", method}};
  if (!params.is_null()) object.emplace("params", params);
  return json::serialize(object) + "\n";
}

std::string reply_line(const json::value& id, const Result<json::value>& result) {
  json::object object{{"jsonrpc", "2.0"}, {"id", id}};
  if (result) {
    object.emplace("result", *result);
    auto line = json::serialize(object) + "\n";
    if (line.size() <= kReplyLimit) return line;
    return reply_line(id, Error{Code::too_large,
                                "the answer is over 64 MiB",
                                "",
                                {"ask for fewer rows, for example with --since"}});
  }
  auto data = error_json(result.error());
  const json::value message = data["message"];
  object.emplace("error", json::object{{"code", rpc_number(result.error().code)},
                                       {"message", message},
                                       {"data", std::move(data)}});
  return json::serialize(object) + "\n";
}

std::string notification_line(std::string_view method, const json::value& params) {
  return json::serialize(json::object{{"jsonrpc", "2.0"}, {"method", method}, {"params", params}}) +
         "\n";
}

json::object error_json(const Error& error) {
  json::array remedies;
  for (const auto& remedy : error.remedy) remedies.emplace_back(remedy);
  return {{"code", error_row(error.code).id},
          {"message", error.message},
          {"because", error.because},
          {"try", std::move(remedies)}};
}

}  // namespace timectl::control
