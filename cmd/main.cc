// The process: the version without building anything, everything else by cli.h.

#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "cmd/cli.h"

int main(int argc, char** argv) {
  const std::string_view only = argc == 2 ? argv[1] : "";
  if (only == "--version" || only == "version") {
    return std::puts("timectl " TIMECTL_VERSION) < 0 || std::fflush(stdout) != 0 ? 74 : 0;
  }
  return timectl::cmd::run(std::vector<std::string>(argv + (argc > 0 ? 1 : 0), argv + argc));
}
