#include "daemon/core/violation.h"

#include <array>

#include "daemon/core/result.h"

namespace timectl {
namespace {

constexpr auto kRows = std::to_array<ViolationRow>({
    {ViolationKind::flood, Gravity::attack, 5,
     "It sent more frames or bytes than the limits allow.",
     "The limits are network.frames_per_second and network.bytes_per_minute."},
    {ViolationKind::frame_too_large, Gravity::attack, 5,
     "In a session it announced a frame over the limit.",
     "No message of the network is that large: ask its operator what runs there."},
    {ViolationKind::unknown_pongs, Gravity::attack, 5,
     "It sent many pongs in a row that answer no ping of ours.",
     "Ask its operator what runs there; bans.unknown_pongs is the number."},
    {ViolationKind::slow, Gravity::nuisance, 2,
     "A frame of it stalled half-way, or it did not read what we sent.",
     "Usually its path or its load: check both before suspecting it."},
    {ViolationKind::undecodable, Gravity::nuisance, 2,
     "It sent a burst of frames that are no message.",
     "Usually a much newer or older version; bans.undecodable_frames is the number."},
    {ViolationKind::wrong_magic, Gravity::nuisance, 2,
     "It dialled us with the magic of another network.",
     "Check network.name here and on its side."},
    {ViolationKind::early_frame, Gravity::nuisance, 2,
     "It dialled us and sent something else than a Handshake first.",
     "The program there is no node of this network, or a broken one."},
    {ViolationKind::no_handshake, Gravity::nuisance, 1,
     "It dialled us and completed neither TLS nor the handshake in time.",
     "Usually a scanner, or an overloaded node."},
    {ViolationKind::hammering, Gravity::nuisance, 1,
     "It dialled us more often than network.per_ip_per_minute.",
     "Its program reconnects without a pause, or many hosts share the address."},
    {ViolationKind::bad_block, Gravity::attack, 5,
     "It served a block that breaks a rule no honest node breaks.",
     "Its chain is damaged or made up: compare its tip with others in `timectl sync peers`."},
    {ViolationKind::wrong_blocks, Gravity::nuisance, 2,
     "It answered a request for blocks with others, or with blocks that do not follow each other.",
     "Its store has gaps, or its program answers wrongly."},
    {ViolationKind::unasked_blocks, Gravity::nuisance, 0.5,
     "It sent blocks that nobody had asked for.",
     "They are dropped; many of them mean that its program is broken."},
});
static_assert(kRows.size() == kViolationKinds);

}  // namespace

std::span<const ViolationRow> violation_table() {
  return kRows;
}

const ViolationRow& violation_row(ViolationKind kind) {
  const auto& row = kRows.at(static_cast<std::size_t>(kind));
  TIMECTL_CHECK(row.kind == kind);
  return row;
}

std::optional<ViolationKind> violation_of(const EndFacts& end) {
  if (!end.session && end.direction == Direction::out) return std::nullopt;  // our own dial failed
  switch (end.reason) {
    case EndReason::flood:
      return ViolationKind::flood;
    case EndReason::slow:
      return ViolationKind::slow;
    case EndReason::wrong_magic:
      return ViolationKind::wrong_magic;
    case EndReason::frame_too_large:
      // Before the handshake 1 KiB is over the limit: no proof of bad intent.
      return end.session ? ViolationKind::frame_too_large : ViolationKind::early_frame;
    case EndReason::no_handshake:
      return end.spoke ? ViolationKind::early_frame : ViolationKind::no_handshake;
    case EndReason::tls_failed:
      return ViolationKind::no_handshake;
    default:
      return std::nullopt;
  }
}

}  // namespace timectl
