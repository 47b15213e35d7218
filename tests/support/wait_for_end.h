#pragma once
// How the tools that stand in for servers wait: until a signal, which also comes when the test that
// started them is gone.

#include <sys/prctl.h>

#include <csignal>

namespace timectl::testing {

inline sigset_t ending_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  return set;
}

// Before any thread is made.
inline void end_by_signal() {
  const auto set = ending_signals();
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
  (void)std::signal(SIGPIPE, SIG_IGN);
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
}

inline void wait_for_end() {
  const auto set = ending_signals();
  int signal = 0;
  (void)::sigwait(&set, &signal);
}

}  // namespace timectl::testing
