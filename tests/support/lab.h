#pragma once
// Hosts of a network of our own: each is a network namespace with 10.77.0.N/24 on a TUN device, all
// of them on one LinkEmulator. The namespaces have no names and live as long as the Lab and the
// processes in them, so nothing is left behind, also when a test is killed. Where namespaces cannot
// be made, why_not() says why, for GTEST_SKIP.

#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "tests/support/link_emulator.h"

namespace timectl::test {

class LabHost {
 public:
  LabHost(LinkEmulator& links, int number);
  LabHost(const LabHost&) = delete;
  LabHost& operator=(const LabHost&) = delete;

  [[nodiscard]] const std::string& address() const { return address_; }
  [[nodiscard]] LinkEmulator::Port port() const { return port_; }
  // A power cycle: its kernel forgets every connection without a word to anybody. End its processes
  // first.
  void power_cycle();
  // The words before a command that make it run here: nsenter.
  [[nodiscard]] std::vector<std::string> enter() const;
  // Calls `work` on a thread that is here: its sockets are of this host wherever they are used.
  void within(const std::function<void()>& work) const;
  // `words` under enter(); fails the test where it does not end with 0.
  void command(const std::string& words) const;

 private:
  void set_up() const;

  LinkEmulator& links_;
  std::string address_;
  net::Fd namespace_;
  LinkEmulator::Port port_ = 0;
};

class Lab {
 public:
  explicit Lab(std::uint64_t seed = 7) : links_(seed) {}

  // Empty where a Lab can be made.
  [[nodiscard]] static std::string why_not();

  LabHost& add(int number) { return hosts_.emplace_back(links_, number); }
  [[nodiscard]] LinkEmulator& links() { return links_; }
  // As if the cable was pulled or put back: nothing passes in either way, and nothing tells so.
  void pull(const LabHost& host) { links_.set(host.port(), cut_link); }
  void plug(const LabHost& host) { links_.set(host.port(), LinkConditions{}); }

 private:
  LinkEmulator links_;
  std::deque<LabHost> hosts_;
};

}  // namespace timectl::test
