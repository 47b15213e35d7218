// The producers' lottery as far as an observer can follow it (protocol 9.5, rule 5): what a proof
// is made over and which score an output gives. Verification and the generator of test chains call
// it. The output is a keyed hash: whether it is the producer's cannot be told without its secret.
#pragma once

#include <cstddef>
#include <cstdint>

#include "daemon/wire/bytes.h"

namespace timectl::chain {

// A proof: the output, the challenge, and the first quarter of a signature, which nobody can
// verify.
inline constexpr std::size_t proof_size = 80;
inline constexpr std::size_t proof_output_at = 0;
inline constexpr std::size_t proof_challenge_at = 32;

// What producers draw lots over: SHA-256("TIMECOIN_VRF_V2", height, hash of the parent).
[[nodiscard]] wire::Hash32 vrf_input(std::uint64_t height, const wire::Hash32& parent);

// The first half of the SHA-512 of an input.
[[nodiscard]] wire::Hash32 vrf_challenge(const wire::Hash32& input);

// The first 8 bytes, little-endian (comments in the reference node say big-endian).
[[nodiscard]] std::uint64_t vrf_score(const wire::Hash32& output);

}  // namespace timectl::chain
