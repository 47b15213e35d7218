// A library for LD_PRELOAD: the wall clock of a process is off by SHIFTED_CLOCK_SECONDS. With it a
// test puts a real node at any height that the clock expects, or makes its clock wrong. Monotonic
// clocks and files' times are left alone.
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include <cstdlib>
#include <ctime>

namespace {

std::time_t shift() {
  static const std::time_t kShift = [] {
    const char* text = std::getenv("SHIFTED_CLOCK_SECONDS");
    return text == nullptr ? std::time_t{0} : std::atol(text);
  }();
  return kShift;
}

}  // namespace

extern "C" {

int clock_gettime(clockid_t clock, timespec* at) noexcept {
  const auto result = static_cast<int>(::syscall(SYS_clock_gettime, clock, at));
  const bool wall = clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE;
  if (result == 0 && wall) at->tv_sec += shift();
  return result;
}

int gettimeofday(timeval* at, void*) noexcept {
  timespec now{};
  const int result = clock_gettime(CLOCK_REALTIME, &now);
  at->tv_sec = now.tv_sec;
  at->tv_usec = now.tv_nsec / 1000;
  return result;
}

std::time_t time(std::time_t* at) noexcept {
  timespec now{};
  (void)clock_gettime(CLOCK_REALTIME, &now);
  if (at != nullptr) *at = now.tv_sec;
  return now.tv_sec;
}
}
