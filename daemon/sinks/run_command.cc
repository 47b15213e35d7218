#include "daemon/sinks/run_command.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "daemon/core/events.h"

namespace timectl::sinks {
namespace {

constexpr const char* kPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
constexpr std::size_t kReads = 64;  // of what a program left in its pipe when it ended

class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int get() const { return fd_; }
  void reset(int fd = -1) {
    if (fd_ >= 0) ::close(fd_);
    fd_ = fd;
  }

 private:
  int fd_;
};

// Where it is so, a program that failed may have wanted the rights of its owner or group: sendmail
// of Postfix and Exim does, and sudo.
std::string privileges_hint() {
  if (::prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1) return "";
  return "; NoNewPrivileges is on, so setuid and setgid programs (sendmail of Postfix or Exim, "
         "sudo) "
         "cannot work: see docs/alerts.md, E-mail";
}

std::string system_text(const char* what) {
  return std::string(what) + ": " + std::strerror(errno);
}

// A file in memory that holds the text, at its beginning.
int file_of(const std::string& text) {
  const int fd = ::memfd_create("timectl-alert", MFD_CLOEXEC);
  if (fd < 0) return fd;
  std::size_t done = 0;
  while (done < text.size()) {
    const auto put = ::write(fd, text.data() + done, text.size() - done);
    if (put <= 0) break;
    done += static_cast<std::size_t>(put);
  }
  (void)::lseek(fd, 0, SEEK_SET);
  return fd;
}

class Program {
 public:
  explicit Program(const CommandRequest& request) : request_(request) {}

  SendReport run(const std::stop_token& stop) {
    SendReport report;
    if (auto problem = start(); !problem.empty()) {
      report.outcome = {SendResult::failed, std::move(problem)};
      return report;
    }
    const std::stop_callback wake(stop, [this] {
      const std::uint64_t one = 1;
      (void)!::write(stopped_.get(), &one, sizeof one);
    });
    wait_for_end();
    report.took = request_.timeout - left_;
    report.answer = std::move(output_);
    finish(report);
    return report;
  }

