#include "daemon/probe/waiter.h"

#include <sys/eventfd.h>

#include <algorithm>
#include <utility>
#include <vector>

namespace timectl::probe {
namespace {

// Where no event descriptor could be had, a stop is noticed by looking.
constexpr Duration kLook = std::chrono::milliseconds(50);

}  // namespace

void Waiter::Wake::operator()() const {
  if (fd >= 0) (void)::eventfd_write(fd, 1);  // can only fail where it is readable already
}

Waiter::Waiter(std::function<Now()> now, std::stop_token stop)
    : now_(std::move(now)),
      stop_(std::move(stop)),
      event_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      wake_(std::make_unique<std::stop_callback<Wake>>(stop_, Wake{event_.get()})) {}

Waiter::~Waiter() = default;

Waiter::End Waiter::wait(std::span<pollfd> watched, Instant until) const {
  std::vector<pollfd> all(watched.begin(), watched.end());
  all.push_back({event_.get(), POLLIN, 0});
  for (;;) {
    if (stopped()) return End::stopped;
    const Duration left = until - now_().mono;
    if (left.count() <= 0) return End::timed_out;
    const Duration turn = event_.open() ? left : std::min(left, kLook);
    const auto milliseconds = std::chrono::ceil<std::chrono::milliseconds>(turn).count();
    const int ready = ::poll(all.data(), all.size(), static_cast<int>(milliseconds));
    if (ready <= 0) continue;
    bool any = false;
    for (std::size_t i = 0; i < watched.size(); ++i) {
      watched[i].revents = all[i].revents;
      any = any || all[i].revents != 0;
    }
    if (any && !stopped()) return End::ready;
  }
}

Waiter::End Waiter::wait(int fd, short events, Instant until) const {
  pollfd one{fd, events, 0};
  return wait(std::span(&one, 1), until);
}

}  // namespace timectl::probe
