#include "cmd/demo_node.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>

namespace timectl::cmd {
namespace {

constexpr std::uint16_t kFirstPort = 24555;
constexpr std::uint16_t kPorts = 200;

// fork and exec of this binary; the child dies with its parent. -1 where it failed.
pid_t spawn_self(const std::vector<std::string>& words, int out, int err) {
  std::vector<std::string> all{"timectl"};
  all.insert(all.end(), words.begin(), words.end());
  std::vector<char*> argv;
  for (auto& word : all) argv.push_back(word.data());
  argv.push_back(nullptr);
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid != 0) return pid;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(126);
  const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  ::dup2(null, 0);
  ::dup2(out >= 0 ? out : null, 1);
  ::dup2(err >= 0 ? err : null, 2);
  ::execv("/proc/self/exe", argv.data());
  ::_exit(127);
}

bool can_bind(const IpAddress& ip, std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  std::memcpy(&address.sin_addr, ip.bytes().data() + 12, 4);
  const bool free = ::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
  ::close(fd);
  return free;
}

std::string run_self(const std::vector<std::string>& words) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return {};
  const pid_t pid = spawn_self(words, ends[1], -1);
  ::close(ends[1]);
  std::string text;
  char buffer[8192];
  while (pid > 0) {
    const auto n = ::read(ends[0], buffer, sizeof(buffer));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    text.append(buffer, static_cast<std::size_t>(n));
  }
  ::close(ends[0]);
  if (pid > 0) ::waitpid(pid, nullptr, 0);
  return text;
}

// The text behind "2026-11-21T11:30:00.123Z crit  ".
std::string without_stamp(const std::string& line) {
  constexpr std::size_t kStamp = 31;
  return line.size() > kStamp && line[10] == 'T' ? line.substr(kStamp) : line;
}

}  // namespace

Result<DemoDirectory> DemoDirectory::make() {
  std::error_code failed;
  std::string pattern = (std::filesystem::temp_directory_path(failed) / "timectl-demo-XXXXXX");
  if (failed || ::mkdtemp(pattern.data()) == nullptr) {
    return Error{Code::cannot_create,
                 "cannot create a directory for the demo",
                 std::strerror(errno),
                 {"TMPDIR=/var/tmp timectl demo"}};
  }
  return DemoDirectory(pattern);
}

DemoDirectory::~DemoDirectory() {
  if (path_.empty()) return;
  std::error_code failed;
  std::filesystem::remove_all(path_, failed);
  if (failed) ::dprintf(2, "could not remove %s: %s\n", path_.c_str(), failed.message().c_str());
}

Result<std::uint16_t> free_port(const std::vector<IpAddress>& addresses) {
  for (std::uint16_t i = 0; i < kPorts; ++i) {
    const auto port = static_cast<std::uint16_t>(kFirstPort + i);
    bool free = true;
    for (const auto& ip : addresses) free = free && can_bind(ip, port);
    if (free) return port;
  }
  return Error{Code::port_in_use, "no port from 24555 on is free on the demo's addresses"};
}

DemoNode::DemoNode(const DemoDirectory& directory, IpAddress ip, std::uint16_t port)
    : ip_(ip), directory_(directory.path() + "/" + ip.to_string()) {
  std::filesystem::create_directories(directory_);
  std::ofstream(directory_ + "/timectl.toml")
      << "[node]\nlisten = \"" << ip.to_string()
      << "\"\n[network]\nname = \"testnet\"\nport = " << port
      << "\n[discovery]\nenabled = false\n[dashboard]\nlisten = \"" << ip.to_string()
      << ":24010\"\n";
}

DemoNode::DemoNode(DemoNode&& other) noexcept
    : ip_(other.ip_),
      directory_(std::move(other.directory_)),
      pid_(std::exchange(other.pid_, -1)),
      log_fd_(std::exchange(other.log_fd_, -1)),
      partial_(std::move(other.partial_)) {}

DemoNode::~DemoNode() {
  kill_hard();
}

std::vector<std::string> DemoNode::command(const std::vector<std::string>& words) const {
  std::vector<std::string> all{"--config",   directory_ + "/timectl.toml",
                               "--data-dir", directory_ + "/data",
                               "--socket",   directory_ + "/node.sock"};
  all.insert(all.end(), words.begin(), words.end());
  return all;
}

Result<void> DemoNode::start() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) {
    return Error{Code::input_output, "cannot make a pipe", std::strerror(errno)};
  }
  if (log_fd_ >= 0) ::close(log_fd_);
  partial_.clear();
  log_fd_ = ends[0];
  pid_ = spawn_self(command({"node", "start", "--foreground"}), -1, ends[1]);
  ::close(ends[1]);
  if (pid_ < 0) return Error{Code::internal, "cannot fork", std::strerror(errno)};
  return {};
}

bool DemoNode::running() {
  if (pid_ > 0 && ::waitpid(pid_, nullptr, WNOHANG) == pid_) pid_ = -1;
  return pid_ > 0;
}

void DemoNode::kill_hard() {
  if (pid_ > 0) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  pid_ = -1;
  if (log_fd_ >= 0) ::close(log_fd_);
  log_fd_ = -1;
}

void DemoNode::ask_to_stop() {
  if (pid_ > 0) ::kill(pid_, SIGTERM);
}

bool DemoNode::wait_stopped(Duration limit) {
  for (Duration waited{0}; running() && waited < limit; waited += std::chrono::milliseconds(20)) {
    ::poll(nullptr, 0, 20);
  }
  return !running();
}

std::vector<std::string> DemoNode::new_lines() {
  char buffer[8192];
  while (log_fd_ >= 0) {
    const auto n = ::read(log_fd_, buffer, sizeof(buffer));
    if (n <= 0) break;
    partial_.append(buffer, static_cast<std::size_t>(n));
  }
  std::vector<std::string> lines;
  for (auto end = partial_.find('\n'); end != std::string::npos; end = partial_.find('\n')) {
    lines.push_back(without_stamp(partial_.substr(0, end)));
    partial_.erase(0, end + 1);
  }
  return lines;
}

boost::json::value DemoNode::ask(const std::vector<std::string>& words) const {
  std::vector<std::string> all{"--json"};
  all.insert(all.end(), words.begin(), words.end());
  boost::system::error_code failed;
  const auto value = boost::json::parse(run_self(command(all)), failed);
  if (failed || !value.is_object() || !value.get_object().contains("data")) return nullptr;
  return value.at("data");
}

std::string DemoNode::show(const std::vector<std::string>& words) const {
  return run_self(command(words));
}

}  // namespace timectl::cmd
