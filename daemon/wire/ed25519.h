// Ed25519 as the network uses it: which byte strings are public keys, and verification of
// signatures. The decoder tests every key with it; the chain verifies producers with it.
#pragma once

#include "daemon/wire/bytes.h"

namespace timectl::wire {

// Whether the 32 bytes decompress to a point: (y^2 - 1) / (d y^2 + 1) is a square or zero, with y
// the low 255 bits modulo p. Small-order and non-canonical encodings pass and the sign bit is not
// looked at, as in the reference node (OpenSSL does not test this at all). Takes a few
// microseconds, in a time that does not depend on the key.
[[nodiscard]] bool decompresses(const Hash32& key);

// Whether `signature` (64 bytes, else false) is valid for `message` under `key`.
[[nodiscard]] bool verify_signature(const Hash32& key, Bytes message, Bytes signature);

}  // namespace timectl::wire
