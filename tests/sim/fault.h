#pragma once
// Fault: what goes wrong in a simulated network, as plain data. A schedule of them can be printed,
// read back and shortened, so that what a random campaign finds becomes three lines of text.

#include <boost/describe/enum.hpp>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/core/random.h"
#include "daemon/core/result.h"
#include "daemon/core/time.h"

namespace timectl::sim {

// What `a`, `b` and `amount` mean is said behind each.
enum class FaultKind : std::uint8_t {
  cut,         // nothing gets from a to b; the other way works
  part,        // nothing gets through between a and b
  isolate,     // a has no network
  split,       // nodes below a and the others do not see each other
  loss,        // between a and b, amount per cent of the packets each way
  noise,       // the same on all paths of a
  jitter,      // on all paths of a, up to amount milliseconds
  kill,        // the process of a dies; it is started again at the end
  power,       // the host of a loses power; it boots at the end
  crash_loop,  // the process of a dies every amount seconds and is started at once
  sleep,       // the process of a is stopped (SIGSTOP) and goes on at the end
  slow,        // a needs amount milliseconds for each message
  mute,        // a answers no ping, but goes on to send its own
  step,        // the wall clock of a jumps by amount seconds
  flood,       // amount connections a minute by strangers to a, with b as their behaviour
  impostor,    // amount connections a minute to a from the address of b
};
BOOST_DESCRIBE_ENUM(FaultKind, cut, part, isolate, split, loss, noise, jitter, kill, power,
                    crash_loop, sleep, slow, mute, step, flood, impostor)

struct Fault {
  FaultKind kind = FaultKind::part;
  Duration at = {};
  Duration lasts = {};
  std::uint16_t a = 0;
  std::uint16_t b = 0;
  std::int64_t amount = 0;
  friend bool operator==(const Fault&, const Fault&) = default;
};

// May end sessions of masternodes; the others never may.
[[nodiscard]] bool hurts(const Fault& fault);

struct Schedule {
  std::uint64_t seed = 1;
  std::uint16_t nodes = 20;
  Duration length = std::chrono::hours(24);
  std::vector<Fault> faults = {};
  friend bool operator==(const Schedule&, const Schedule&) = default;
};

// One line for the head, one for each fault: "at 120500ms for 60000ms cut 3 7 0".
[[nodiscard]] std::string to_text(const Schedule& schedule);
[[nodiscard]] Result<Schedule> parse_schedule(std::string_view text);

// The random schedule of a campaign: a fault every two minutes or so, most of them short, with
// quiet stretches between them in which everybody must find everybody again.
[[nodiscard]] Schedule random_schedule(std::uint64_t seed, std::uint16_t nodes, Duration length);

}  // namespace timectl::sim
