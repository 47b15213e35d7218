#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <sstream>
#include <string>
#include <system_error>
#include <utility>

#include "daemon/core/events.h"
#include "store/database.h"

namespace timectl::store {
namespace {

constexpr int kPollMilliseconds = 20;
constexpr std::size_t kMaxCommandBytes = 200;

struct Holder {
  long pid = 0;  // 0: unknown
  std::string command = {};
};

Error system_failure(Code code, const std::string& what) {
  const int error_number = errno;
  if (error_number == ENOSPC || error_number == EDQUOT) code = Code::database_full;
  if (error_number == EROFS) code = Code::database_unwritable;
  return Error{code, what, std::strerror(error_number)};
}

// Each missing directory is made with mode 0700, whatever the umask allows.
Result<void> make_directory(const std::filesystem::path& directory) {
  struct stat present {};
  if (::stat(directory.c_str(), &present) == 0 && S_ISDIR(present.st_mode)) {
    // Who can write here can put another database in the place of ours; /tmp has the sticky bit.
    if ((present.st_mode & S_IWOTH) != 0 && (present.st_mode & S_ISVTX) == 0) {
      return Error{Code::config_insecure,
                   "anybody can write to the directory " + directory.string(),
                   "the database in it decides whom the node trusts",
                   {"chmod o-w " + directory.string()}};
    }
    return {};
  }
  const auto parent = directory.parent_path();
  if (!parent.empty() && parent != directory) {
    if (auto made = make_directory(parent); !made) return made;
  }
  if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST) {
    return system_failure(Code::cannot_create, "cannot create the directory " + directory.string());
  }
  return {};
}

Holder holder_in_file(int descriptor) {
  std::array<char, 256> text{};
  const auto size = ::pread(descriptor, text.data(), text.size() - 1, 0);
  if (size <= 0) return {};
  std::string_view line(text.data(), static_cast<std::size_t>(size));
  line = line.substr(0, line.find('\n'));
  Holder holder;
  const auto [end, failed] = std::from_chars(line.data(), line.data() + line.size(), holder.pid);
  if (failed != std::errc{} || holder.pid <= 0) return {};
  line.remove_prefix(static_cast<std::size_t>(end - line.data()));
  if (line.starts_with(' ')) line.remove_prefix(1);
  holder.command = printable(line, kMaxCommandBytes);
  return holder;
}

// What the kernel says: right also where the file could not be written (read-only, full disk).
long holder_in_kernel(int descriptor) {
  struct stat status {};
  if (::fstat(descriptor, &status) != 0) return 0;
  std::ifstream locks("/proc/locks");
  std::string line;
  // 1: FLOCK  ADVISORY  WRITE 4711 fe:01:1312 0 EOF
  for (int lines = 0; lines < 100'000 && std::getline(locks, line); ++lines) {
    std::istringstream fields(line);
    std::string number, kind, mode, access, place;
    long pid = 0;
    if (!(fields >> number >> kind >> mode >> access >> pid >> place) || kind != "FLOCK") continue;
    unsigned major = 0;
    unsigned minor = 0;
    unsigned long inode = 0;
    if (std::sscanf(place.c_str(), "%x:%x:%lu", &major, &minor, &inode) != 3) continue;
    if (inode == status.st_ino && major == gnu_dev_major(status.st_dev) &&
        minor == gnu_dev_minor(status.st_dev)) {
      return std::max(pid, 0L);
    }
  }
  return 0;
}

std::string command_of(long pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/cmdline", std::ios::binary);
  std::string text(kMaxCommandBytes, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(std::max<std::streamsize>(file.gcount(), 0)));
  while (!text.empty() && text.back() == '\0') text.pop_back();
  std::replace(text.begin(), text.end(), '\0', ' ');
  return printable(text, kMaxCommandBytes);
}

std::string describe_holder(int descriptor) {
  Holder holder = holder_in_file(descriptor);
  const long kernel_pid = holder_in_kernel(descriptor);
  if (kernel_pid > 0 && kernel_pid != holder.pid) {
    // The lock of a parent that forked is shown under the parent's pid, even when it is gone.
    auto command = command_of(kernel_pid);
    if (!command.empty() || holder.pid == 0) holder = {kernel_pid, std::move(command)};
  }
  if (holder.pid == 0) return "another process";
  auto text = "pid " + std::to_string(holder.pid);
  if (!holder.command.empty()) text += " (" + holder.command + ")";
  return text;
}

struct LockFile {
  int descriptor = -1;
  bool writable = false;
};

LockFile open_lock_file(const std::filesystem::path& directory) {
  const auto file = directory / kLockFile;
  constexpr int kFlags = O_CLOEXEC | O_NOFOLLOW;
  int descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | kFlags, 0600);
  if (descriptor >= 0) return {descriptor, true};
  const int first_error = errno;
  // A read-only file system, or a directory that only others may write: flock needs no more than
  // an open descriptor.
  descriptor = ::open(file.c_str(), O_RDONLY | kFlags);
  if (descriptor < 0 && errno == ENOENT) {
    descriptor = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  }
  if (descriptor < 0) errno = first_error;
  return {descriptor, false};
}

}  // namespace

