#include "daemon/probe/random_number.h"

#include <random>

namespace timectl::probe {

std::uint64_t random_number() {
  std::random_device device;
  return (static_cast<std::uint64_t>(device()) << 32U) | device();
}

}  // namespace timectl::probe
