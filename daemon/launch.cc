#include "daemon/launch.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>

#include "daemon/clock.h"
#include "daemon/control/line.h"
#include "daemon/core/json.h"

extern char** environ;

namespace timectl {
namespace {

constexpr int kReadyFd = 3;                   // in the child
constexpr std::size_t kReportLimit = 65'536;  // bytes of its report
constexpr const char* kLogFile = "timectl.log";

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() { reset(); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int get() const { return fd_; }
  void reset() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }

 private:
  int fd_;
};

Error system_error(const std::string& what, int error) {
  const bool denied = error == EACCES || error == EPERM;
  return {denied ? Code::access_denied : Code::cannot_create, what, std::strerror(error)};
}

// Everything the child writes until it closes the pipe or `deadline` passes.
std::string read_report(int fd, Instant deadline, bool& timed_out) {
  std::string report;
  char buffer[4096];
  while (report.find('\n') == std::string::npos && report.size() < kReportLimit) {
    const auto left = deadline - clock_now().mono;
    if (left <= Duration(0)) {
      timed_out = true;
      return report;
    }
    pollfd waiting{fd, POLLIN, 0};
    const auto milliseconds = std::chrono::ceil<std::chrono::milliseconds>(left).count();
    const int ready = ::poll(&waiting, 1, static_cast<int>(std::min<long>(milliseconds, 60'000)));
    if (ready < 0 && errno != EINTR) return report;
    if (ready <= 0) continue;
    const auto n = ::read(fd, buffer, sizeof(buffer));
    if (n <= 0) return report;
    report.append(buffer, static_cast<std::size_t>(n));
  }
  return report;
}

Result<pid_t> spawn(const std::vector<std::string>& arguments, int report_fd,
                    const std::string& log_path) {
  std::vector<std::string> words{"timectl"};
  words.insert(words.end(), arguments.begin(), arguments.end());
  words.emplace_back("--ready-fd");
  words.push_back(std::to_string(kReadyFd));
  std::vector<char*> argv;
  for (auto& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);

  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
  // A message of the run-time (a failed CHECK, the sanitizers) must not get lost.
  ::posix_spawn_file_actions_addopen(&actions, 2, log_path.c_str(),
                                     O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW, 0600);
  ::posix_spawn_file_actions_adddup2(&actions, report_fd, kReadyFd);
  posix_spawnattr_t attributes;
  ::posix_spawnattr_init(&attributes);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);
  pid_t pid = -1;
  const int failed =
      ::posix_spawn(&pid, "/proc/self/exe", &actions, &attributes, argv.data(), environ);
  ::posix_spawnattr_destroy(&attributes);
  ::posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) return system_error("cannot start the node with its log " + log_path, failed);
  return pid;
}

Error died_early(pid_t pid, const std::string& log_path) {
  int status = 0;
  ::waitpid(pid, &status, 0);
  const std::string how = WIFSIGNALED(status)
                              ? "signal " + std::to_string(WTERMSIG(status))
                              : "exit status " + std::to_string(WEXITSTATUS(status));
  return {Code::internal,
          "the node ended before it was ready, with " + how,
          "its last words are in " + log_path,
          {"timectl node start --foreground"}};
}

}  // namespace

Result<control::StartReply> start_detached(const std::vector<std::string>& arguments,
                                           const std::string& data_dir, Duration timeout) {
  std::error_code failed;
  const auto old_mask = ::umask(077);
  std::filesystem::create_directories(data_dir, failed);
  ::umask(old_mask);
  if (failed) return system_error("cannot create the data directory " + data_dir, failed.value());
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return system_error("cannot make a pipe", errno);
  Descriptor read_end(ends[0]);
  Descriptor write_end(ends[1]);
  const std::string log_path = data_dir + "/" + kLogFile;
  const auto pid = spawn(arguments, write_end.get(), log_path);
  if (!pid) return pid.error();
  write_end.reset();

  bool timed_out = false;
  const auto report = read_report(read_end.get(), clock_now().mono + timeout, timed_out);
  if (timed_out) {
    ::kill(*pid, SIGTERM);
    return Error{Code::timed_out,
                 "the node was not ready in " + human_duration(timeout),
                 "its last words are in " + log_path,
                 {"timectl node start --timeout 60"}};
  }
  if (report.empty()) return died_early(*pid, log_path);
  const auto incoming = control::parse_incoming(report.substr(0, report.find('\n')));
  if (!incoming) return incoming.error();
  if (!incoming->result) return incoming->result.error();
  control::StartReply reply;
  if (auto read = from_json(*incoming->result, reply, "reply"); !read) return read.error();
  return reply;
}

}  // namespace timectl
