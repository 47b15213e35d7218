#include "tests/e2e/fault_support.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace timectl::e2e {
namespace {

std::vector<std::string> with_json(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "--json");
  return arguments;
}

std::vector<std::string> strace(const NodeProcess& node, std::vector<std::string> options,
                                std::vector<std::string> arguments) {
  std::vector<std::string> argv{"strace", "-f", "-qq"};
  argv.insert(argv.end(), options.begin(), options.end());
  const auto command = node.command(with_json(std::move(arguments)));
  argv.insert(argv.end(), command.begin(), command.end());
  return argv;
}

// LeakSanitizer cannot work under ptrace, and its complaint would change the exit status.
const std::vector<std::string> kTraced{"ASAN_OPTIONS=detect_leaks=0"};

}  // namespace

bool is_root() {
  return ::geteuid() == 0;
}

bool has_program(const std::string& name) {
  return run({"sh", "-c", "command -v " + name}).status == 0;
}

Outcome under_strace(const NodeProcess& node, const std::string& inject,
                     std::vector<std::string> arguments) {
  const auto call = inject.substr(0, inject.find(':'));
  return run(strace(node, {"-o", "/dev/null", "-e", "trace=" + call, "-e", "inject=" + inject},
                    std::move(arguments)),
             {}, kTraced);
}

int count_calls(const NodeProcess& node, const std::string& call,
                std::vector<std::string> arguments) {
  const auto file = node.data_dir() + ".calls";
  (void)run(strace(node, {"-o", file, "-e", "trace=" + call}, std::move(arguments)), {}, kTraced);
  const auto text = slurp(file);
  return static_cast<int>(std::count(text.begin(), text.end(), '\n'));
}

Outcome sqlite(const std::string& file, const std::string& sql) {
  return run({"sqlite3", file}, sql);
}

Outcome ask_json(const NodeProcess& node, std::vector<std::string> arguments,
                 const std::string& input) {
  return node.timectl(with_json(std::move(arguments)), input);
}

std::set<std::string> whitelisted(const NodeProcess& node) {
  std::set<std::string> ips;
  const auto rows = node.query({"whitelist", "list"});
  if (!rows.is_array()) return ips;
  for (const auto& row : rows.get_array()) ips.emplace(row.at("ip").as_string());
  return ips;
}

std::string wrong_with(const NodeProcess& node) {
  const auto listed = ask_json(node, {"whitelist", "list"});
  if (listed.status != 0) return "whitelist list: " + listed.err;
  const auto verified = ask_json(node, {"audit", "verify"});
  if (verified.status != 0) return "audit verify: " + verified.out + verified.err;
  const auto entries = listed.data().as_array().size();
  const auto rows = verified.data().at("rows").to_number<std::size_t>();
  if (entries != rows) {
    return std::to_string(entries) + " entries, " + std::to_string(rows) + " audit rows";
  }
  return {};
}

bool parses_as_json(const std::string& text) {
  boost::system::error_code failed;
  (void)json::parse(text, failed);
  return !failed;
}

std::string not_this_error(const Outcome& outcome, int status, const std::string& code) {
  const std::string shown =
      " [status " + std::to_string(outcome.status) + "] " + outcome.out + outcome.err;
  if (outcome.status != status) return "another status" + shown;
  if (!outcome.out.empty() && !parses_as_json(outcome.out)) return "stdout is no JSON" + shown;
  boost::system::error_code failed;
  const auto value = json::parse(outcome.err, failed);
  if (failed || !value.is_object()) return "stderr is no JSON" + shown;
  const auto* schema = value.get_object().if_contains("schema");
  if (schema == nullptr || *schema != "timectl.error/1") return "another schema" + shown;
  const auto& error = value.at("error").as_object();
  if (error.at("message").as_string().empty()) return "no message" + shown;
  if (!error.at("try").is_array()) return "no remedies" + shown;
  if (!code.empty() && error.at("code").as_string() != code) return "another code" + shown;
  return {};
}

