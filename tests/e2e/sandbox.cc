#include "tests/e2e/sandbox.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/paths.h"

extern char** environ;

namespace timectl::e2e {
namespace {

int exit_status(int raw) {
  return WIFSIGNALED(raw) ? 128 + WTERMSIG(raw) : WEXITSTATUS(raw);
}

std::vector<char*> pointers(const std::vector<std::string>& words) {
  std::vector<char*> result;
  for (const auto& word : words) result.push_back(const_cast<char*>(word.c_str()));
  result.push_back(nullptr);
  return result;
}

// A child of the test that dies with it; fds become its stdin, stdout and stderr.
pid_t spawn(const std::vector<std::string>& argv, const std::vector<std::string>& environment,
            int in, int out, int err) {
  auto arguments = pointers(argv);
  std::vector<std::string> variables;
  for (char** v = environ; *v != nullptr; ++v) {
    const std::string text = *v;
    // What the caller's shell has set must not change what is tested.
    if (text.starts_with("TIMECTL_") || text.starts_with("XDG_")) continue;
    if (text.substr(0, text.find('=')).ends_with("_proxy")) continue;
    variables.push_back(text);
  }
  variables.insert(variables.end(), environment.begin(), environment.end());
  auto environment_pointers = pointers(variables);
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(126);
    ::dup2(in, 0);
    ::dup2(out, 1);
    ::dup2(err, 2);
    ::execvpe(arguments[0], arguments.data(), environment_pointers.data());
    ::_exit(127);
  }
  return pid;
}

struct Pipe {
  int ends[2] = {-1, -1};
  Pipe() { EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0); }
  ~Pipe() { close_end(0), close_end(1); }
  void close_end(int end) {
    if (ends[end] >= 0) ::close(ends[end]);
    ends[end] = -1;
  }
};

int pick_port() {
  // Any free port of the loopback; the other addresses of 127/8 have it free as well, nearly
  // always.
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof(address);
  EXPECT_EQ(::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  EXPECT_EQ(::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length), 0);
  ::close(fd);
  return ntohs(address.sin_port);
}

}  // namespace

std::string binary() {
  return TIMECTL_BINARY;
}

json::value Outcome::data() const {
  boost::system::error_code failed;
  auto value = json::parse(out, failed);
  EXPECT_FALSE(failed) << "not JSON: " << out << "\nstderr: " << err;
  if (failed || !value.is_object() || !value.get_object().contains("data")) return nullptr;
  return value.at("data");
}

Outcome run(const std::vector<std::string>& argv, const std::string& input,
            const std::vector<std::string>& environment) {
  Pipe in;
  Pipe out;
  Pipe err;
  const pid_t pid = spawn(argv, environment, in.ends[0], out.ends[1], err.ends[1]);
  in.close_end(0);
  out.close_end(1);
  err.close_end(1);
  std::signal(SIGPIPE, SIG_IGN);
  ::fcntl(in.ends[1], F_SETFL, O_NONBLOCK);
  Outcome outcome;
  std::size_t written = 0;
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (out.ends[0] >= 0 || err.ends[0] >= 0) {
    if (written == input.size()) in.close_end(1);
    pollfd fds[3] = {{out.ends[0], POLLIN, 0}, {err.ends[0], POLLIN, 0}, {in.ends[1], POLLOUT, 0}};
    if (std::chrono::steady_clock::now() > deadline) {
      ADD_FAILURE() << argv[0] << " did not end in 30 s: " << outcome.out << outcome.err;
      ::kill(pid, SIGKILL);
      break;
    }
    if (::poll(fds, 3, 1000) <= 0) continue;
    for (int i = 0; i < 2; ++i) {
      if (fds[i].revents == 0) continue;
      char buffer[65536];
      auto& pipe = i == 0 ? out : err;
      const auto n = ::read(pipe.ends[0], buffer, sizeof(buffer));
      if (n <= 0) {
        pipe.close_end(0);
      } else {
        (i == 0 ? outcome.out : outcome.err).append(buffer, static_cast<std::size_t>(n));
      }
    }
    if (fds[2].revents != 0) {
      const auto n = ::write(in.ends[1], input.data() + written, input.size() - written);
      if (n < 0)
        in.close_end(1), written = input.size();
      else
        written += static_cast<std::size_t>(n);
    }
  }
  int raw = 0;
  ::waitpid(pid, &raw, 0);
  outcome.status = exit_status(raw);
  return outcome;
}