StateLock::StateLock(std::filesystem::path directory, int descriptor, bool writable)
    : directory_(std::move(directory)), descriptor_(descriptor), writable_(writable) {}

StateLock::StateLock(StateLock&& other) noexcept
    : directory_(std::move(other.directory_)),
      descriptor_(std::exchange(other.descriptor_, -1)),
      writable_(other.writable_) {}

StateLock& StateLock::operator=(StateLock&& other) noexcept {
  std::swap(directory_, other.directory_);
  std::swap(descriptor_, other.descriptor_);
  std::swap(writable_, other.writable_);
  return *this;
}

StateLock::~StateLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Result<StateLock> StateLock::try_acquire(const std::filesystem::path& directory,
                                         std::string_view command) {
  if (auto made = make_directory(directory); !made) return made.error();
  const LockFile file = open_lock_file(directory);
  if (file.descriptor < 0) {
    return system_failure(Code::cannot_create, "cannot open the lock of " + directory.string());
  }
  StateLock lock(directory, file.descriptor, file.writable);
  if (::flock(file.descriptor, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) {
      return system_failure(Code::database_unwritable, "cannot lock " + directory.string());
    }
    return Error{Code::database_locked, directory.string() + " is in use",
                 describe_holder(file.descriptor) + " holds it"};
  }
  lock.name_holder(command);
  return lock;
}

Result<StateLock> StateLock::acquire(const std::filesystem::path& directory,
                                     std::string_view command, Duration wait) {
  // Counting tries needs no clock; flock itself could only wait without a limit, or be cut short
  // by a signal that belongs to the caller.
  const auto step = std::chrono::milliseconds(kPollMilliseconds);
  auto tries = std::clamp<Duration>(wait, Duration::zero(), std::chrono::hours(1)) / step;
  for (;;) {
    auto lock = try_acquire(directory, command);
    if (lock || lock.error().code != Code::database_locked || tries-- <= 0) return lock;
    ::poll(nullptr, 0, kPollMilliseconds);
  }
}

void StateLock::name_holder(std::string_view command) {
  if (!writable_) return;
  const auto text = std::to_string(::getpid()) + " " + printable(command, kMaxCommandBytes) + "\n";
  // Only for messages, which fall back on the kernel's table: on a full disk the lock still holds.
  if (::ftruncate(descriptor_, 0) != 0) return;
  static_cast<void>(::pwrite(descriptor_, text.data(), text.size(), 0) < 0);
}

std::optional<std::string> lock_holder(const std::filesystem::path& directory) {
  int descriptor = ::open((directory / kLockFile).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (descriptor < 0) {
    descriptor = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  }
  if (descriptor < 0) return std::nullopt;
  // A shared try would make a concurrent try_acquire fail for a moment: the kernel's table is
  // asked.
  const bool held = holder_in_kernel(descriptor) > 0;
  auto text = held ? std::optional(describe_holder(descriptor)) : std::nullopt;
  ::close(descriptor);
  return text;
}

}  // namespace timectl::store