bool has_raw_control(const std::string& text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if ((c < 0x20 && c != '\n') || c == 0x7f) return true;
    // U+202A..U+202E, U+2066..U+2069, U+200E, U+200F: e2 80 xx and e2 81 xx in UTF-8.
    if (c != 0xe2 || i + 2 >= text.size()) continue;
    const auto b = static_cast<unsigned char>(text[i + 1]);
    const auto a = static_cast<unsigned char>(text[i + 2]);
    if (b == 0x80 && ((a >= 0xaa && a <= 0xae) || a == 0x8e || a == 0x8f)) return true;
    if (b == 0x81 && a >= 0xa6 && a <= 0xa9) return true;
  }
  return false;
}

std::string slurp(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

void spill(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

void replace_directory(const std::string& from, const std::string& to) {
  std::filesystem::remove_all(to);
  std::filesystem::copy(from, to, std::filesystem::copy_options::recursive);
}

Mount::Mount(const std::string& type, const std::string& options, const std::string& source,
             std::string directory)
    : directory_(std::move(directory)) {
  std::filesystem::create_directories(directory_);
  mounted_ = is_root() && run({"mount", "-t", type, "-o", options, source, directory_}).status == 0;
}

bool Mount::remount(const std::string& options) const {
  return run({"mount", "-o", "remount," + options, directory_}).status == 0;
}

void Mount::unmount() {
  if (mounted_) mounted_ = run({"umount", directory_}).status != 0;
}

Mount::~Mount() {
  if (mounted_) (void)run({"umount", "-l", directory_});
}

Background::Background(const std::vector<std::string>& argv) {
  std::vector<char*> words;
  for (const auto& word : argv) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  const pid_t parent = ::getpid();
  pid_ = ::fork();
  if (pid_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(126);
    const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    for (int fd = 0; fd < 3; ++fd) ::dup2(null, fd);
    ::execvp(words[0], words.data());
    ::_exit(127);
  }
}

bool Background::running() {
  if (pid_ > 0 && ::waitpid(pid_, nullptr, WNOHANG) == pid_) pid_ = -1;
  return pid_ > 0;
}

void Background::stop() {
  if (!running()) return;
  ::kill(pid_, SIGTERM);  // strace detaches then, and its node goes on
  if (!wait_for([this] { return !running(); }, milliseconds(3000)) && pid_ > 0) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }
}

Caller::Caller(const std::string& source, const std::string& target, int port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in from{};
  from.sin_family = AF_INET;
  ::inet_pton(AF_INET, source.c_str(), &from.sin_addr);
  sockaddr_in to = from;
  ::inet_pton(AF_INET, target.c_str(), &to.sin_addr);
  to.sin_port = htons(static_cast<std::uint16_t>(port));
  if (::bind(fd, reinterpret_cast<sockaddr*>(&from), sizeof(from)) == 0 &&
      ::connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof(to)) == 0) {
    fd_ = fd;
  } else {
    ::close(fd);
  }
}

Caller::~Caller() {
  if (fd_ >= 0) ::close(fd_);
}

void Caller::send(const std::string& bytes) const {
  // The other side may have closed already: that is what some rows want.
  (void)!::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
}

bool Caller::closed_within(milliseconds deadline) const {
  return wait_for(
      [this] {
        char byte[256];
        const auto n = ::recv(fd_, byte, sizeof(byte), MSG_DONTWAIT);
        return n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
      },
      deadline);
}

std::string ask_socket(const std::string& socket, const std::string& line) {
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, socket.c_str(), sizeof(address.sun_path) - 1);
  std::string answer;
  if (::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0) {
    (void)!::send(fd, line.data(), line.size(), MSG_NOSIGNAL);
    pollfd entry{fd, POLLIN, 0};
    while (answer.find('\n') == std::string::npos && ::poll(&entry, 1, 5000) == 1) {
      char buffer[4096];
      const auto n = ::recv(fd, buffer, sizeof(buffer), 0);
      if (n <= 0) break;
      answer.append(buffer, static_cast<std::size_t>(n));
    }
  }
  ::close(fd);
  return answer.substr(0, answer.find('\n'));
}

}  // namespace timectl::e2e
