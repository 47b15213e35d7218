#include "daemon/discovery/file_source.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

#include "daemon/core/events.h"

namespace timectl::discovery {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_;
};

FetchFailure failure(FetchStep step, const std::string& path, const std::string& what) {
  return {step, "the file " + printable(path) + " " + what, printable(path)};
}

FetchFailure system_failure(const std::string& path, const std::string& what, int error) {
  return failure(FetchStep::file, path, what + ": " + std::generic_category().message(error));
}

FetchFailure too_big(const std::string& path, std::size_t max_bytes) {
  return failure(FetchStep::size, path,
                 "has more than the " + std::to_string(max_bytes) + " bytes that are read");
}

}  // namespace

std::variant<Fetched, FetchFailure> read_file_source(const std::string& path,
                                                     std::size_t max_bytes) {
  // Without O_NONBLOCK the opening of a pipe waits for its writer.
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY));
  if (file.get() < 0) return system_failure(path, "cannot be opened", errno);
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) return system_failure(path, "cannot be read", errno);
  if (!S_ISREG(status.st_mode)) {
    return failure(FetchStep::file, path, "is no regular file: only such are read");
  }
  if (status.st_size > 0 && static_cast<std::uint64_t>(status.st_size) > max_bytes) {
    return too_big(path, max_bytes);
  }
  Fetched fetched;
  fetched.address = printable(path);
  std::array<char, 16384> buffer{};
  for (;;) {
    const auto got = ::read(file.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_failure(path, "cannot be read", errno);
    if (got == 0) return fetched;
    const auto bytes = static_cast<std::size_t>(got);
    // The size can have grown since fstat, and the files of /proc have none.
    if (bytes > max_bytes - fetched.body.size()) return too_big(path, max_bytes);
    fetched.body.append(buffer.data(), bytes);
  }
}

}  // namespace timectl::discovery
