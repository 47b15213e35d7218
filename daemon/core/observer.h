#pragma once
// Observer: is it us? When this node's own timers come late, its clock jumps, its uplink is gone
// or most peers fail at once, the fault is hardly that of each peer (failures FM-X6, FM-B2; FT-N28,
// FT-N36). The node then says so once, stretches its time-outs and blames no peer. Pure bookkeeping
// of facts that the node reports; changes() gives what began and what ended, each once.

#include <array>
#include <boost/describe/enum.hpp>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/core/ip_address.h"
#include "daemon/core/policy.h"
#include "daemon/core/time.h"
#include "daemon/core/vocabulary.h"

namespace timectl {

// Sent and printed, so an enumerator is never renamed. ailment_table() says what each means.
enum class Ailment : std::uint8_t { late_timers, clock_step, uplink_down, most_peers_failing };
BOOST_DESCRIBE_ENUM(Ailment, late_timers, clock_step, uplink_down, most_peers_failing)

struct AilmentRow {
  Ailment ailment;
  std::string_view meaning;  // one sentence, for people
  std::string_view remedy;
  Severity severity;  // of its beginning
};
[[nodiscard]] std::span<const AilmentRow> ailment_table();
[[nodiscard]] const AilmentRow& ailment_row(Ailment ailment);

class Observer {
 public:
  struct Change {
    Ailment ailment = Ailment::late_timers;
    bool began = false;
    WallTime since = {};      // when it began
    std::string detail = {};  // evidence
  };
  struct Present {
    Ailment ailment = Ailment::late_timers;
    WallTime since = {};
    std::string detail = {};
  };

  // Work that was due `late` ago is done only now: this process or its host was busy or stopped.
  void late(Duration late, const ObserverPolicy& policy, Now now);
  // Both clocks, at every tick. A wall clock that runs apart from the monotonic one was set, or the
  // host slept.
  void clocks(const ObserverPolicy& policy, Now now);
  // Of the masternodes that are connected, so many have been silent for too long. The uplink is
  // blamed only where nobody else was heard within `interval` either. Again at each new look.
  void silence(std::size_t silent, std::size_t connected, Duration interval,
               const ObserverPolicy& policy, Now now);
  // A masternode's session was lost, not by our will; `connected` counts it still. One that flaps
  // counts once in a window: a single peer must not make us doubt ourselves.
  void lost(const IpAddress& ip, std::size_t connected, const ObserverPolicy& policy, Now now);
  // Bytes of a session, or a connection that we made: what a local firewall or a neighbour cannot
  // stand in for.
  void heard(Now now) {
    heard_at_ = now.mono;
    if (uplink_gone_) uplink_back(now);
  }
  void tick(const ObserverPolicy& policy, Now now);  // ends what has lasted long enough

  [[nodiscard]] bool sick() const { return !present_.empty(); }
  // The time-outs are stretched: while it is sick, and until TCP has had the time to send again
  // what an outage held up.
  [[nodiscard]] bool stretches(const ObserverPolicy& policy, Instant now) const {
    return sick() || (uplink_back_at_ && now - *uplink_back_at_ < policy.recovery);
  }
  [[nodiscard]] bool has(Ailment ailment) const;
  [[nodiscard]] const std::vector<Present>& present() const { return present_; }
  [[nodiscard]] std::vector<Change> changes();  // since the last call

 private:
  void begin(Ailment ailment, std::string detail, Now now);
  void end(Ailment ailment, std::string detail);
  void uplink_back(Now now);
  [[nodiscard]] Instant& last(Ailment ailment) { return last_[static_cast<std::size_t>(ailment)]; }

  bool uplink_gone_ = false;
  std::vector<Present> present_;  // at most one of each kind
  std::vector<Change> changes_;
  std::array<Instant, 4> last_ = {};  // when it was last seen, by ailment
  Instant heard_at_ = {};
  Instant uplink_since_ = {};
  std::optional<Instant> uplink_back_at_;
  struct Loss {
    Instant at;
    IpAddress ip;
    std::size_t connected;
  };
  std::deque<Loss> losses_;  // of the window, one for each address
  std::optional<Duration> offset_;
};

}  // namespace timectl
