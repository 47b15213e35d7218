#pragma once
// SinkUrl: where alerts are sent: https, or http to this machine. Checked character by character
// by the configuration, so that no two parsers see two hosts in one text. Such URLs hold secrets
// (the path is the key of many services): only `host` is ever shown.

#include <string>
#include <string_view>

#include "daemon/core/result.h"

namespace timectl {

struct SinkUrl {
  std::string text = {};  // as given, for the client
  std::string host = {};  // lower case, without brackets
  std::string path = {};  // with its query; "" or "/..."
  bool secure = false;    // https
};

inline constexpr std::size_t kMaxSinkUrl = 2048;

// Error: invalid_argument, which never repeats the URL.
[[nodiscard]] Result<SinkUrl> parse_sink_url(std::string_view text);

}  // namespace timectl
