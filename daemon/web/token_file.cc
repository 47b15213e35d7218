#include "daemon/web/token_file.h"

#include <fcntl.h>
#include <openssl/rand.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

#include "daemon/core/hex.h"

namespace timectl::web {
namespace {

constexpr std::size_t kRandomBytes = 32;
constexpr std::size_t kShortest = 32;
constexpr std::size_t kLongest = 128;

std::string reason(int number) {
  return std::error_code(number, std::generic_category()).message();
}

Error cannot(const std::string& path, std::string because) {
  return {Code::cannot_create,
          "cannot use the dashboard's token file " + path,
          std::move(because),
          {"set dashboard.token_file to a file in a directory that the node may write"}};
}

Error refused(const std::string& path, std::string because) {
  return {Code::bad_data,
          "the dashboard's token file " + path + " is refused",
          std::move(because),
          {"remove it: the node makes a new one", "timectl node reload"}};
}

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

Result<std::string> write_token(const std::string& path, int fd, gid_t group) {
  std::array<unsigned char, kRandomBytes> bytes{};
  if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) {
    return cannot(path, "there is no randomness");
  }
  const auto token = hex_text(bytes);
  const auto text = token + "\n";
  // The group before the mode: until then the file is ours alone.
  struct stat made {};
  const bool done = ::fstat(fd, &made) == 0 &&
                    (made.st_gid == group || ::fchown(fd, static_cast<uid_t>(-1), group) == 0) &&
                    ::fchmod(fd, 0640) == 0 &&
                    ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
                    ::fsync(fd) == 0;
  if (done) return token;
  return cannot(path, reason(errno));
}

// Under another name first: a crash leaves no half of a token under this one.
Result<std::string> make_token(const std::string& path, gid_t group) {
  const std::string part = path + ".part";
  ::unlink(part.c_str());  // of a crash
  const Descriptor file(
      ::open(part.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (file.get() < 0) return cannot(path, reason(errno));
  auto token = write_token(path, file.get(), group);
  if (token && ::rename(part.c_str(), path.c_str()) != 0) token = cannot(path, reason(errno));
  if (!token) ::unlink(part.c_str());
  return token;
}

Result<std::string> read_token(const std::string& path, int fd) {
  struct stat found {};
  if (::fstat(fd, &found) != 0) return cannot(path, reason(errno));
  if (!S_ISREG(found.st_mode)) return refused(path, "it is no regular file");
  if (found.st_uid != ::geteuid() && found.st_uid != 0) {
    return refused(path, "it belongs to another user");
  }
  if ((found.st_mode & (S_IROTH | S_IWOTH | S_IWGRP)) != 0) {
    return refused(path,
                   "everybody could read it, or others could write it: its mode must be 0640 "
                   "or narrower");
  }
  std::array<char, kLongest + 2> buffer{};  // a line end, and one more to tell that it is longer
  const auto size = ::read(fd, buffer.data(), buffer.size());
  if (size < 0) return cannot(path, reason(errno));
  std::string_view text(buffer.data(), static_cast<std::size_t>(size));
  if (text.ends_with('\n')) text.remove_suffix(1);
  if (!is_token(text)) {
    return refused(path, "it must hold one line of 32 to 128 letters, digits, - and _");
  }
  return std::string(text);
}

}  // namespace

bool is_token(std::string_view text) {
  return text.size() >= kShortest && text.size() <= kLongest &&
         std::ranges::all_of(text, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                  c == '-' || c == '_';
         });
}

Result<std::string> open_token(const std::string& path, gid_t group) {
  // O_NONBLOCK: a pipe of somebody must not hold the start.
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (file.get() >= 0) return read_token(path, file.get());
  if (errno == ELOOP) return refused(path, "it is a symbolic link");
  if (errno != ENOENT) return cannot(path, reason(errno));
  return make_token(path, group);
}

}  // namespace timectl::web
