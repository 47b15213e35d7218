// Any packet as a time server's answer: it is refused, or an honest one in form that carries our
// stamp, and the offset is a number within what two eras of stamps allow.
#include <cmath>
#include <span>

#include "daemon/probe/sntp.h"
#include "tests/fuzz/fuzz.h"

namespace timectl::probe {

using timectl::fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::uint64_t kStamp = 0x3132333435363738;  // "12345678", so that a corpus can have it
  constexpr WallTime kSent{std::chrono::milliseconds(1'784'900'000'000)};
  const std::span answer(data, size);
  const auto offset = sntp_offset(answer, kStamp, kSent, kSent + std::chrono::milliseconds(20));
  if (!offset) return 0;
  require(size >= 48, "an answer is whole");
  require((data[0] & 7U) == 4 && data[0] >> 6U != 3, "of a server whose clock is set");
  require(data[1] >= 1 && data[1] <= 15, "of a stratum");
  require(data[24] == '1' && data[31] == '8', "with our stamp");
  constexpr double kTwoEras = 8'589'934'592;  // seconds
  require(std::isfinite(*offset) && std::abs(*offset) < kTwoEras, "and a time");
  require(!sntp_offset(answer.first(47), kStamp, kSent, kSent), "a cut one is refused");
  require(!sntp_offset(answer, kStamp + 1, kSent, kSent), "another stamp is refused");
  return 0;
}

}  // namespace timectl::probe
