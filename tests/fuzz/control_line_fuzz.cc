// The lines of the control socket: whatever comes, at any chunking, the lines are those of a plain
// split; a request or reply that is accepted survives a round trip; nothing exceeds its limit.
#include "daemon/control/line.h"
#include "tests/fuzz/fuzz.h"

namespace timectl::control {

using timectl::fuzz::require;

namespace {

constexpr std::size_t kLimit = 4096;

void check_line(const std::string& line) {
  if (const auto request = parse_request(line)) {
    const auto again = request_line(request->id, request->method, request->params);
    require(again.find('\n') == again.size() - 1, "a request is one line");
    const auto parsed = parse_request(again.substr(0, again.size() - 1));
    require(parsed && parsed->method == request->method, "an accepted request is accepted again");
    const timectl::Error error{timectl::Code::bad_data, request->method};
    require(parse_incoming(reply_line(request->id, error)).has_value(), "its answer can be read");
  }
  if (const auto incoming = parse_incoming(line); incoming && incoming->result) {
    const auto again = reply_line(incoming->id, incoming->result);
    require(again.find('\n') == again.size() - 1, "a reply is one line");
    require(parse_incoming(again).has_value(), "an accepted reply is accepted again");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::size_t chunk = std::size_t{data[0]} + 1;
  const std::string stream(reinterpret_cast<const char*>(data) + 1, size - 1);
  LineBuffer buffer(kLimit);
  std::size_t begin = 0;
  for (std::size_t at = 0; at < stream.size(); at += chunk) {
    buffer.append(std::string_view(stream).substr(at, chunk));
    while (const auto line = buffer.next()) {
      const auto end = stream.find('\n', begin);
      require(end != std::string::npos && stream.compare(begin, end - begin, *line) == 0,
              "the lines are those of the stream");
      require(line->size() <= kLimit, "no line is over the limit");
      begin = end + 1;
      check_line(*line);
    }
  }
  return 0;
}

}  // namespace timectl::control