 private:
  std::string start() {
    std::array<int, 2> ends{-1, -1};
    input_.reset(file_of(request_.input));
    timer_.reset(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
    stopped_.reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    const bool piped = ::pipe2(ends.data(), O_CLOEXEC) == 0;
    pipe_.reset(ends[0]);
    Descriptor theirs(ends[1]);
    if (!piped || input_.get() < 0 || timer_.get() < 0 || stopped_.get() < 0) {
      return system_text("no descriptor for the command");
    }
    (void)::fcntl(pipe_.get(), F_SETFL, O_NONBLOCK);
    if (auto problem = spawn(theirs.get()); !problem.empty()) return problem;
    process_.reset(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
    if (process_.get() < 0) {
      auto problem = system_text("the command cannot be watched");
      end_group(SIGKILL);
      (void)::waitpid(pid_, nullptr, 0);
      return problem;
    }
    set_timer(request_.timeout);
    return "";
  }

  std::string spawn(int output) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawnattr_init(&attributes);
    ::posix_spawn_file_actions_adddup2(&actions, input_.get(), STDIN_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO);
    ::posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
    ::posix_spawn_file_actions_addchdir_np(&actions, "/");
    sigset_t all;
    sigset_t none;
    ::sigfillset(&all);
    ::sigemptyset(&none);
    ::posix_spawnattr_setsigdefault(&attributes, &all);
    ::posix_spawnattr_setsigmask(&attributes, &none);
    ::posix_spawnattr_setpgroup(&attributes, 0);
    ::posix_spawnattr_setflags(
        &attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
    std::vector<std::string> words(request_.command);
    std::vector<std::string> settings{kPath, "LANG=C.UTF-8"};
    for (const auto& [name, value] : request_.environment) settings.push_back(name + "=" + value);
    auto arguments = pointers(words);
    auto environment = pointers(settings);
    const int failed = ::posix_spawn(&pid_, request_.command.front().c_str(), &actions, &attributes,
                                     arguments.data(), environment.data());
    ::posix_spawn_file_actions_destroy(&actions);
    ::posix_spawnattr_destroy(&attributes);
    if (failed == 0) return "";
    return printable(request_.command.front()) + " cannot be started: " + std::strerror(failed);
  }

  static std::vector<char*> pointers(std::vector<std::string>& texts) {
    std::vector<char*> out;
    for (auto& text : texts) out.push_back(text.data());
    out.push_back(nullptr);
    return out;
  }

  void set_timer(Duration wait) {
    const auto whole = std::chrono::duration_cast<std::chrono::seconds>(wait);
    itimerspec spec{};
    spec.it_value.tv_sec = whole.count();
    spec.it_value.tv_nsec = std::max<long>((wait - whole).count() * 1000, whole.count() == 0);
    (void)::timerfd_settime(timer_.get(), 0, &spec, nullptr);
  }

  void read_left() {
    itimerspec spec{};
    if (::timerfd_gettime(timer_.get(), &spec) != 0) return;
    left_ = std::chrono::seconds(spec.it_value.tv_sec) +
            std::chrono::microseconds(spec.it_value.tv_nsec / 1000);
  }

  // The leader is not reaped before, so the number is still the group's.
  void end_group(int number) const { (void)::kill(-pid_, number); }

  // What does not fit is read and thrown away, so that nobody waits for us. False: no more is
  // there.
  bool read_output() {
    std::array<char, 4096> part{};
    const auto got = ::read(pipe_.get(), part.data(), part.size());
    if (got < 0) return false;
    if (got == 0) pipe_.reset();
    const auto room = kMaxAnswer - output_.size();
    output_.append(part.data(), std::min(static_cast<std::size_t>(got), room));
    return got > 0;
  }

  void wait_for_end() {
    for (;;) {
      std::array<pollfd, 4> fds{{{process_.get(), POLLIN, 0},
                                 {timer_.get(), POLLIN, 0},
                                 {interrupted_ ? -1 : stopped_.get(), POLLIN, 0},
                                 {pipe_.get(), POLLIN, 0}}};
      if (::poll(fds.data(), fds.size(), -1) < 0 && errno != EINTR) return end_group(SIGKILL);
      if (fds[0].revents != 0) break;
      if (fds[2].revents != 0) {
        interrupted_ = true;
        read_left();
        ask_to_end();
      } else if (fds[1].revents != 0) {
        if (asked_) {
          end_group(SIGKILL);
          set_timer(request_.timeout);
        } else {
          late_ = true;
          ask_to_end();
        }
      }
      if (fds[3].revents != 0) (void)read_output();
    }
    if (!asked_) read_left();
    for (std::size_t i = 0; i < kReads && pipe_.get() >= 0 && read_output(); ++i) {
    }
  }

  void ask_to_end() {
    if (asked_) return;
    asked_ = true;
    end_group(SIGTERM);
    set_timer(kTermGrace);
  }

  void finish(SendReport& report) {
    end_group(SIGKILL);  // what it left behind
    int status = 0;
    if (::waitpid(pid_, &status, 0) == pid_) {
      report.exit_status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }
    const auto name = printable(request_.command.front());
    if (report.exit_status == 0 && !late_) return;
    if (interrupted_) {
      report.outcome = {SendResult::interrupted, "the node stops"};
    } else if (late_) {
      report.outcome = {SendResult::failed,
                        name + " was ended after " + human_duration(request_.timeout)};
    } else {
      const auto line = printable(report.answer.substr(0, report.answer.find('\n')), 100);
      report.outcome = {SendResult::failed,
                        name + " ended with status " + std::to_string(*report.exit_status) +
                            (line.empty() ? "" : ": " + line) + privileges_hint()};
    }
  }

  const CommandRequest& request_;
  Descriptor input_;
  Descriptor timer_;
  Descriptor stopped_;
  Descriptor pipe_;
  Descriptor process_;
  pid_t pid_ = -1;
  std::string output_;
  Duration left_ = {};
  bool asked_ = false;
  bool late_ = false;
  bool interrupted_ = false;
};

}  // namespace

SendReport run_command(const CommandRequest& request, const std::stop_token& stop) {
  if (request.command.empty()) return {{SendResult::failed, "the sink has no command"}};
  return Program(request).run(stop);
}

}  // namespace timectl::sinks
