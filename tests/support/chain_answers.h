#pragma once
// What a scripted peer says of the chain that its script gives it, with the faults of the script.
// One per connection; the connection writes what this returns.

#include <cstdint>
#include <optional>
#include <vector>

#include "daemon/wire/messages.h"
#include "tests/support/scripted_peer.h"

namespace timectl::test {

class ChainAnswers {
 public:
  using Frame = std::vector<std::uint8_t>;

  // `script` outlives it.
  explicit ChainAnswers(const Script& script) : script_(script) {}

  struct Answer {
    Frame frame;
    bool last = false;  // and nothing more on this connection
  };
  // None: it says nothing about this message; the rest of the script may.
  [[nodiscard]] std::optional<Answer> to(const wire::Message& message);
  // What comes without being asked for: when the connection begins, and with each ping.
  [[nodiscard]] std::optional<Frame> unasked() const;
  // For pings and pongs, where the script has no height of its own.
  [[nodiscard]] std::optional<std::uint64_t> height() const;

 private:
  [[nodiscard]] const ChainFault* fault(ChainFaultKind kind) const;
  [[nodiscard]] std::optional<Frame> tip();
  [[nodiscard]] Frame hash(std::uint64_t height) const;
  [[nodiscard]] std::vector<std::vector<std::uint8_t>> blocks(std::uint64_t first,
                                                              std::uint64_t last) const;
  [[nodiscard]] std::optional<Frame> served(const wire::Message& message) const;
  void spoil(std::vector<std::vector<std::uint8_t>>& blocks, std::uint64_t first) const;

  const Script& script_;
  bool other_tip_ = false;
};

}  // namespace timectl::test
