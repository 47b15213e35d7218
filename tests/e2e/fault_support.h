#pragma once
// What the fault tests (rows FT-S and FT-C of faults.md) share: commands under strace with injected
// errors and kills, small file systems, sqlite3 as the saboteur, and the checks every row makes.
// Nothing here knows how timectl works; it uses the command line as an operator would.

#include <sys/types.h>

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tests/e2e/sandbox.h"

namespace timectl::e2e {

// Under the sanitizers one process takes ten times as long: loops take bigger steps.
#ifdef TIMECTL_SANITIZED
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif

[[nodiscard]] bool is_root();
[[nodiscard]] bool has_program(const std::string& name);

// timectl --json under strace. `inject` is strace's expression, for example
// "pwrite64:signal=KILL:when=3"; only that system call is traced. A kill comes back as 137.
[[nodiscard]] Outcome under_strace(const NodeProcess& node, const std::string& inject,
                                   std::vector<std::string> arguments);
// How often the command makes the system call when nothing is injected.
[[nodiscard]] int count_calls(const NodeProcess& node, const std::string& call,
                              std::vector<std::string> arguments);

// The sqlite3 program on a database file.
[[nodiscard]] Outcome sqlite(const std::string& file, const std::string& sql);

[[nodiscard]] Outcome ask_json(const NodeProcess& node, std::vector<std::string> arguments,
                               const std::string& input = {});
[[nodiscard]] std::set<std::string> whitelisted(const NodeProcess& node);

// What must hold for a state directory in which only `whitelist add` ran, each address once and
// never removed: the chain verifies and every entry has its one row. Empty if it holds, else what
// is wrong.
[[nodiscard]] std::string wrong_with(const NodeProcess& node);

// The outcome is an error of --json: its status, nothing but JSON on stdout, one
// timectl.error/1 with this code on stderr. Empty if so, else what is wrong.
[[nodiscard]] std::string not_this_error(const Outcome& outcome, int status,
                                         const std::string& code);
[[nodiscard]] bool parses_as_json(const std::string& text);
// A raw control character other than the line end, or one that changes the direction of writing.
[[nodiscard]] bool has_raw_control(const std::string& text);

[[nodiscard]] std::string slurp(const std::string& path);
void spill(const std::string& path, const std::string& bytes);
// The whole directory, in place of what is there.
void replace_directory(const std::string& from, const std::string& to);

// A file system mounted on an existing directory; taken away by the destructor.
class Mount {
 public:
  // mount -t TYPE -o OPTIONS SOURCE DIRECTORY; ok() is false where that is not possible.
  Mount(const std::string& type, const std::string& options, const std::string& source,
        std::string directory);
  ~Mount();
  Mount(const Mount&) = delete;
  Mount& operator=(const Mount&) = delete;
  [[nodiscard]] bool ok() const { return mounted_; }
  [[nodiscard]] bool remount(const std::string& options) const;
  void unmount();

 private:
  std::string directory_;
  bool mounted_;
};

// A program beside the test, ended with it.
class Background {
 public:
  explicit Background(const std::vector<std::string>& argv);
  ~Background() { stop(); }
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;
  [[nodiscard]] bool running();
  void stop();

 private:
  pid_t pid_;
};

// A TCP connection from a chosen address of 127/8, or none.
class Caller {
 public:
  Caller(const std::string& source, const std::string& target, int port);
  ~Caller();
  Caller(Caller&& other) noexcept : fd_(other.fd_) { other.fd_ = -1; }
  Caller& operator=(Caller&&) = delete;
  [[nodiscard]] bool connected() const { return fd_ >= 0; }
  void send(const std::string& bytes) const;
  [[nodiscard]] bool closed_within(milliseconds deadline) const;

 private:
  int fd_ = -1;
};

// One request line on the control socket, the first line of the answer.
[[nodiscard]] std::string ask_socket(const std::string& socket, const std::string& line);

}  // namespace timectl::e2e
