// World: what a schedule does to it, and which pairs are in trouble because of it.
#include <algorithm>

#include "tests/sim/world.h"

namespace timectl::sim {
namespace {

using namespace std::chrono_literals;

bool is_path_fault(FaultKind kind) {
  switch (kind) {
    case FaultKind::cut:
    case FaultKind::part:
    case FaultKind::isolate:
    case FaultKind::split:
    case FaultKind::loss:
    case FaultKind::noise:
    case FaultKind::jitter:
      return true;
    default:
      return false;
  }
}

Duration step_of(const Fault& fault) {
  if (fault.kind == FaultKind::crash_loop) return 1s * std::max<std::int64_t>(1, fault.amount);
  return Duration(60s) / std::max<std::int64_t>(1, fault.amount);
}

// Whether the fault concerns packets from one node to another.
bool concerns(const Fault& f, std::uint16_t from, std::uint16_t to) {
  switch (f.kind) {
    case FaultKind::cut:
      return f.a == from && f.b == to;
    case FaultKind::part:
    case FaultKind::loss:
    case FaultKind::impostor:
      return (f.a == from && f.b == to) || (f.a == to && f.b == from);
    case FaultKind::split:
      return (from < f.a) != (to < f.a);
    case FaultKind::step:
    case FaultKind::flood:
      return false;
    default:
      return f.a == from || f.a == to;
  }
}

}  // namespace

void World::trouble(const Fault& fault, bool begins) {
  for (std::uint16_t a = 0; a < size(); ++a) {
    for (std::uint16_t b = static_cast<std::uint16_t>(a + 1); b < size(); ++b) {
      if (!concerns(fault, a, b) && !concerns(fault, b, a)) continue;
      checks_.touch(now_, a, b, hurts(fault), begins);
    }
  }
}

void World::refresh_paths() {
  paths_ = quiet_paths_;
  for (std::size_t i = 0; i < faults_.size(); ++i) {
    const Fault& f = faults_[i];
    if (!active_[i] || !is_path_fault(f.kind)) continue;
    for (std::uint16_t from = 0; from < size(); ++from) {
      for (std::uint16_t to = 0; to < size(); ++to) {
        if (from == to || !concerns(f, from, to)) continue;
        Path& p = path(from, to);
        if (f.kind == FaultKind::loss || f.kind == FaultKind::noise) {
          p.loss = 1 - (1 - p.loss) * (1 - static_cast<double>(f.amount) / 100);
        } else if (f.kind == FaultKind::jitter) {
          p.jitter = std::max<Duration>(p.jitter, 1ms * f.amount);
        } else {
          p.cut = true;
        }
      }
    }
  }
}

void World::fault_begins(std::size_t index) {
  const Fault f = faults_[index];
  const auto number = static_cast<std::uint32_t>(index);
  active_[index] = true;
  trouble(f, true);
  note(index + 3000);
  push(now_ + f.lasts, {.kind = Kind::fault_ends, .wire = number});
  Box& box = boxes_[std::min<std::size_t>(f.a, boxes_.size() - 1)];
  switch (f.kind) {
    case FaultKind::kill:
      ++box.down;
      return kill(f.a);
    case FaultKind::power:
      ++box.down;
      return power_cut(f.a);
    case FaultKind::sleep:
      if (running(f.a)) box.sleepers.push_back(number);
      return;
    case FaultKind::slow:
      box.service = 1ms * f.amount;
      return;
    case FaultKind::mute:
      ++box.mute;
      return;
    case FaultKind::step:
      box.wall_offset += 1s * f.amount;
      checks_.clock_stepped(f.a);
      return;
    case FaultKind::flood:
    case FaultKind::impostor:
    case FaultKind::crash_loop:
      return fault_step(index);
    default:
      return refresh_paths();
  }
}

void World::fault_ends(std::size_t index) {
  const Fault f = faults_[index];
  active_[index] = false;
  note(index + 4000);
  Box& box = boxes_[std::min<std::size_t>(f.a, boxes_.size() - 1)];
  switch (f.kind) {
    case FaultKind::kill:
    case FaultKind::power:
      if (--box.down == 0) start(f.a);
      break;
    case FaultKind::sleep:
      if (std::erase(box.sleepers, static_cast<std::uint32_t>(index)) > 0) wake(f.a);
      break;
    case FaultKind::slow:
      box.service = {};
      break;
    case FaultKind::mute:
      --box.mute;
      break;
    default:
      if (is_path_fault(f.kind)) refresh_paths();
      break;
  }
  trouble(f, false);
}

void World::fault_step(std::size_t index) {
  if (!active_[index]) return;
  const Fault f = faults_[index];
  if (f.kind != FaultKind::crash_loop) {
    flood_once(f);
  } else if (running(f.a) && boxes_[f.a].down == 0) {
    kill(f.a);
    start(f.a);
  }
  push(now_ + step_of(f), {.kind = Kind::fault_step, .wire = static_cast<std::uint32_t>(index)});
}

}  // namespace timectl::sim
