// Payload to message and back. Sessions decode what peers send; `wire decode` and `wire encode`,
// the tests and the sending path (outgoing.h) encode. Promises: any bytes give a message or a
// DecodeError, in time linear in their number, with memory within max_growth times their number and
// 64 MiB.
#pragma once

#include <boost/system/result.hpp>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "daemon/wire/arena.h"
#include "daemon/wire/bytes.h"
#include "daemon/wire/messages.h"

namespace timectl::wire {

// Decoded size against encoded size, and in all (faults.md, budgets).
inline constexpr std::size_t max_growth = 8;
inline constexpr std::size_t max_decoded_size = std::size_t{64} << 20;

// Commit counts of the reference node where the message table changed (protocol 4.3).
inline constexpr std::uint32_t signed_unlock_commit = 2189;  // MasternodeUnlock got a signature
inline constexpr std::uint32_t renumbered_commit = 2202;     // 72 was inserted, the rest moved up
inline constexpr std::uint32_t current_commit = 2344;

enum class DecodeErrorKind {
  unexpected_end,      // the payload, or a count in it, promises more than there is
  unknown_variant,     // message index above 100
  other_table,         // an index whose meaning differs at the peer's commit count
  invalid_enum,        // index of a nested enum
  invalid_bool,        // neither 0 nor 1
  invalid_option,      // neither 0 nor 1
  invalid_utf8,        // in a text
  invalid_public_key,  // wrong length, or not a point of the curve
  too_many_keys,       // more than DecodeOptions allow
  over_budget,         // decoded it would be too large
};

struct DecodeError {
  DecodeErrorKind kind = DecodeErrorKind::unexpected_end;
  std::size_t offset = 0;  // into the payload: where the offending item starts

  [[nodiscard]] std::string_view text() const;
};

struct DecodeOptions {
  // From the peer's Handshake: older peers number or shape some messages differently.
  std::uint32_t commit_count = current_commit;
  // Public keys tested in one frame. The reference node sends at most 64 in a list; an 8 MiB frame
  // of nothing but keys would keep the network thread busy for half a second.
  std::size_t max_public_keys = SIZE_MAX;
};

struct Decoded {
  Message message;
  std::size_t consumed = 0;  // bytes
  std::size_t trailing = 0;  // bytes left over, ignored like the reference node does
  bool legacy = false;       // rescued by decode_legacy
};

// Strict: exactly what the current reference decoder accepts. The result borrows `payload` and
// `arena`; the arena is emptied first.
[[nodiscard]] boost::system::result<Decoded, DecodeError> decode(Bytes payload, Arena& arena,
                                                                 DecodeOptions options = {});

// The same, but a message with blocks (7, 9, 20, 23, 50, 61) that does not decode is tried once
// more in the form before 1.3, whose block headers lack total_fees and treasury_balance (both 0
// then). Like the reference node it can misread a damaged current block as an older one; the
// block's hash tells.
[[nodiscard]] boost::system::result<Decoded, DecodeError> decode_legacy(Bytes payload, Arena& arena,
                                                                        DecodeOptions options = {});

// The payload of a message (no frame header), as a peer of that commit count expects it.
[[nodiscard]] std::vector<std::uint8_t> encode(const Message& message,
                                               std::uint32_t commit_count = current_commit);

// One struct on its own, for stored blocks and for tests.
[[nodiscard]] boost::system::result<Block, DecodeError> decode_block(Bytes bytes, Arena& arena);
[[nodiscard]] std::vector<std::uint8_t> encode_block(const Block& block);
[[nodiscard]] std::vector<std::uint8_t> encode_transaction(const Transaction& transaction);

// Found by boost::system::result when a value is taken that is not there: a bug, told as one.
[[noreturn]] void throw_exception_from_error(const DecodeError& error,
                                             const boost::source_location& where);

}  // namespace timectl::wire
