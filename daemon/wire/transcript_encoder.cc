#include "daemon/wire/transcript_encoder.h"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include "daemon/wire/fields.h"
#include "daemon/wire/frame.h"

namespace timectl::wire {
namespace {

namespace json = boost::json;

constexpr std::size_t max_line = std::size_t{64} << 20;

// The name the line asks for, or an empty one: then `problem` says why.
struct Wanted {
  std::string_view variant;
  std::string problem;
};

Wanted wanted_variant(const json::object& line) {
  const json::value* name = line.if_contains("variant");
  const json::value* number = line.if_contains("variant_index");
  std::string_view by_name;
  if (name != nullptr) {
    if (!name->is_string()) return {{}, "\"variant\" is no string"};
    by_name = name->get_string();
    if (message_index(by_name) == message_count) {
      return {{}, std::string("no message has the name \"").append(by_name).append(1, '"')};
    }
  }
  if (number == nullptr) return {by_name, by_name.empty() ? "lacks \"variant\"" : ""};
  const auto* index = number->if_int64();
  if (index == nullptr || *index < 0 || static_cast<std::size_t>(*index) >= message_count) {
    return {{}, "\"variant_index\" is no integer from 0 to 100"};
  }
  const std::string_view by_index = message_name(static_cast<std::size_t>(*index));
  if (!by_name.empty() && by_name != by_index) {
    return {{}, "\"variant\" and \"variant_index\" name different messages"};
  }
  return {by_index, ""};
}

}  // namespace

std::string TranscriptEncoder::encode_line(std::vector<std::uint8_t>& frames) {
  boost::system::error_code problem;
  const json::value parsed = json::parse(line_, problem);
  if (problem) return "is not JSON: " + problem.message();
  if (!parsed.is_object()) return "is not a JSON object";
  const json::object& line = parsed.get_object();
  const Wanted wanted = wanted_variant(line);
  if (!wanted.problem.empty()) return wanted.problem;
  const json::value* fields = line.if_contains("fields");
  if (fields == nullptr) return "lacks \"fields\"";
  const auto message = from_fields(wanted.variant, *fields, arena_);
  if (!message) return message.error().path + " " + message.error().problem;
  std::vector<std::uint8_t> payload = encode(*message, commit_count_);
  if (const json::value* trailing = line.if_contains("trailing_hex")) {
    const auto bytes = trailing->is_string() ? from_hex(trailing->get_string()) : std::nullopt;
    if (!bytes) return "\"trailing_hex\" is no hex string";
    payload.insert(payload.end(), bytes->begin(), bytes->end());
  }
  if (payload.size() > max_frame_size) return "the frame would be larger than 8 MiB";
  const auto header = frame_header(payload.size());
  frames.insert(frames.end(), header.begin(), header.end());
  frames.insert(frames.end(), payload.begin(), payload.end());
  return {};
}

void TranscriptEncoder::end_line(Output& output) {
  ++line_number_;
  std::string problem;
  if (overlong_) {
    problem = "is longer than 64 MiB";
  } else if (line_.find_first_not_of(" \t\r") != std::string::npos) {
    problem = encode_line(output.frames);
  }
  if (!problem.empty()) {
    failed_ = true;
    output.errors.push_back("line " + std::to_string(line_number_) + ": " + problem);
  }
  overlong_ = false;
  line_.clear();
}

TranscriptEncoder::Output TranscriptEncoder::feed(std::string_view chunk) {
  Output output;
  while (!chunk.empty()) {
    const std::size_t end = std::min(chunk.find('\n'), chunk.size());
    if (line_.size() + end > max_line) {
      overlong_ = true;
      std::string().swap(line_);
    } else if (!overlong_) {
      line_ += chunk.substr(0, end);
    }
    if (end == chunk.size()) break;
    end_line(output);
    chunk.remove_prefix(end + 1);
  }
  return output;
}

TranscriptEncoder::Output TranscriptEncoder::finish() {
  Output output;
  if (overlong_ || !line_.empty()) end_line(output);
  return output;
}

}  // namespace timectl::wire
