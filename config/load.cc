#include "config/load.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "config/keys.h"
#include "config/toml_guard.h"
#include "config/words.h"

namespace timectl::config {
namespace {

constexpr int kPipePatienceMs = 5000;

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

Error cannot_read(const std::string& file, int error) {
  const bool missing = error == ENOENT || error == ENOTDIR;
  return {missing ? Code::not_found : Code::input_output,
          "cannot read the configuration " + file,
          std::strerror(error),
          {missing ? "timectl config example > " + file : "ls -l " + file}};
}

}  // namespace

// The permissions are those of the descriptor that is read, so nothing changes between the two.
Result<std::string> read_text(const std::string& file) {
  // O_NONBLOCK: opening a pipe nobody writes to must not hang the start.
  const Descriptor fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  struct stat status {};
  if (fd.get() < 0 || ::fstat(fd.get(), &status) != 0) return cannot_read(file, errno);
  if (S_ISDIR(status.st_mode)) return cannot_read(file, EISDIR);
  if (S_ISREG(status.st_mode) && (status.st_mode & S_IWOTH) != 0) {
    return Error{Code::config_insecure,
                 "every user of this machine may write " + file,
                 "who writes the configuration decides whom the node trusts",
                 {"chmod o-w " + file}};
  }
  std::string text;
  char buffer[65'536];
  while (text.size() <= kMostBytes) {  // one buffer more than allowed is refused by the guard
    const ssize_t n = ::read(fd.get(), buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) {  // a pipe whose writer has not written yet: <(command)
      pollfd waited{fd.get(), POLLIN, 0};
      if (::poll(&waited, 1, kPipePatienceMs) == 0) return cannot_read(file, ETIMEDOUT);
      continue;
    }
    if (n < 0) return cannot_read(file, errno);
    if (n == 0) break;
    text.append(buffer, static_cast<std::size_t>(n));
  }
  return text;
}

Result<Checked> check_file(const Request& request) {
  if (!request.file) return check_text("", "", request);
  const std::string file = request.file->string();
  const auto text = read_text(file);
  if (!text) return text.error();
  return check_text(*text, file, request);
}

Error error_of(const std::vector<Problem>& problems, const Request& request) {
  // Named after where all of them are: a good file is not blamed for a variable.
  const auto& place = problems.front().file;
  const bool one_place = std::all_of(problems.begin(), problems.end(),
                                     [&](const auto& problem) { return problem.file == place; });
  const bool in_file = request.file && one_place && place == request.file->string();
  const std::string what = in_file                               ? place
                           : one_place && place == "environment" ? "the environment"
                                                                 : "the configuration";
  auto text = render(problems);
  if (text.ends_with('\n')) text.pop_back();
  return {Code::config_invalid,
          what + " has " +
              (problems.size() == 1 ? std::string("a problem")
                                    : std::to_string(problems.size()) + " problems"),
          std::move(text),
          {in_file ? "timectl config check " + what : "timectl config check"}};
}

Result<Config> load(const Request& request) {
  auto checked = check_file(request);
  if (!checked) return checked.error();
  if (checked->problems.empty()) return std::move(checked->config);
  return error_of(checked->problems, request);
}

std::vector<ShownValue> show(const Config& config) {
  std::vector<ShownValue> rows;
  for (const auto& key : key_table()) {
    ShownValue row{std::string(key.section), std::string(key.name), value_text(config, key),
                   spelling_of(Origin::default_), std::nullopt};
    const auto place = config.placed.find(row.section + "." + row.key);
    if (place != config.placed.end()) {
      row.origin = spelling_of(place->second.origin);
      if (place->second.line != 0) row.line = place->second.line;
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace timectl::config
