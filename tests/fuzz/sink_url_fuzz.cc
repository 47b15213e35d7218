// Any text as the url of a sink: what is accepted names one host, and a refusal repeats nothing.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "daemon/core/host_port.h"
#include "daemon/core/sink_url.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto url = timectl::parse_sink_url(text);
  if (!url) {
    TIMECTL_CHECK(size < 24 || url.error().message.find(text) == std::string::npos);
    return 0;
  }
  TIMECTL_CHECK(url->text == text && size <= timectl::kMaxSinkUrl);
  TIMECTL_CHECK(!url->host.empty() && text.find('@') >= text.find(url->path));
  TIMECTL_CHECK(url->text.find_first_of(" \r\n\\#") == std::string::npos);
  if (!url->secure) {
    const auto host = timectl::parse_host_port(url->host);
    const bool here = url->host == "localhost" || url->host == "::1" ||
                      (host && host->address && host->address->is_loopback());
    TIMECTL_CHECK(here);
  }
  return 0;
}
