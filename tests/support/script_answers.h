#pragma once
// What a scripted peer says by its script: its Handshake, its first Ping, and its answers. Whole
// frames; ScriptedPeer writes them.

#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

#include "tests/support/scripted_peer.h"

namespace timectl::test {

[[nodiscard]] std::vector<std::uint8_t> hello_frame(const Script& script,
                                                    const wire::NetworkParams& params);
[[nodiscard]] std::vector<std::uint8_t> first_ping_frame(const Script& script);

// None: silence. `age` is the time since the connection began.
[[nodiscard]] std::optional<std::vector<std::uint8_t>> answer_frame(
    const Script& script, const wire::NetworkParams& params, const wire::Message& message,
    std::chrono::milliseconds age);

}  // namespace timectl::test
