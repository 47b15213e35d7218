#include "daemon/wire/codec.h"

#include <cstring>
#include <stdexcept>

#include "daemon/wire/bincode.h"
#include "daemon/wire/bincode_writer.h"

namespace timectl::wire {
namespace {

using Result = boost::system::result<Decoded, DecodeError>;

constexpr std::size_t unlock_index = 29;
constexpr std::size_t last_stable_index = 71;

// Reads the message itself: its index is one more enum, but with errors of its own.
Result decode_form(Bytes payload, Arena& arena, const DecodeOptions& options, Reader::Form form) {
  std::uint32_t index = 0;
  if (payload.size() < sizeof index) return DecodeError{DecodeErrorKind::unexpected_end, 0};
  std::memcpy(&index, payload.data(), sizeof index);
  if (index >= message_count) return DecodeError{DecodeErrorKind::unknown_variant, 0};
  if (options.commit_count < renumbered_commit && index > last_stable_index) {
    return DecodeError{DecodeErrorKind::other_table, 0};
  }
  arena.begin(std::min(payload.size() * max_growth, max_decoded_size), payload.size() * 2);
  Reader reader(payload, arena, form, options.max_public_keys);
  Result result{Decoded{}};
  Decoded& decoded = *result;
  const std::uint8_t* after = reader.read(payload.data(), decoded.message);
  if (after == nullptr) return reader.error();
  decoded.consumed = static_cast<std::size_t>(after - payload.data());
  decoded.trailing = payload.size() - decoded.consumed;
  return result;
}

Reader::Form form_for(std::size_t index, std::uint32_t commit_count) {
  const bool older = index == unlock_index && commit_count < signed_unlock_commit;
  return older ? Reader::Form::older : Reader::Form::current;
}

}  // namespace

Result decode(Bytes payload, Arena& arena, DecodeOptions options) {
  std::uint32_t index = 0;
  if (payload.size() >= sizeof index) std::memcpy(&index, payload.data(), sizeof index);
  return decode_form(payload, arena, options, form_for(index, options.commit_count));
}

Result decode_legacy(Bytes payload, Arena& arena, DecodeOptions options) {
  Result strict = decode(payload, arena, options);
  if (strict || payload.size() < 4) return strict;
  std::uint32_t index = 0;
  std::memcpy(&index, payload.data(), sizeof index);
  if (!carries_blocks(index)) return strict;
  Result older = decode_form(payload, arena, options, Reader::Form::older);
  if (!older) return strict;
  older->legacy = true;
  return older;
}

std::vector<std::uint8_t> encode(const Message& message, std::uint32_t commit_count) {
  std::vector<std::uint8_t> payload;
  Writer(payload, form_for(message.index(), commit_count)).write(message);
  return payload;
}

boost::system::result<Block, DecodeError> decode_block(Bytes bytes, Arena& arena) {
  arena.begin(std::min(bytes.size() * max_growth, max_decoded_size), bytes.size() * 2);
  Reader reader(bytes, arena, Reader::Form::current, SIZE_MAX);
  boost::system::result<Block, DecodeError> result{Block{}};
  const std::uint8_t* after = reader.read(bytes.data(), *result);
  if (after == nullptr) return reader.error();
  return result;
}

std::vector<std::uint8_t> encode_block(const Block& block) {
  std::vector<std::uint8_t> bytes;
  Writer(bytes).write(block);
  return bytes;
}

std::vector<std::uint8_t> encode_transaction(const Transaction& transaction) {
  std::vector<std::uint8_t> bytes;
  Writer(bytes).write(transaction);
  return bytes;
}

template <class T>
const std::uint8_t* build_item(const std::uint8_t* at, const std::uint8_t* end, T& item) {
  Arena unused;  // these types contain no list that is built
  Reader reader(Bytes(at, static_cast<std::size_t>(end - at)), unused, Reader::Form::current, 0);
  const std::uint8_t* after = reader.read_item(at, item);
  if (after == nullptr) throw_exception_from_error(reader.error(), BOOST_CURRENT_LOCATION);
  return after;
}
template const std::uint8_t* build_item(const std::uint8_t*, const std::uint8_t*, Transaction&);
template const std::uint8_t* build_item(const std::uint8_t*, const std::uint8_t*, TxInput&);
template const std::uint8_t* build_item(const std::uint8_t*, const std::uint8_t*, TxOutput&);
template const std::uint8_t* build_item(const std::uint8_t*, const std::uint8_t*,
                                        MasternodeReward&);
template const std::uint8_t* build_item(const std::uint8_t*, const std::uint8_t*, TimeAttestation&);
template const std::uint8_t* build_item(const std::uint8_t*, const std::uint8_t*, WitnessRecord&);

std::string_view DecodeError::text() const {
  switch (kind) {
    case DecodeErrorKind::unexpected_end:
      return "the payload ends before the message does";
    case DecodeErrorKind::unknown_variant:
      return "unknown message index";
    case DecodeErrorKind::other_table:
      return "message index of another version's table";
    case DecodeErrorKind::invalid_enum:
      return "unknown index of an enum";
    case DecodeErrorKind::invalid_bool:
      return "a bool that is neither 0 nor 1";
    case DecodeErrorKind::invalid_option:
      return "an option tag that is neither 0 nor 1";
    case DecodeErrorKind::invalid_utf8:
      return "a text that is not UTF-8";
    case DecodeErrorKind::invalid_public_key:
      return "a public key that is not a curve point";
    case DecodeErrorKind::too_many_keys:
      return "more public keys than are tested in one frame";
    case DecodeErrorKind::over_budget:
      return "decoded, the message would be too large";
  }
  return "undecodable";
}

void throw_exception_from_error(const DecodeError& error, const boost::source_location&) {
  throw std::logic_error("no message was decoded: " + std::string(error.text()));
}

}  // namespace timectl::wire
