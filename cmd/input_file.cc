#include "cmd/input_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace timectl::cmd {
namespace {

constexpr std::size_t kMiB = 1'048'576;

Error cannot_read(const std::string& file, const std::string& why) {
  return {Code::input_output, "cannot read " + file, why, {"ls -l " + file}};
}

Result<std::string> read_from(int fd, const std::string& file, std::string_view noun,
                              std::size_t limit) {
  std::string text;
  char buffer[65'536];
  while (text.size() <= limit) {
    const auto got = ::read(fd, buffer, sizeof buffer);
    if (got == 0) return text;
    if (got > 0) text.append(buffer, static_cast<std::size_t>(got));
    if (got < 0 && errno != EINTR) return cannot_read(file, std::strerror(errno));
  }
  return Error{Code::too_large, file + " is no " + std::string(noun),
               "it has over " + std::to_string(limit / kMiB) + " MiB"};
}

}  // namespace

Result<std::string> read_input(const std::string& file, std::string_view noun, std::size_t limit) {
  if (file == "-") return read_from(STDIN_FILENO, "the standard input", noun, limit);
  struct stat facts {};
  // Before the open, too: opening a device may already act on it.
  if (::stat(file.c_str(), &facts) == 0 && !S_ISREG(facts.st_mode) && !S_ISFIFO(facts.st_mode)) {
    return cannot_read(file, "it is neither a file nor a pipe");
  }
  const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY);
  if (fd < 0) {
    const int error = errno;
    auto refused = cannot_read(file, std::strerror(error));
    if (error == ENOENT || error == ENOTDIR) refused.code = Code::not_found;
    if (error == EACCES) refused.code = Code::access_denied;
    return refused;
  }
  auto text = read_from(fd, file, noun, limit);
  ::close(fd);
  return text;
}

}  // namespace timectl::cmd
