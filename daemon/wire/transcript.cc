#include "daemon/wire/transcript.h"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include "daemon/wire/fields.h"

namespace timectl::wire {
namespace {

namespace json = boost::json;

constexpr bool is_space(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

json::array hex_list(const std::vector<Hash32>& hashes) {
  json::array list;
  list.reserve(hashes.size());
  for (const Hash32& hash : hashes) list.emplace_back(to_hex(hash));
  return list;
}

json::object describe_block(const Block& block) {
  std::vector<Hash32> ids;
  ids.reserve(block.transactions.size());
  for (const Transaction& tx : block.transactions) ids.push_back(transaction_id(tx));
  json::object object;
  object.emplace("height", std::to_string(block.header.height));
  object.emplace("hash", to_hex(block_hash(block.header)));
  object.emplace("merkle_root", to_hex(merkle_root(ids)));
  object.emplace("txids", hex_list(ids));
  return object;
}

json::object describe_message(const Message& message) {
  json::object line;
  line.emplace("variant", message_name(message));
  line.emplace("variant_index", message.index());
  line.emplace("fields", to_fields(message));
  const auto blocks = blocks_of(message);
  if (!blocks.empty()) {
    json::array list;
    for (const Block* block : blocks) list.push_back(describe_block(*block));
    line.emplace("blocks", std::move(list));
  }
  const auto transactions = transactions_of(message);
  if (!transactions.empty()) {
    std::vector<Hash32> ids;
    for (const Transaction* tx : transactions) ids.push_back(transaction_id(*tx));
    line.emplace("txids", hex_list(ids));
  }
  return line;
}

}  // namespace

std::string TranscriptDecoder::error_line(std::string_view text, std::uint64_t offset) {
  failed_ = true;
  json::object line;
  line.emplace("error", text);
  line.emplace("offset", offset);
  return json::serialize(line) + '\n';
}

std::string TranscriptDecoder::line_of(Bytes payload) {
  const DecodeOptions options{options_.commit_count, SIZE_MAX};
  const auto result = options_.legacy_blocks ? decode_legacy(payload, arena_, options)
                                             : decode(payload, arena_, options);
  if (!result) {
    const DecodeError& error = result.error();
    return error_line(error.text(), frame_start_ + frame_header_size + error.offset);
  }
  json::object line = describe_message(result->message);
  if (result->legacy) line.emplace("legacy", true);
  if (result->trailing > 0) {
    line.emplace("trailing", result->trailing);
    line.emplace("trailing_hex", to_hex(payload.span().subspan(result->consumed)));
  }
  return json::serialize(line) + '\n';
}

bool TranscriptDecoder::undo_hex(std::string_view text) {
  undone_.clear();
  for (const char c : text) {
    if (is_space(c)) continue;
    const int digit = hex_digit(c);
    if (digit < 0) return false;
    if (half_ < 0) {
      half_ = digit;
    } else {
      undone_.push_back(static_cast<std::uint8_t>(half_ << 4 | digit));
      half_ = -1;
    }
  }
  return true;
}

std::string TranscriptDecoder::take_frames(std::span<const std::uint8_t> bytes) {
  std::string lines;
  received_ += bytes.size();
  frames_.feed(bytes);
  while (const auto payload = frames_.next()) {
    lines += line_of(*payload);
    frame_start_ += frame_header_size + payload->size();
  }
  if (frames_.too_large()) {
    stopped_ = true;
    lines +=
        error_line("frame too large: " + std::to_string(frames_.announced()) + " bytes, at most " +
                       std::to_string(max_frame_size) + "; the rest of the stream cannot be read",
                   frame_start_);
  }
  return lines;
}

std::string TranscriptDecoder::feed(std::string_view chunk) {
  using Input = TranscriptOptions::Input;
  if (chunk.empty() || stopped_) return {};
  if (options_.input == Input::detect) {
    const bool text = is_space(chunk[0]) || hex_digit(chunk[0]) >= 0;
    options_.input = text ? Input::hex : Input::raw;
  }
  if (options_.input == Input::raw) {
    return take_frames({reinterpret_cast<const std::uint8_t*>(chunk.data()), chunk.size()});
  }
  const bool good = undo_hex(chunk);
  std::string lines = take_frames(undone_);
  if (!good && !stopped_) {
    stopped_ = true;
    lines += error_line("something else than a hex digit or white space", received_);
  }
  return lines;
}

std::string TranscriptDecoder::finish() {
  if (stopped_) return {};
  if (half_ >= 0) return error_line("the hex text ends inside a byte", received_);
  if (frames_.announced() == 0) return {};
  return error_line(
      "the stream ends inside a frame of " + std::to_string(frames_.announced()) + " bytes",
      received_);
}

}  // namespace timectl::wire
