#pragma once
// Waiter: how the blocking clients of this folder wait for sockets: until one is ready, a deadline
// has passed or a stop was asked for, which wakes it at once. One for each visit or round of
// questions; its links share it.

#include <poll.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <stop_token>

#include "daemon/core/time.h"
#include "daemon/net/tcp.h"

namespace timectl::probe {

class Waiter {
 public:
  enum class End : std::uint8_t { ready, timed_out, stopped };

  Waiter(std::function<Now()> now, std::stop_token stop);
  ~Waiter();
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;

  // `ready`: at least one has `revents`. A deadline that has passed counts before readiness, so
  // that nobody is waited for longer because he never pauses.
  [[nodiscard]] End wait(std::span<pollfd> watched, Instant until) const;
  [[nodiscard]] End wait(int fd, short events, Instant until) const;

  [[nodiscard]] Now now() const { return now_(); }
  [[nodiscard]] bool stopped() const { return stop_.stop_requested(); }

 private:
  struct Wake {
    int fd;
    void operator()() const;
  };

  std::function<Now()> now_;
  std::stop_token stop_;
  net::Fd event_;  // readable once a stop was asked for
  std::unique_ptr<std::stop_callback<Wake>> wake_;
};

}  // namespace timectl::probe
