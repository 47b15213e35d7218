#pragma once
// Real processes for the end-to-end tests: a Sandbox is a temporary directory with nodes on
// distinct 127.x addresses and one P2P port; each node is the real binary in the foreground with
// its log in a file. Waits are for a state, with a deadline; everything that was started is ended
// and removed by the destructors, by process id.

#include <sys/types.h>

#include <boost/json.hpp>
#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace timectl::e2e {

namespace json = boost::json;
using std::chrono::milliseconds;

struct Outcome {
  int status = -1;  // exit status; 128 + signal where it was killed
  std::string out;
  std::string err;
  [[nodiscard]] json::value data() const;  // `data` of a --json envelope on stdout
};

// Runs a program to its end, stdin from `input`; fails the test after 30 s.
[[nodiscard]] Outcome run(const std::vector<std::string>& argv, const std::string& input = {},
                          const std::vector<std::string>& environment = {});

// Looks every 10 ms until look() is true; false when the deadline has passed.
[[nodiscard]] bool wait_for(const std::function<bool()>& look, milliseconds deadline);
[[nodiscard]] milliseconds elapsed(const std::function<void()>& work);

class Sandbox;

class NodeProcess {
 public:
  NodeProcess(Sandbox& sandbox, std::string address, std::string extra_config);
  ~NodeProcess();
  NodeProcess(const NodeProcess&) = delete;
  NodeProcess& operator=(const NodeProcess&) = delete;

  // What comes before the node's command line: it runs under these words (in a namespace, say).
  void run_under(std::vector<std::string> words) { under_ = std::move(words); }
  void start();   // returns when the node answers, or fails the test
  void launch();  // the first half of it, for those that start at the same time
  void await_ready();
  void signal(int number) const;
  int wait_exit();  // the exit status, as in Outcome
  void kill9() {
    signal(9);
    (void)wait_exit();
  }
  [[nodiscard]] bool alive() const { return pid_ > 0; }
  [[nodiscard]] pid_t pid() const { return pid_; }

  // timectl with this node's config and data directory.
  [[nodiscard]] Outcome timectl(std::vector<std::string> arguments,
                                const std::string& input = {}) const;
  [[nodiscard]] json::value query(std::vector<std::string> arguments) const;  // --json, data
  [[nodiscard]] std::string log() const;
  [[nodiscard]] bool connected_to(const std::string& ip) const;
  [[nodiscard]] std::size_t connections() const;

  [[nodiscard]] const std::string& address() const { return address_; }
  [[nodiscard]] const std::string& config_path() const { return config_; }
  [[nodiscard]] const std::string& data_dir() const { return data_dir_; }
  [[nodiscard]] std::string socket_path() const { return data_dir_ + "/node.sock"; }
  [[nodiscard]] std::vector<std::string> command(std::vector<std::string> arguments) const;

 private:
  std::string address_;
  std::string data_dir_;
  std::string config_;
  std::string log_;
  std::vector<std::string> under_;
  std::size_t log_before_ = 0;  // its length when this run began
  pid_t pid_ = -1;
};

class Sandbox {
 public:
  Sandbox();
  ~Sandbox();
  Sandbox(const Sandbox&) = delete;
  Sandbox& operator=(const Sandbox&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] int port() const { return port_; }

 private:
  std::string path_;
  int port_;
};

[[nodiscard]] std::string binary();  // the timectl under test

}  // namespace timectl::e2e
