// timectl_fake_time ADDRESS:PORT WORDS...: a time server for end-to-end tests, until SIGTERM, SIGINT or
// the end of who started it. The words are of fake_time_server.h. Prints "ready PORT", and at
// the end how often it was asked.
#include <charconv>
#include <cstdio>
#include <exception>
#include <string>

#include "tests/support/fake_time_server.h"
#include "tests/support/wait_for_end.h"

int main(int argc, char** argv) {
  timectl::testing::end_by_signal();
  const std::string at = argc > 1 ? argv[1] : "";
  const auto colon = at.rfind(':');
  std::uint16_t port = 0;
  bool good = colon != std::string::npos &&
              std::from_chars(at.data() + colon + 1, at.data() + at.size(), port).ec == std::errc{};
  timectl::testing::FakeTime time;
  for (int i = 2; good && i < argc; ++i) good = timectl::testing::parse_fake_time(argv[i], time);
  if (!good) {
    std::fputs("timectl_fake_time ADDRESS:PORT WORDS...\n", stderr);
    return 64;
  }
  try {
    const timectl::testing::FakeTimeServer server(time, at.substr(0, colon), port);
    std::printf("ready %u\n", server.port());
    std::fflush(stdout);
    timectl::testing::wait_for_end();
    std::printf("asked %zu\n", server.asked());
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
