#pragma once
// Violations: what a peer can do wrong in a way that we can prove against it, and how much each
// weighs. The node reports them to Bans; `timectl explain` prints the table.
//
// What is *not* here is as deliberate. Nothing counts that somebody else can cause: a connection
// that was never completed (its address may be forged), broken TLS records and resets (who is on
// the path forges them), a failed dial of ours, a full /24. Nothing counts that ends the honest
// after a mistake of ours: another genesis block, an old version. And what honest nodes do when
// they are unwell (slow, no handshake in time) is a nuisance, which never climbs the ladder: on
// this network 19 failed TLS handshakes made a permanent ban (failures.md, FM-B1).

#include <boost/describe/enum.hpp>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "daemon/core/vocabulary.h"

namespace timectl {

enum class ViolationKind : std::uint8_t {
  flood,
  frame_too_large,
  unknown_pongs,
  slow,
  undecodable,
  wrong_magic,
  early_frame,
  no_handshake,
  hammering,
  bad_block,
  wrong_blocks,
  unasked_blocks,
};
BOOST_DESCRIBE_ENUM(ViolationKind, flood, frame_too_large, unknown_pongs, slow, undecodable,
                    wrong_magic, early_frame, no_handshake, hammering, bad_block, wrong_blocks,
                    unasked_blocks)
inline constexpr std::size_t kViolationKinds = 12;

// attack: no honest node does it; further bans are longer. nuisance: a shortest ban at most.
enum class Gravity : std::uint8_t { nuisance, attack };
BOOST_DESCRIBE_ENUM(Gravity, nuisance, attack)

struct ViolationRow {
  ViolationKind kind;
  Gravity gravity;
  double points;             // against BanPolicy::threshold
  std::string_view meaning;  // one sentence, for people
  std::string_view remedy;
};
[[nodiscard]] std::span<const ViolationRow> violation_table();  // in the order of the kinds
[[nodiscard]] const ViolationRow& violation_row(ViolationKind kind);

// How a connection ended without our doing.
struct EndFacts {
  EndReason reason = EndReason::closed_by_peer;
  Direction direction = Direction::in;
  bool session = false;  // the handshake was done
  bool spoke = false;    // bytes of frames came
};
// What that end proves against the peer; none for most.
[[nodiscard]] std::optional<ViolationKind> violation_of(const EndFacts& end);

}  // namespace timectl
