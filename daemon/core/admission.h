#pragma once
// Admission: may this connection have a slot (requirements S1 to S3)? A pure function of the
// usage of the slots, what the peer is to us, and the policy. The node asks it for each inbound
// connection, before a dialled one becomes a session, and for `timectl slots check`.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "daemon/core/ip_address.h"
#include "daemon/core/policy.h"
#include "daemon/core/time.h"
#include "daemon/core/vocabulary.h"

namespace timectl {

enum class Trust : std::uint8_t { regular, masternode };

struct SlotUsage {
  std::size_t total = 0;
  std::size_t regular = 0;
  std::size_t regular_outbound = 0;
  std::size_t from_ip = 0;      // regular ones of the same address
  std::size_t from_subnet = 0;  // regular inbound ones of the same /24 or /56
  std::size_t from_site = 0;    // and of the same /48; v6 alone
};

// A regular inbound connection, by what an attacker cannot forge without paying for it.
struct EvictionCandidate {
  std::uint64_t id = 0;
  IpAddress ip = {};
  bool ready = false;  // handshake done
  Duration age = {};
  std::uint64_t useful_bytes = 0;
  std::uint64_t violations = 0;  // frames that we could not use
  int score = 0;                 // its health in steps of ten points, 0 to 10
};

struct AdmissionRequest {
  Trust trust = Trust::regular;
  Direction direction = Direction::in;
  SlotUsage usage = {};
  bool limits_apply = true;  // per IP, per subnet and rates; W4 exempts masternodes
  bool ip_rate_free = true;
  bool subnet_rate_free = true;
};

enum class AdmissionAnswer : std::uint8_t { accept, accept_and_evict, reject };

struct AdmissionDecision {
  AdmissionAnswer answer = AdmissionAnswer::reject;
  std::string why = {};                     // of reject, for people
  std::optional<std::uint64_t> evict = {};  // the candidate's id
};

// Regular peers may use what is not reserved, whatever masternodes leave free.
[[nodiscard]] std::size_t regular_slots(const SlotPolicy& policy);

[[nodiscard]] AdmissionDecision admit(const AdmissionRequest& request,
                                      std::span<const EvictionCandidate> candidates,
                                      const SlotPolicy& policy);

// The worst of the candidates, none where there is none. The order: no handshake yet; most
// violations; the network group with most connections; the least healthy; youngest; least bytes of
// use.
[[nodiscard]] std::optional<std::uint64_t> worst(std::span<const EvictionCandidate> candidates);

}  // namespace timectl
