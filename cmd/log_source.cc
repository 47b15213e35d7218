#include "cmd/log_source.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace timectl::cmd {
namespace {

constexpr std::size_t kChunk = 256UL * 1024;
constexpr std::size_t kTail = 64;

Error cannot_read(const std::string& file, std::string why) {
  return {Code::input_output, "cannot read " + file, std::move(why), {"ls -l " + file}};
}

Error cannot_open(const std::string& file, int error) {
  auto refused = cannot_read(file, std::strerror(error));
  if (error == ENOENT || error == ENOTDIR) {
    refused.code = Code::not_found;
    refused.remedy = {"timed's log is ~/.timecoin/debug.log, also of root",
                      "journalctl -u timed -o json | timectl diagnose log -"};
  }
  if (error == EACCES || error == EPERM) {
    refused.code = Code::access_denied;
    refused.remedy = {"sudo timectl diagnose log " + file};
  }
  return refused;
}

// The files in which old logs are kept; reading them as text would find nothing.
bool is_compressed(int fd) {
  char head[6] = {};
  const auto got = ::pread(fd, head, sizeof head, 0);
  const std::string_view begin(head, got > 0 ? static_cast<std::size_t>(got) : 0);
  return begin.starts_with("\x1f\x8b") || begin.starts_with("\x28\xb5\x2f\xfd") ||
         begin.starts_with(
             "\xfd"
             "7zXZ") ||
         begin.starts_with("BZh");
}

// Wakes as soon as the file is written to or moved, so that as little as possible is unread when it
// is truncated. Where the system has no watch left, the wait ends by its time.
class FileWatch {
 public:
  explicit FileWatch(bool wanted) : fd_(wanted ? ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC) : -1) {}
  FileWatch(const FileWatch&) = delete;
  FileWatch& operator=(const FileWatch&) = delete;
  ~FileWatch() {
    if (fd_ >= 0) ::close(fd_);
  }
  void on(const std::string& file) {
    if (fd_ < 0) return;
    if (watch_ >= 0) ::inotify_rm_watch(fd_, watch_);
    watch_ = ::inotify_add_watch(fd_, file.c_str(), IN_MODIFY | IN_MOVE_SELF | IN_ATTRIB);
  }
  void wait(int milliseconds) const {
    pollfd entry{fd_, POLLIN, 0};
    if (::poll(&entry, fd_ < 0 ? 0U : 1U, milliseconds) <= 0) return;
    char events[4096];
    while (::read(fd_, events, sizeof events) > 0) continue;
  }

 private:
  int fd_;
  int watch_ = -1;
};

int millis(Duration wait) {
  return static_cast<int>(std::chrono::duration_cast<std::chrono::milliseconds>(wait).count());
}

}  // namespace

LogSource::LogSource(LogSource&& other) noexcept
    : file_(std::move(other.file_)),
      fd_(std::exchange(other.fd_, -1)),
      kind_(other.kind_),
      offset_(other.offset_),
      tail_(std::move(other.tail_)),
      buffer_(std::move(other.buffer_)) {}

LogSource::~LogSource() {
  if (fd_ > STDIN_FILENO) ::close(fd_);
}

Result<LogSource> LogSource::open(const std::string& file) {
  struct stat facts {};
  if (file == "-") {
    if (::fstat(STDIN_FILENO, &facts) != 0) {
      return Error{Code::input_output, "there is no standard input", std::strerror(errno)};
    }
    if (S_ISDIR(facts.st_mode)) return cannot_read("the standard input", "it is a directory");
    return LogSource("the standard input", STDIN_FILENO, Kind::stream);
  }
  // Before the open, too: opening a device may already act on it.
  if (::stat(file.c_str(), &facts) == 0 && !S_ISREG(facts.st_mode) && !S_ISFIFO(facts.st_mode)) {
    auto refused = cannot_read(file, "it is neither a file nor a pipe");
    if (S_ISDIR(facts.st_mode)) {
      refused.because = "it is a directory";
      refused.remedy = {"timectl diagnose log " + file + "/debug.log"};
    }
    return refused;
  }
  // A pipe without a writer must not hold us in open(), where no Ctrl-C is handled.
  const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  if (fd < 0) return cannot_open(file, errno);
  if (::fstat(fd, &facts) != 0) facts = {};
  LogSource source(file, fd, S_ISFIFO(facts.st_mode) ? Kind::stream : Kind::file);
  if (source.kind_ == Kind::file && is_compressed(fd)) {
    return Error{Code::bad_data,
                 file + " is compressed",
                 "",
                 {"zcat " + file + " | timectl diagnose log -"}};
  }
  return source;
}

