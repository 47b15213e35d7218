#pragma once
// TcpLink: one TCP connection over one path, alone in its world: what detection.cc and
// tcp_link_test.cc look at. Whether the path takes a packet is a function of the seed, the
// direction and the time, so that two rules with other traffic still meet the same path.

#include <array>
#include <cstdint>
#include <functional>

#include "tests/sim/event_queue.h"
#include "tests/sim/tcp_flow.h"

namespace timectl::sim {

struct LinkOptions {
  std::uint64_t seed = 1;
  double loss = 0;  // each way, of each packet
  Duration latency = std::chrono::milliseconds(40);
  Duration jitter = {};
  Duration user_timeout = {};  // zero: none
};

class TcpLink {
 public:
  explicit TcpLink(const LinkOptions& options);

  void write(std::uint8_t side, const Message& message);
  void wake_at(std::uint8_t side, Duration at);  // on_wake at that time; the latest call holds
  void cut(bool first_way, bool second_way);     // of side 0 to 1, and back; from now on
  void renew();                                  // a new connection on the same path
  void run_until(Duration end);
  void stop() { stopped_ = true; }
  [[nodiscard]] Duration now() const { return now_; }

  std::function<void(std::uint8_t side, const Message& message)> on_message;
  std::function<void(std::uint8_t side)> on_wake;
  std::function<void(std::uint8_t side)> on_dead;  // the kernel gave the connection up

 private:
  enum class Kind : std::uint8_t { segment, ack, duplicate, timer, wake };
  struct Happening {
    Kind kind = Kind::wake;
    std::uint8_t side = 0;
    std::uint32_t life = 0;
    Segment segment = {};
  };
  [[nodiscard]] double chance(std::uint8_t side, std::uint64_t salt) const;
  [[nodiscard]] bool passes(std::uint8_t side) const;
  [[nodiscard]] Duration delay(std::uint8_t side) const;
  void transmit(std::uint8_t side, Segment segment);
  void lost();
  void handle(const Happening& h);
  void arrive(const Happening& h);
  void bare_ack(std::uint8_t side, Kind kind, bool at_once);

  LinkOptions options_;
  std::array<TcpFlow, 2> flows_;
  std::array<bool, 2> cut_ = {};
  std::array<Duration, 2> wake_ = {TcpFlow::kNever, TcpFlow::kNever};
  EventQueue<Happening> queue_;
  Duration now_ = {};
  std::uint32_t life_ = 0;
  bool stopped_ = false;
};

}  // namespace timectl::sim
