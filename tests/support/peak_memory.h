#pragma once
// How much a piece of work made the process grow at its peak. The kernel's high-water mark is set
// back first: what the process once needed would hide what the work needs.

#include <cstdlib>
#include <fstream>
#include <string>

namespace timectl::testing {

class PeakMemory {
 public:
  PeakMemory() {
    std::ofstream("/proc/self/clear_refs") << 5;
    before_ = peak();
  }
  [[nodiscard]] long grown_kilobytes() const { return peak() - before_; }

 private:
  static long peak() {
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);) {
      if (line.starts_with("VmHWM:")) return std::strtol(line.c_str() + 6, nullptr, 10);
    }
    return 0;
  }
  long before_ = 0;
};

}  // namespace timectl::testing
