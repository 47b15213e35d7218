#pragma once
// The catalogue of failure modes: why masternodes of this network disconnect, do not come back,
// fall behind or fork, one row per mode under the id that every finding, alert and report quotes.
// The log reader and the rules name a mode by its code; titles, meanings and remedies stand here
// and nowhere else, so that `timectl explain` and a verdict never say two different things.

#include <boost/describe/enum.hpp>
#include <cstdint>
#include <span>
#include <string_view>

namespace timectl::diagnose {

// How much a mode hurts while it lasts; the worst first. critical: the node is isolated, dead, or
// the whole mesh is hit. high: a peer stays lost until somebody acts. medium: it heals slowly or
// in part. low: noise, or a reading that misleads.
enum class Gravity : std::uint8_t { critical, high, medium, low };
BOOST_DESCRIBE_ENUM(Gravity, critical, high, medium, low)

// Who can end it: the operator of the node that is diagnosed, that of the other node, or nobody.
enum class Act : std::uint8_t { you, peer, nobody };
BOOST_DESCRIBE_ENUM(Act, you, peer, nobody)

struct Mode {
  std::string_view code;  // "FM-K1"
  std::string_view name;  // "HALF-OPEN", the name in the catalogue of failures
  Gravity gravity;        // at its usual worst; a finding may weigh less
  Act act;
  std::string_view title;    // at most 60 bytes, for a table
  std::string_view meaning;  // one sentence
  std::string_view remedy;   // the first thing to do first; empty where there is nothing to do
};

// Ordered by group (R H K D L B P S X C A), then by number; the codes are unique.
[[nodiscard]] std::span<const Mode> catalogue();
// Null where there is no such code; case counts.
[[nodiscard]] const Mode* find_mode(std::string_view code);
// Of a code that stands in our own tables; an unknown one is a bug.
[[nodiscard]] const Mode& mode_of(std::string_view code);

// The parts of the table, each in its own file: the links to peers, and the node itself.
[[nodiscard]] std::span<const Mode> link_modes();  // R H K D L
[[nodiscard]] std::span<const Mode> list_modes();  // B P
[[nodiscard]] std::span<const Mode> node_modes();  // S X C A

}  // namespace timectl::diagnose
