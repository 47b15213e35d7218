#include "tests/sim/fault.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <sstream>

#include "daemon/core/reflect.h"

namespace timectl::sim {
namespace {

using namespace std::chrono_literals;

// Loss in per cent below which no session may be lost (FT-N3), and how long a process may stand
// still without being missed: well under the 180 s of a masternode, even twice in a row.
constexpr std::int64_t kHarmlessLoss = 10;
constexpr Duration kHarmlessSleep = 60s;
constexpr std::int64_t kHarmlessJitter = 1000;
constexpr std::int64_t kHarmlessService = 100;

struct Likely {
  FaultKind kind;
  unsigned weight;
};
constexpr auto kMix = std::to_array<Likely>({
    {FaultKind::cut, 10},
    {FaultKind::part, 10},
    {FaultKind::isolate, 8},
    {FaultKind::split, 3},
    {FaultKind::loss, 8},
    {FaultKind::noise, 5},
    {FaultKind::jitter, 5},
    {FaultKind::kill, 10},
    {FaultKind::power, 8},
    {FaultKind::crash_loop, 2},
    {FaultKind::sleep, 8},
    {FaultKind::slow, 4},
    {FaultKind::mute, 3},
    {FaultKind::step, 6},
    {FaultKind::flood, 5},
    {FaultKind::impostor, 4},
});

FaultKind pick_kind(Random& random) {
  unsigned sum = 0;
  for (const Likely& l : kMix) sum += l.weight;
  auto at = static_cast<unsigned>(random.below(sum));
  for (const Likely& l : kMix) {
    if (at < l.weight) return l.kind;
    at -= l.weight;
  }
  return FaultKind::part;
}

std::int64_t between(Random& random, std::int64_t least, std::int64_t most) {
  return least +
         static_cast<std::int64_t>(random.below(static_cast<std::size_t>(most - least + 1)));
}

// 1 s to half an hour, as many below a minute as above.
Duration some_time(Random& random) {
  const double s = std::exp(random.unit() * std::log(1800.0));
  return std::chrono::milliseconds(static_cast<Duration::rep>(s * 1e3));
}

Duration::rep milliseconds(Duration d) {
  return std::chrono::floor<std::chrono::milliseconds>(d).count();
}

std::int64_t pick_amount(FaultKind kind, Random& random) {
  switch (kind) {
    case FaultKind::loss:
    case FaultKind::noise:
      return between(random, 1, 40);
    case FaultKind::jitter:
      return between(random, 10, 3000);
    case FaultKind::crash_loop:
      return between(random, 1, 90);
    case FaultKind::slow:
      return between(random, 5, 200);
    case FaultKind::step:
      return between(random, -7200, 7200);
    case FaultKind::flood:
      return between(random, 5, 200);
    case FaultKind::impostor:
      return between(random, 1, 60);
    default:
      return 0;
  }
}

}  // namespace

bool hurts(const Fault& fault) {
  switch (fault.kind) {
    case FaultKind::loss:
    case FaultKind::noise:
      return fault.amount > kHarmlessLoss;
    case FaultKind::sleep:
      return fault.lasts > kHarmlessSleep;
    case FaultKind::jitter:
      return fault.amount > kHarmlessJitter;
    case FaultKind::slow:
      return fault.amount > kHarmlessService;
    case FaultKind::mute:
    case FaultKind::step:
    case FaultKind::flood:
    case FaultKind::impostor:
      return false;
    default:
      return true;
  }
}

std::string to_text(const Schedule& schedule) {
  std::ostringstream out;
  out << "seed " << schedule.seed << " nodes " << schedule.nodes << " length "
      << milliseconds(schedule.length) << "ms\n";
  for (const Fault& f : schedule.faults) {
    out << "at " << milliseconds(f.at) << "ms for " << milliseconds(f.lasts) << "ms "
        << name_of(f.kind) << ' ' << f.a << ' ' << f.b << ' ' << f.amount << '\n';
  }
  return out.str();
}

Result<Schedule> parse_schedule(std::string_view text) {
  std::istringstream in{std::string(text)};
  const auto bad = [](const std::string& line) {
    return Error{Code::invalid_argument, "not a schedule: '" + line + "'"};
  };
  Schedule schedule;
  bool head = false;
  for (std::string line; std::getline(in, line);) {
    if (line.empty() || line.front() == '#') continue;
    std::istringstream words(line);
    std::string word, unit, kind, lasts_word;
    Duration::rep at = 0;
    Duration::rep lasts = 0;
    if (!head) {
      std::string nodes_word, length_word;
      words >> word >> schedule.seed >> nodes_word >> schedule.nodes >> length_word >> at >> unit;
      if (!words || word != "seed" || unit != "ms") return bad(line);
      schedule.length = std::chrono::milliseconds(at);
      head = true;
      continue;
    }
    Fault f;
    words >> word >> at >> unit >> lasts_word >> lasts >> unit >> kind >> f.a >> f.b >> f.amount;
    const auto parsed = value_of<FaultKind>(kind);
    if (!words || word != "at" || lasts_word != "for" || !parsed) return bad(line);
    if (f.a > schedule.nodes || f.b >= schedule.nodes) return bad(line);
    f.kind = *parsed;
    f.at = std::chrono::milliseconds(at);
    f.lasts = std::chrono::milliseconds(lasts);
    schedule.faults.push_back(f);
  }
  if (!head) return bad("");
  return schedule;
}

Schedule random_schedule(std::uint64_t seed, std::uint16_t nodes, Duration length) {
  // Mixed first: neighbouring states of the generator are one stream, a step apart.
  Random random(Random(~seed).next());
  Schedule schedule;
  schedule.seed = seed;
  schedule.nodes = nodes;
  schedule.length = length;
  Duration at = 2min;
  while (at < length) {
    // Storms of faults, then an hour or so without: the heal is what is looked at.
    const Duration storm_end = at + std::chrono::minutes(between(random, 5, 60));
    const double faults_a_minute = 0.1 + 1.9 * random.unit();
    while (at < storm_end && at < length) {
      Fault f;
      f.kind = pick_kind(random);
      f.at = at;
      f.lasts = some_time(random);
      f.a = static_cast<std::uint16_t>(random.below(nodes));
      f.b = static_cast<std::uint16_t>((f.a + 1 + random.below(nodes - 1U)) % nodes);
      f.amount = pick_amount(f.kind, random);
      if (f.kind == FaultKind::flood) f.b = static_cast<std::uint16_t>(random.below(5));
      if (f.kind == FaultKind::split)
        f.a = static_cast<std::uint16_t>(between(random, 1, nodes - 1));
      if (f.kind == FaultKind::crash_loop) f.lasts = std::min<Duration>(f.lasts, 10min);
      schedule.faults.push_back(f);
      at += std::chrono::milliseconds(
          static_cast<Duration::rep>(-std::log(1 - random.unit()) * 60e3 / faults_a_minute));
    }
    at = std::max(at, storm_end) + std::chrono::minutes(between(random, 10, 90));
  }
  return schedule;
}

}  // namespace timectl::sim
