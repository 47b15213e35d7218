#pragma once
// Prometheus and Alertmanager as real processes on an address of their own (Debian's packages run
// theirs on *:9090 and *:9093, which this leaves alone), and plain HTTP on the loopback. What was
// started is ended by its process id.

#include <sys/types.h>

#include <string>
#include <vector>

namespace timectl::monitoring {

struct Place {
  std::string address = {};
  int port = 0;
  [[nodiscard]] std::string text() const { return address + ":" + std::to_string(port); }
};
// With a port that is free there now.
[[nodiscard]] Place free_place(const std::string& address);

// The whole answer to one GET, head and body; empty: nobody answered within 5 s.
[[nodiscard]] std::string http_get(const Place& place, const std::string& path,
                                   const std::string& header = "");

class ToolProcess {
 public:
  // stdout and stderr go to the file.
  ToolProcess(const std::vector<std::string>& argv, std::string log_path);
  ~ToolProcess();
  ToolProcess(const ToolProcess&) = delete;
  ToolProcess& operator=(const ToolProcess&) = delete;
  [[nodiscard]] std::string log() const;

 private:
  std::string log_path_;
  pid_t pid_ = -1;
};

}  // namespace timectl::monitoring
