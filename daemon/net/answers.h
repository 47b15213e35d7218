#pragma once
// What we answer to a peer's requests while there is no verified chain (protocol 7.2): the genesis
// we are compiled with, and empty lists. No height, tip or block is claimed, and nothing is said
// about what only a full node knows. Session sends what this returns, under the send guard.

#include <optional>

#include "daemon/wire/network_params.h"
#include "daemon/wire/outgoing.h"

namespace timectl::net {

// None: silence is the answer. A Ping is not answered here: its Pong goes before everything else.
[[nodiscard]] std::optional<wire::OutgoingMessage> answer_to(const wire::Message& message,
                                                             const wire::NetworkParams& network);

}  // namespace timectl::net
