#pragma once
// Real processes under load: a node in a directory of its own and what the kernel says about any
// process. A NodeProcess is the real binary in the foreground; it ends with its owner.

#include <sys/types.h>

#include <chrono>
#include <string>

#include "daemon/net/tcp.h"

namespace timectl::bench {

// Of a process, by /proc; zero where it is gone.
[[nodiscard]] double resident_kib(pid_t pid);
[[nodiscard]] double peak_resident_kib(pid_t pid);
[[nodiscard]] double cpu_seconds(pid_t pid);
[[nodiscard]] std::size_t descriptors(pid_t pid);
[[nodiscard]] double load_average();  // of one minute, of the whole machine

class NodeProcess {
 public:
  // `network` is put into the section [network] of the configuration, `address` is 127.x. Throws
  // std::runtime_error when the node does not listen within 10 s.
  NodeProcess(const IpAddress& address, const std::string& network);
  ~NodeProcess();
  NodeProcess(const NodeProcess&) = delete;
  NodeProcess& operator=(const NodeProcess&) = delete;

  [[nodiscard]] net::Endpoint at() const { return at_; }
  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] std::string socket() const { return directory_ + "/node.sock"; }
  [[nodiscard]] bool running() const;

 private:
  net::Endpoint at_;
  std::string directory_;
  pid_t pid_ = -1;
};

// A server that does nothing but accept TLS as the node does and close, in a child process: what
// OpenSSL alone makes of a core. Ends with its owner.
class BareTlsServer {
 public:
  explicit BareTlsServer(const IpAddress& address);
  ~BareTlsServer();
  BareTlsServer(const BareTlsServer&) = delete;
  BareTlsServer& operator=(const BareTlsServer&) = delete;

  [[nodiscard]] net::Endpoint at() const { return at_; }
  [[nodiscard]] pid_t pid() const { return pid_; }

 private:
  net::Endpoint at_;
  pid_t pid_ = -1;
};

// As many descriptors as this process may have: 10,000 connections need them.
void raise_descriptors();

}  // namespace timectl::bench
