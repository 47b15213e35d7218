#pragma once
// The children of `timectl demo`: this binary as a real node on an address of its own, its log on
// a pipe, and this binary as the commands that an operator would type. Everything dies with us.

#include <sys/types.h>

#include <boost/json.hpp>
#include <string>
#include <vector>

#include "daemon/core/ip_address.h"
#include "daemon/core/result.h"
#include "daemon/core/time.h"

namespace timectl::cmd {

// A directory under the system's temporary one, removed at the end.
class DemoDirectory {
 public:
  [[nodiscard]] static Result<DemoDirectory> make();
  DemoDirectory(DemoDirectory&& other) noexcept : path_(std::move(other.path_)) {
    other.path_.clear();
  }
  DemoDirectory& operator=(DemoDirectory&&) = delete;
  ~DemoDirectory();
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  explicit DemoDirectory(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

// A port that is free on all of `addresses`, from 24555 on.
[[nodiscard]] Result<std::uint16_t> free_port(const std::vector<IpAddress>& addresses);

class DemoNode {
 public:
  DemoNode(const DemoDirectory& directory, IpAddress ip, std::uint16_t port);
  ~DemoNode();  // SIGKILL if it still runs
  DemoNode(DemoNode&& other) noexcept;
  DemoNode& operator=(DemoNode&&) = delete;

  [[nodiscard]] Result<void> start();
  void kill_hard();    // SIGKILL, waits for the end
  void ask_to_stop();  // SIGTERM
  [[nodiscard]] bool wait_stopped(Duration limit);
  [[nodiscard]] bool running();

  [[nodiscard]] const IpAddress& ip() const { return ip_; }
  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] int log_fd() const { return log_fd_; }
  // Complete lines of its log since the last call, without time and level.
  [[nodiscard]] std::vector<std::string> new_lines();

  // `timectl --json WORDS...` for this node; its `data`, or null where it failed.
  [[nodiscard]] boost::json::value ask(const std::vector<std::string>& words) const;
  // The same for people, as an operator would see it.
  [[nodiscard]] std::string show(const std::vector<std::string>& words) const;

 private:
  [[nodiscard]] std::vector<std::string> command(const std::vector<std::string>& words) const;
  IpAddress ip_;
  std::string directory_;
  pid_t pid_ = -1;
  int log_fd_ = -1;
  std::string partial_;
};

}  // namespace timectl::cmd
