#pragma once
// The lines on the control socket: newline-delimited JSON-RPC 2.0. The server, the client and the
// fuzz target use it; there is no I/O here. An error travels with its TC code, cause and remedies
// in `error.data`, so that a command prints the same whether the node or it itself found it.

#include <boost/json.hpp>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/core/result.h"

namespace timectl::control {

namespace json = boost::json;

// Bytes of a line, the newline not counted: a list of 10,000 entries (policy: max_entries) with 400
// bytes each is one request, because it is applied all or not at all.
inline constexpr std::size_t kRequestLimit = 4'194'304;
inline constexpr std::size_t kReplyLimit = 67'108'864;
inline constexpr std::size_t kJsonDepth = 16;

// Cuts a stream of bytes into lines. Holds at most limit + the size of one append; a line over the
// limit makes overflowed() true for good, since there is no way to find the next one cheaply.
class LineBuffer {
 public:
  explicit LineBuffer(std::size_t limit) : limit_(limit) {}
  void append(std::string_view bytes);
  [[nodiscard]] std::optional<std::string> next();  // without the newline
  [[nodiscard]] bool overflowed() const { return overflowed_; }
  void set_limit(std::size_t limit) { limit_ = limit; }

 private:
  std::size_t limit_;
  std::string pending_;
  std::size_t start_ = 0;    // of the first line that was not taken
  std::size_t scanned_ = 0;  // no newline in [start_, scanned_)
  bool overflowed_ = false;
};

struct Request {
  json::value id = nullptr;  // a number, or a string of at most 64 bytes
  std::string method = {};   // at most 64 bytes
  json::value params = nullptr;
};
// Errors: bad_data that names what is wrong. The id is null in the answer to such a line.
[[nodiscard]] Result<Request> parse_request(std::string_view line);

// A reply, or (with `method`) a notification.
struct Incoming {
  json::value id = nullptr;
  std::string method = {};
  Result<json::value> result = json::value(nullptr);  // or a notification's params
};
[[nodiscard]] Result<Incoming> parse_incoming(std::string_view line);

// All with their newline.
[[nodiscard]] std::string request_line(const json::value& id, std::string_view method,
                                       const json::value& params);
// A reply over kReplyLimit becomes the error too_large.
[[nodiscard]] std::string reply_line(const json::value& id, const Result<json::value>& result);
[[nodiscard]] std::string notification_line(std::string_view method, const json::value& params);

// {"code":"TC-...","message":...,"because":...,"try":[...]}; also what --json prints.
[[nodiscard]] json::object error_json(const Error& error);

}  // namespace timectl::control
