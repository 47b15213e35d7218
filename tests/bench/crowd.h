#pragma once
// A node with many quiet peers: the real binary with its limits raised, and a client that holds the
// connections, answers the node's pings and pings as the network's own nodes do. For crowd_bench.

#include <memory>
#include <string>
#include <vector>

#include "tests/bench/load_client.h"
#include "tests/bench/node_process.h"

namespace timectl::bench {

enum class Kind : std::uint8_t { regular, masternode };

// Counted over a span of time.
struct Figures {
  double seconds = 0;
  double cpu_percent = 0;             // of one core
  std::vector<double> round_trip_ms;  // of the peers' pings
  double client_late_ms = 0;          // the longest turn of the client's own loop
};

class Crowd {
 public:
  // Room for `most` connections of `kind`, none open yet.
  Crowd(Kind kind, std::size_t most);

  // Holds `count` connections, all with their Ack; false where that takes over two minutes.
  [[nodiscard]] bool grow(std::size_t count);
  // Lets time pass. With `pings` each peer sends one every 30 s, evenly spread.
  [[nodiscard]] Figures rest(double seconds, bool pings);
  // Handshakes of other peers, 32 at a time, each closed at its Ack: their number.
  [[nodiscard]] std::size_t churn(double seconds);

  [[nodiscard]] std::size_t lost() const { return lost_; }
  [[nodiscard]] const NodeProcess& node() const { return node_; }
  [[nodiscard]] LoadClient& client() { return client_; }

 private:
  void set_hooks();
  NodeProcess node_;
  LoadClient client_;
  std::vector<std::uint64_t> held_;
  std::vector<double> trips_;
  std::size_t ready_ = 0;
  std::size_t lost_ = 0;
  std::size_t next_ping_ = 0;
};

// Handshakes with any server, 32 at a time, each closed when it is done: their number.
[[nodiscard]] std::size_t churn(LoadClient& client, Conduct conduct, double seconds);

[[nodiscard]] double quantile(std::vector<double>& values, double q);  // 0 where there are none
[[nodiscard]] double milliseconds_of(Clock::duration d);
// A number of seconds from the environment, within a day.
[[nodiscard]] double seconds_from(const char* variable, double otherwise);

}  // namespace timectl::bench
