#include "tests/bench/node_process.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <unordered_map>

#include "daemon/net/tls.h"

namespace timectl::bench {
namespace {

constexpr std::uint16_t kPort = 24'657;

std::string proc(pid_t pid, const char* file) {
  return "/proc/" + std::to_string(pid) + "/" + file;
}

double status_kib(pid_t pid, std::string_view key) {
  std::ifstream status(proc(pid, "status"));
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(key)) return std::strtod(line.c_str() + key.size(), nullptr);
  }
  return 0;
}

bool listens(const net::Endpoint& at) {
  const net::Attempt attempt = net::dial(at, IpAddress::v4(127, 0, 0, 1));
  if (!attempt.fd.open()) return false;
  pollfd wait{attempt.fd.get(), POLLOUT, 0};
  return ::poll(&wait, 1, 100) == 1 && net::pending_error(attempt.fd.get()) == 0;
}

void end_child(pid_t pid) {
  if (pid <= 0) return;
  ::kill(pid, SIGKILL);
  ::waitpid(pid, nullptr, 0);
}

// One connection of the bare server. Level-triggered: a step for each readiness.
[[noreturn]] void serve(const net::Fd& listener) {
  const net::TlsContext tls;
  const int epoll = ::epoll_create1(EPOLL_CLOEXEC);
  epoll_event event{EPOLLIN, {.fd = listener.get()}};
  if (::epoll_ctl(epoll, EPOLL_CTL_ADD, listener.get(), &event) != 0) ::_exit(1);
  struct Open {
    net::Fd fd;
    std::unique_ptr<net::Stream> stream;
    bool done = false;
  };
  std::unordered_map<int, Open> connections;
  std::array<epoll_event, 64> events{};
  std::array<std::uint8_t, 1024> chunk{};
  for (;;) {
    const int count = ::epoll_wait(epoll, events.data(), static_cast<int>(events.size()), -1);
    for (int i = 0; i < count; ++i) {
      const int fd = events.at(static_cast<std::size_t>(i)).data.fd;
      if (fd == listener.get()) {
        net::Accepted accepted = net::accept_from(fd);
        if (accepted.error != 0) continue;
        const int number = accepted.fd.get();
        net::set_peer_options(number, std::chrono::seconds(45));
        Open open{std::move(accepted.fd), std::make_unique<net::Stream>(number)};
        open.stream->secure(tls, Direction::in);
        event = {EPOLLIN, {.fd = number}};
        (void)::epoll_ctl(epoll, EPOLL_CTL_ADD, number, &event);
        connections[number] = std::move(open);
        continue;
      }
      Open& open = connections[fd];
      if (open.done) {  // its end
        if (open.stream->read(chunk).state == net::IoState::want_read) continue;
        connections.erase(fd);
        continue;
      }
      const net::Io io = open.stream->handshake();
      if (io.state == net::IoState::failed) connections.erase(fd);
      open.done = io.state == net::IoState::done;
    }
  }
}

}  // namespace

double resident_kib(pid_t pid) {
  return status_kib(pid, "VmRSS:");
}

double peak_resident_kib(pid_t pid) {
  return status_kib(pid, "VmHWM:");
}

// schedstat counts in nanoseconds, where stat counts in ticks of 10 ms.
double cpu_seconds(pid_t pid) {
  double total = 0;
  std::error_code gone;
  for (const auto& task : std::filesystem::directory_iterator(proc(pid, "task"), gone)) {
    double nanoseconds = 0;
    std::ifstream(task.path() / "schedstat") >> nanoseconds;
    total += nanoseconds / 1e9;
  }
  return total;
}

std::size_t descriptors(pid_t pid) {
  std::error_code gone;
  const std::filesystem::directory_iterator all(proc(pid, "fd"), gone);
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

double load_average() {
  double load = 0;
  std::ifstream("/proc/loadavg") >> load;
  return load;
}

void raise_descriptors() {
  rlimit files{};
  (void)::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  (void)::setrlimit(RLIMIT_NOFILE, &files);
}

NodeProcess::NodeProcess(const IpAddress& address, const std::string& network)
    : at_{address, kPort} {
  std::string pattern = (std::filesystem::temp_directory_path() / "timectl-load-XXXXXX");
  if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary directory");
  directory_ = pattern;
  std::ofstream(directory_ + "/t.toml")
      << "[node]\nlisten = \"" << address.to_string()
      << "\"\n[network]\nname = \"testnet\"\nport = " << kPort << "\n"
      << network << "\n[discovery]\nenabled = false\n"
      << (network.find("[dashboard]") == std::string::npos ? "[dashboard]\nenabled = false\n" : "");
  const pid_t parent = ::getpid();
  pid_ = ::fork();
  if (pid_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(1);
    const int log = ::open((directory_ + "/log").c_str(), O_CREAT | O_WRONLY, 0600);
    ::dup2(log, 1);
    ::dup2(log, 2);
    ::execl(TIMECTL_BINARY, "timectl", "--config", (directory_ + "/t.toml").c_str(), "--data-dir",
            (directory_ + "/data").c_str(), "--socket", socket().c_str(), "node", "start",
            "--foreground", nullptr);
    ::_exit(127);
  }
  for (int i = 0; i < 1000; ++i) {
    if (listens(at_)) return;
    ::poll(nullptr, 0, 10);
  }
  std::ostringstream log;
  log << std::ifstream(directory_ + "/log").rdbuf();
  end_child(std::exchange(pid_, -1));
  std::filesystem::remove_all(directory_);
  throw std::runtime_error("the node does not listen: " + log.str());
}

NodeProcess::~NodeProcess() {
  end_child(pid_);
  if (std::getenv("TIMECTL_BENCH_KEEP") != nullptr) return;
  std::filesystem::remove_all(directory_);
}

bool NodeProcess::running() const {
  return ::waitpid(pid_, nullptr, WNOHANG) == 0;
}

BareTlsServer::BareTlsServer(const IpAddress& address) {
  auto listener = net::listen_on({address, 0});
  if (!listener) throw std::runtime_error(listener.error().message);
  at_ = net::local_endpoint(listener->get());
  const pid_t parent = ::getpid();
  pid_ = ::fork();
  if (pid_ != 0) return;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(1);
  serve(*listener);
}

BareTlsServer::~BareTlsServer() {
  end_child(pid_);
}

}  // namespace timectl::bench
