#include "tests/cmd/command.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>

#include "tests/paths.h"

namespace timectl::testing {
namespace {

struct Pipe {
  Pipe() {
    if (::pipe2(fd, O_CLOEXEC) != 0) throw std::runtime_error("pipe2");
  }
  ~Pipe() {
    close_end(0);
    close_end(1);
  }
  void close_end(int end) {
    if (fd[end] >= 0) ::close(fd[end]);
    fd[end] = -1;
  }
  int fd[2] = {-1, -1};
};

// Feeds and drains all three at once: a child must never wait for us.
void exchange(Pipe& in, Pipe& out, Pipe& err, std::string_view input, Ran& ran) {
  char buffer[65'536];
  ::fcntl(in.fd[1], F_SETFL, O_NONBLOCK);
  if (input.empty()) in.close_end(1);
  while (out.fd[0] >= 0 || err.fd[0] >= 0) {
    pollfd waiting[3] = {{out.fd[0], POLLIN, 0}, {err.fd[0], POLLIN, 0}, {in.fd[1], POLLOUT, 0}};
    ::poll(waiting, 3, -1);
    if (waiting[2].revents != 0 && in.fd[1] >= 0) {
      const auto sent = ::write(in.fd[1], input.data(), input.size());
      if (sent > 0) input.remove_prefix(static_cast<std::size_t>(sent));
      if (sent < 0 || input.empty()) in.close_end(1);
    }
    for (int i = 0; i < 2; ++i) {
      if (waiting[i].revents == 0) continue;
      Pipe& pipe = i == 0 ? out : err;
      const auto got = ::read(pipe.fd[0], buffer, sizeof(buffer));
      if (got <= 0) {
        pipe.close_end(0);
      } else {
        (i == 0 ? ran.out : ran.err).append(buffer, static_cast<std::size_t>(got));
      }
    }
  }
}

}  // namespace

Sandbox::Sandbox() {
  std::signal(SIGPIPE, SIG_IGN);  // a child may end before it has read all
  std::string pattern = (std::filesystem::temp_directory_path() / "timectl-cmd-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp");
  directory_ = pattern;
}

Sandbox::~Sandbox() {
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

Ran Sandbox::run(const std::vector<std::string>& arguments, const std::string& input) const {
  std::vector<std::string> words{TIMECTL_BINARY};
  words.insert(words.end(), arguments.begin(), arguments.end());
  return run_program(words, input);
}

Ran Sandbox::run_program(const std::vector<std::string>& words, const std::string& input) const {
  Pipe in;
  Pipe out;
  Pipe err;
  std::vector<std::string> environment{"HOME=" + directory_,
                                       "XDG_STATE_HOME=" + directory_ + "/state",
                                       "XDG_CONFIG_HOME=" + directory_ + "/config",
                                       "XDG_RUNTIME_DIR=" + directory_,
                                       "PATH=" + std::string(std::getenv("PATH")),
                                       "TZ=UTC",
                                       "TERM=dumb",
                                       "TIMECTL_DISCOVERY_ENABLED=false"};
  for (const auto& [name, value] : extra_) environment.push_back(name + "=" + value);
  std::vector<char*> argv;
  for (const auto& word : words) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  std::vector<char*> envp;
  for (auto& entry : environment) envp.push_back(entry.data());
  envp.push_back(nullptr);
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::dup2(in.fd[0], 0);
    ::dup2(out.fd[1], 1);
    ::dup2(err.fd[1], 2);
    if (::chdir(directory_.c_str()) != 0) ::_exit(126);
    ::execvpe(argv[0], argv.data(), envp.data());
    ::_exit(127);
  }
  in.close_end(0);
  out.close_end(1);
  err.close_end(1);
  Ran ran;
  exchange(in, out, err, input, ran);
  int status = 0;
  ::waitpid(pid, &status, 0);
  ran.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return ran;
}

std::string Sandbox::write(const std::string& name, const std::string& text) const {
  const std::string path = directory_ + "/" + name;
  std::ofstream(path, std::ios::binary) << text;
  return path;
}

}  // namespace timectl::testing