bool wait_for(const std::function<bool()>& look, milliseconds deadline) {
  const auto end = std::chrono::steady_clock::now() + deadline;
  while (!look()) {
    if (std::chrono::steady_clock::now() > end) return false;
    ::poll(nullptr, 0, 10);
  }
  return true;
}

milliseconds elapsed(const std::function<void()>& work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - begin);
}

Sandbox::Sandbox() : port_(pick_port()) {
  std::string pattern = (std::filesystem::temp_directory_path() / "timectl-e2e-XXXXXX").string();
  EXPECT_NE(::mkdtemp(pattern.data()), nullptr);
  path_ = pattern;
}

Sandbox::~Sandbox() {
  std::error_code ignored;  // the test's verdict is in already; /tmp is cleaned by the system
  std::filesystem::remove_all(path_, ignored);
}

NodeProcess::NodeProcess(Sandbox& sandbox, std::string address, std::string extra_config)
    : address_(std::move(address)),
      data_dir_(sandbox.path() + "/" + address_),
      config_(data_dir_ + ".toml"),
      log_(data_dir_ + ".log") {
  std::filesystem::create_directories(data_dir_);
  // No test asks the real site or real time servers; those of discovery name a server of their own.
  const bool own = extra_config.find("[discovery]") != std::string::npos;
  // Nodes of one machine would take one port for it; tests of the dashboard name another.
  const bool shows = extra_config.find("[dashboard]") != std::string::npos;
  std::ofstream(config_) << "[node]\nlisten = \"" << address_ << "\"\n"
                         << "time_servers = []\n"
                         << (own ? "" : "[discovery]\nenabled = false\n")
                         << (shows ? "" : "[dashboard]\nenabled = false\n")
                         << "[network]\nname = \"testnet\"\n"
                         << "port = " << sandbox.port() << "\n"
                         << extra_config;
}

NodeProcess::~NodeProcess() {
  if (alive()) kill9();
}

std::vector<std::string> NodeProcess::command(std::vector<std::string> arguments) const {
  std::vector<std::string> argv{binary(),  "--config", config_,      "--data-dir",
                                data_dir_, "--socket", socket_path()};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  return argv;
}

void NodeProcess::start() {
  launch();
  await_ready();
}

void NodeProcess::launch() {
  const int output = ::open(log_.c_str(), O_CREAT | O_APPEND | O_WRONLY | O_CLOEXEC, 0600);
  const int null = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  log_before_ = log().size();
  auto argv = under_;
  const auto node = command({"node", "start", "--foreground"});
  argv.insert(argv.end(), node.begin(), node.end());
  pid_ = spawn(argv, {}, null, output, output);
  ::close(output);
  ::close(null);
}

void NodeProcess::await_ready() {
  const bool ready = wait_for(
      [&] {
        int raw = 0;
        if (::waitpid(pid_, &raw, WNOHANG) == pid_) {
          ADD_FAILURE() << "the node ended with " << exit_status(raw) << ": "
                        << log().substr(log_before_);
          pid_ = -1;
          return true;
        }
        const auto hello = timectl({"--json", "node", "status"});
        return hello.status != 69 && hello.out.find("\"running\":true") != std::string::npos;
      },
      milliseconds(20000));
  ASSERT_TRUE(ready) << "not ready: " << log();
}

void NodeProcess::signal(int number) const {
  if (pid_ > 0) ::kill(pid_, number);
}

int NodeProcess::wait_exit() {
  if (pid_ <= 0) return -1;
  int raw = 0;
  const bool ended =
      wait_for([&] { return ::waitpid(pid_, &raw, WNOHANG) == pid_; }, milliseconds(15000));
  if (!ended) {
    ADD_FAILURE() << "the node did not end in 15 s: " << log();
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, &raw, 0);
  }
  pid_ = -1;
  return exit_status(raw);
}

Outcome NodeProcess::timectl(std::vector<std::string> arguments, const std::string& input) const {
  return run(command(std::move(arguments)), input);
}

json::value NodeProcess::query(std::vector<std::string> arguments) const {
  arguments.insert(arguments.begin(), "--json");
  return timectl(std::move(arguments)).data();
}

std::string NodeProcess::log() const {
  std::ifstream file(log_);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

bool NodeProcess::connected_to(const std::string& ip) const {
  const auto peers = query({"peer", "list", "--connected"});
  if (!peers.is_array()) return false;
  for (const auto& peer : peers.get_array()) {
    if (peer.at("ip").as_string() == ip) return true;
  }
  return false;
}

std::size_t NodeProcess::connections() const {
  const auto peers = query({"peer", "list", "--connected"});
  return peers.is_array() ? peers.get_array().size() : 0;
}

}  // namespace timectl::e2e
