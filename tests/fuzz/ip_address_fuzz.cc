// Any text: the address parser returns, and what it accepts survives its canonical spelling.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "daemon/core/events.h"
#include "daemon/core/ip_address.h"
#include "daemon/core/time.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto ip = timectl::IpAddress::parse(text)) {
    const auto again = timectl::IpAddress::parse(ip->to_string());
    TIMECTL_CHECK(again && *again == *ip);
    TIMECTL_CHECK(text.size() <= 64);
  }
  if (const auto at = timectl::parse_rfc3339(text)) {
    const auto again = timectl::parse_rfc3339(timectl::rfc3339(*at));
    TIMECTL_CHECK(again && *again == *at);
  }
  if (const auto duration = timectl::parse_duration(text)) {
    TIMECTL_CHECK(*duration >= std::chrono::seconds(1));
  }
  TIMECTL_CHECK(timectl::printable(text, 100).size() <= 100);
  return 0;
}
