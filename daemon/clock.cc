#include "daemon/clock.h"

#include <ctime>

namespace timectl {

Now clock_now() {
  const auto mono = std::chrono::steady_clock::now().time_since_epoch();
  const auto wall = std::chrono::system_clock::now();
  return {Instant(std::chrono::duration_cast<Duration>(mono)),
          std::chrono::time_point_cast<std::chrono::milliseconds>(wall)};
}

Duration thread_time() {
  timespec used{};
  (void)::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return std::chrono::duration_cast<Duration>(std::chrono::seconds(used.tv_sec) +
                                              std::chrono::nanoseconds(used.tv_nsec));
}

}  // namespace timectl
