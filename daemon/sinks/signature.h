#pragma once
// The signature of a webhook: HMAC-SHA256 over "TIMESTAMP.BODY" with the secret of the sink, so
// that the receiver knows who sent it, and that it is not an old one sent again.

#include <string>
#include <string_view>

#include "daemon/core/time.h"

namespace timectl::sinks {

// Lower-case hexadecimal digits.
[[nodiscard]] std::string hmac_sha256(std::string_view secret, std::string_view text);
// The header's value: "t=SECONDS,v1=HEX".
[[nodiscard]] std::string signature(std::string_view secret, std::string_view body,
                                    WallTime sent_at);

}  // namespace timectl::sinks
