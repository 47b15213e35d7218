#pragma once
// SlotCounts: how many connections there are of each kind (requirements S1 to S3), kept up to date
// change by change, so that a decision costs the same with ten peers and with ten thousand. The
// node sets what each address holds after every step that touches it; check_invariants() counts
// anew and compares. It decides nothing: admission does, with the usage from here.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <unordered_map>

#include "daemon/core/admission.h"
#include "daemon/core/ip_address.h"
#include "daemon/core/vocabulary.h"

namespace timectl {

// What one address holds: its main connection.
struct Holding {
  Trust trust = Trust::regular;
  Direction direction = Direction::in;
  bool attempt = false;  // dialled and not a session yet: bounded by the dial budget, not by slots
  bool ready = false;
  bool suspect = false;                         // ready, and silent for longer than a ping interval
  std::optional<std::uint32_t> as_number = {};  // of one that we dialled; none: not known
  friend bool operator==(const Holding&, const Holding&) = default;
};

class SlotCounts {
 public:
  // None: it holds nothing. Setting what is there already costs one look-up.
  void set(const IpAddress& ip, const std::optional<Holding>& holding);

  // For a decision about `ip`; `without_it` leaves out what it holds itself, `with_attempts`
  // counts attempts to regular peers as if they were sessions.
  [[nodiscard]] SlotUsage usage(const IpAddress& ip, bool without_it, bool with_attempts) const;
  [[nodiscard]] std::size_t attempts(Trust trust) const;
  [[nodiscard]] std::size_t ready_masternodes() const { return ready_masternodes_; }
  [[nodiscard]] std::size_t silent_masternodes() const { return silent_masternodes_; }
  // Regular peers that we dialled, attempts too, in the network group (/16, /48) of `ip`.
  [[nodiscard]] std::size_t dialled_in_group(const IpAddress& ip) const;
  // And in the AS, as it was known when each of them was dialled.
  [[nodiscard]] std::size_t dialled_in_as(std::uint32_t as_number) const;
  [[nodiscard]] std::optional<Holding> of(const IpAddress& ip) const;  // as it was counted
  // Of those that hold a slot.
  [[nodiscard]] std::size_t total() const { return total_; }
  [[nodiscard]] std::size_t regular() const { return regular_; }
  [[nodiscard]] std::size_t inbound() const { return inbound_; }

  friend bool operator==(const SlotCounts&, const SlotCounts&) = default;

 private:
  using Groups = std::unordered_map<IpAddress, std::size_t>;
  void count(const IpAddress& ip, const Holding& holding, bool appears);

  std::unordered_map<IpAddress, Holding> holdings_;
  std::size_t total_ = 0;
  std::size_t regular_ = 0;
  std::size_t regular_outbound_ = 0;
  std::size_t inbound_ = 0;
  std::size_t ready_masternodes_ = 0;
  std::size_t silent_masternodes_ = 0;
  std::size_t masternode_attempts_ = 0;
  std::size_t regular_attempts_ = 0;
  Groups subnets_;  // regular inbound ones, by /24 or /56
  Groups dialled_;  // regular ones that we dialled, attempts too, by /16 or /48
  Groups sites_;    // and by /48, of v6 alone
  std::unordered_map<std::uint32_t, std::size_t> dialled_as_;  // those of dialled_, by AS
};

}  // namespace timectl