void LogSource::remember_tail(std::string_view chunk) {
  if (chunk.size() < kTail) {
    tail_.append(chunk);
    if (tail_.size() > kTail) tail_.erase(0, tail_.size() - kTail);
  } else {
    tail_.assign(chunk.substr(chunk.size() - kTail));
  }
}

Result<LogSource::Got> LogSource::read_chunk(const Handler& handler) {
  buffer_.resize(kChunk);
  for (;;) {
    const auto got = ::read(fd_, buffer_.data(), buffer_.size());
    if (got < 0 && errno == EINTR && !handler.stopped()) continue;
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return Got::none_yet;
    if (got < 0) return cannot_read(file_, std::strerror(errno));
    if (got == 0) return Got::end;
    const std::string_view chunk(buffer_.data(), static_cast<std::size_t>(got));
    offset_ += chunk.size();
    if (kind_ == Kind::file) remember_tail(chunk);
    handler.on_bytes(chunk);
    return Got::some;
  }
}

// Shorter than what was read of it, or with other bytes in place of the last ones.
bool LogSource::was_truncated() const {
  struct stat facts {};
  if (::fstat(fd_, &facts) != 0) return false;
  if (static_cast<std::uint64_t>(facts.st_size) < offset_) return true;
  char now[kTail];
  const auto got = ::pread(fd_, now, tail_.size(), static_cast<off_t>(offset_ - tail_.size()));
  return got >= 0 && std::string_view(now, static_cast<std::size_t>(got)) != tail_;
}

// Another file under our name that has something in it: whoever writes has left the old one.
bool LogSource::has_successor() const {
  struct stat ours {};
  struct stat named {};
  if (::fstat(fd_, &ours) != 0 || ::stat(file_.c_str(), &named) != 0) return false;
  if (ours.st_ino == named.st_ino && ours.st_dev == named.st_dev) return false;
  return S_ISREG(named.st_mode) && named.st_size > 0;
}

bool LogSource::take_successor(const Handler& handler) {
  const int next = ::open(file_.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  if (next < 0) return false;
  ::close(std::exchange(fd_, next));
  offset_ = 0;
  tail_.clear();
  handler.on_next_file();
  return true;
}

Result<void> LogSource::start_again(const Handler& handler) {
  if (::lseek(fd_, 0, SEEK_SET) < 0) return cannot_read(file_, std::strerror(errno));
  offset_ = 0;
  tail_.clear();
  handler.on_truncated();
  return {};
}

Result<void> LogSource::read(const Handler& handler, bool follow, Duration wait) {
  FileWatch watch(follow && kind_ == Kind::file);
  watch.on(file_);
  bool leaving = false;  // the old file is read out once more, then the new one is taken
  while (!handler.stopped()) {
    if (kind_ == Kind::stream) {
      pollfd entry{fd_, POLLIN, 0};
      if (::poll(&entry, 1, millis(wait)) <= 0) {
        handler.on_idle();
        continue;
      }
    } else if (follow && was_truncated()) {  // before the read: it may have grown again since
      if (auto again = start_again(handler); !again) return again;
    }
    const auto got = read_chunk(handler);
    if (!got) return got.error();
    if (*got != Got::end) continue;
    if (kind_ == Kind::stream || !follow) return {};
    if (std::exchange(leaving, false) && take_successor(handler)) {
      watch.on(file_);
      continue;
    }
    leaving = has_successor();
    if (leaving) continue;
    handler.on_idle();
    watch.wait(millis(wait));
  }
  return {};
}

}  // namespace timectl::cmd
