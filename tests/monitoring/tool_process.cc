#include "tests/monitoring/tool_process.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <sstream>

namespace timectl::monitoring {
namespace {

sockaddr_in socket_address(const Place& place) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(place.port));
  EXPECT_EQ(::inet_pton(AF_INET, place.address.c_str(), &address.sin_addr), 1);
  return address;
}

struct Socket {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ~Socket() { ::close(fd); }
};

}  // namespace

Place free_place(const std::string& address) {
  Place place{address, 0};
  const Socket socket;
  auto bound = socket_address(place);
  socklen_t length = sizeof(bound);
  EXPECT_EQ(::bind(socket.fd, reinterpret_cast<sockaddr*>(&bound), sizeof(bound)), 0);
  EXPECT_EQ(::getsockname(socket.fd, reinterpret_cast<sockaddr*>(&bound), &length), 0);
  place.port = ntohs(bound.sin_port);
  return place;
}

std::string http_get(const Place& place, const std::string& path, const std::string& header) {
  const Socket socket;
  const timeval patience{.tv_sec = 5, .tv_usec = 0};
  (void)::setsockopt(socket.fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  auto address = socket_address(place);
  if (::connect(socket.fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) return {};
  const std::string request = "GET " + path + " HTTP/1.1\r\nHost: " + place.text() + "\r\n" +
                              (header.empty() ? "" : header + "\r\n") + "Connection: close\r\n\r\n";
  if (::send(socket.fd, request.data(), request.size(), MSG_NOSIGNAL) < 0) return {};
  std::string answer;
  char buffer[65536];
  for (ssize_t n = 0; (n = ::recv(socket.fd, buffer, sizeof(buffer), 0)) > 0;) {
    answer.append(buffer, static_cast<std::size_t>(n));
  }
  return answer;
}

ToolProcess::ToolProcess(const std::vector<std::string>& argv, std::string log_path)
    : log_path_(std::move(log_path)) {
  std::vector<char*> words;
  for (const auto& word : argv) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  const int output = ::open(log_path_.c_str(), O_CREAT | O_APPEND | O_WRONLY | O_CLOEXEC, 0600);
  const int null = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  const pid_t parent = ::getpid();
  pid_ = ::fork();
  if (pid_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(126);
    ::dup2(null, 0);
    ::dup2(output, 1);
    ::dup2(output, 2);
    ::execvp(words[0], words.data());
    ::_exit(127);
  }
  ::close(output);
  ::close(null);
}

ToolProcess::~ToolProcess() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);  // its storage goes away with the sandbox
  ::waitpid(pid_, nullptr, 0);
}

std::string ToolProcess::log() const {
  std::stringstream text;
  text << std::ifstream(log_path_).rdbuf();
  return text.str();
}

}  // namespace timectl::monitoring
