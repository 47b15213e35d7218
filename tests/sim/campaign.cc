#include "tests/sim/campaign.h"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <map>
#include <type_traits>
#include <utility>

#include "tests/sim/world.h"

namespace timectl::sim {
namespace {

using namespace std::chrono_literals;

double cpu_now() {
  timespec t{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

// What a child tells its parent, in one write of a pipe.
struct Report {
  Tally tally;
  std::uint64_t trace;
  double cpu_seconds;
  char failure[400];
};
static_assert(std::is_trivially_copyable_v<Report>);

struct Child {
  pid_t pid = -1;
  int pipe = -1;
};

Child spawn(const Schedule& schedule) {
  int ends[2] = {-1, -1};
  if (::pipe(ends) != 0) throw std::runtime_error("pipe");
  std::fflush(nullptr);
  const pid_t pid = ::fork();
  if (pid < 0) throw std::runtime_error("fork");
  if (pid == 0) {
    ::close(ends[0]);
    const Outcome outcome = run(schedule);
    Report report{outcome.tally, outcome.trace, outcome.cpu_seconds, {}};
    std::strncpy(report.failure, outcome.failure.c_str(), sizeof(report.failure) - 1);
    const auto written = ::write(ends[1], &report, sizeof(report));
    ::_exit(written == sizeof(report) ? 0 : 1);
  }
  ::close(ends[1]);
  return {pid, ends[0]};
}

Outcome collect(const Child& child) {
  Report report{};
  std::size_t got = 0;
  for (;;) {
    const auto n = ::read(child.pipe, reinterpret_cast<char*>(&report) + got, sizeof(report) - got);
    if (n <= 0) break;
    got += static_cast<std::size_t>(n);
    if (got == sizeof(report)) break;
  }
  ::close(child.pipe);
  int status = 0;
  ::waitpid(child.pid, &status, 0);
  Outcome outcome;
  if (got != sizeof(report)) {
    outcome.failure = "the process died: " +
                      (WIFSIGNALED(status) ? "signal " + std::to_string(WTERMSIG(status))
                                           : "exit " + std::to_string(WEXITSTATUS(status))) +
                      " (a CHECK of the core, see stderr)";
    return outcome;
  }
  outcome.failure = report.failure;
  outcome.tally = report.tally;
  outcome.trace = report.trace;
  outcome.cpu_seconds = report.cpu_seconds;
  return outcome;
}

}  // namespace

Outcome run(const Schedule& schedule) {
  Outcome outcome;
  const double began = cpu_now();
  World world(schedule);
  try {
    world.start_all();
    world.run(schedule.length);
  } catch (const Violation& violation) {
    outcome.failure = violation.what();
  }
  outcome.tally = world.tally();
  outcome.trace = world.trace();
  outcome.cpu_seconds = cpu_now() - began;
  return outcome;
}

Outcome run_apart(const Schedule& schedule) {
  return collect(spawn(schedule));
}

Schedule shrink(const Schedule& failing, const Run& run_one, std::size_t most_runs) {
  Schedule best = failing;
  const auto fails = [&](const Schedule& candidate) {
    if (most_runs == 0 || candidate == best) return false;
    --most_runs;
    if (run_one(candidate).failure.empty()) return false;
    best = candidate;
    return true;
  };
  // The end of the world first: each later run is shorter for it.
  for (Duration step = best.length / 2; step >= 10min;) {
    Schedule shorter = best;
    shorter.length -= step;
    std::erase_if(shorter.faults, [&](const Fault& f) { return f.at >= shorter.length; });
    if (shorter.length <= Duration::zero() || !fails(shorter)) step /= 2;
  }
  // Then its beginning: the last hours alone, moved to the front.
  for (const Duration kept : {Duration(30min), Duration(2h), Duration(6h)}) {
    Schedule later = best;
    const Duration cut = best.length - kept;
    if (cut <= Duration::zero()) break;
    std::erase_if(later.faults, [&](const Fault& f) { return f.at < cut; });
    for (Fault& f : later.faults) f.at -= cut - 2min;
    later.length = kept + 2min;
    if (fails(later)) break;
  }
  // Then faults, in chunks that get smaller (Zeller's ddmin without its complements).
  for (std::size_t chunk = std::max<std::size_t>(best.faults.size() / 2, 1);; chunk /= 2) {
    for (std::size_t from = 0; from < best.faults.size();) {
      Schedule fewer = best;
      const auto first = fewer.faults.begin() + static_cast<std::ptrdiff_t>(from);
      const std::size_t count = std::min(chunk, fewer.faults.size() - from);
      fewer.faults.erase(first, first + static_cast<std::ptrdiff_t>(count));
      if (!fails(fewer)) from += chunk;
    }
    if (chunk <= 1) break;
  }
  for (std::size_t i = 0; i < best.faults.size(); ++i) {
    for (;;) {
      Schedule milder = best;
      Fault& f = milder.faults[i];
      f.lasts = std::chrono::floor<std::chrono::milliseconds>(f.lasts / 2);
      if (f.lasts < 1s || !fails(milder)) break;
    }
  }
  return best;
}

CampaignResult campaign(const CampaignOptions& options,
                        const std::function<void(const CampaignResult&)>& progress) {
  CampaignResult result;
  std::map<std::uint64_t, Child> running;
  std::uint64_t next = options.first;
  const std::uint64_t end = options.first + options.seeds;
  const auto schedule_of = [&](std::uint64_t seed) {
    return random_schedule(seed, options.nodes, options.length);
  };
  while (next < end || !running.empty()) {
    while (next < end && running.size() < std::max<std::size_t>(options.jobs, 1)) {
      running.emplace(next, spawn(schedule_of(next)));
      ++next;
    }
    const auto oldest = running.begin();
    const std::uint64_t seed = oldest->first;
    const Outcome outcome = collect(oldest->second);
    running.erase(oldest);
    ++result.seeds;
    result.tally.add(outcome.tally);
    result.cpu_seconds += outcome.cpu_seconds;
    if (!outcome.failure.empty() && !result.finding) {
      result.finding = Finding{schedule_of(seed), outcome.failure};
      next = end;
    }
    progress(result);
  }
  return result;
}

std::string summary(const CampaignResult& r) {
  const double node_days = static_cast<double>(r.tally.node_time) / 86400;
  char line[600];
  std::snprintf(line, sizeof(line),
                "%llu seeds, %.0f node-days, %.0f node-days a minute and core, %llu events, "
                "%llu sessions, %llu lost to faults, %llu dials (at most %llu a minute to one "
                "target), %llu strangers, %llu waits for a hard row",
                static_cast<unsigned long long>(r.seeds), node_days,
                r.cpu_seconds > 0 ? node_days * 60 / r.cpu_seconds : 0.0,
                static_cast<unsigned long long>(r.tally.events),
                static_cast<unsigned long long>(r.tally.sessions),
                static_cast<unsigned long long>(r.tally.sessions_lost),
                static_cast<unsigned long long>(r.tally.dials),
                static_cast<unsigned long long>(r.tally.most_dials_a_minute),
                static_cast<unsigned long long>(r.tally.strangers),
                static_cast<unsigned long long>(r.tally.hard_waits));
  return line;
}

}  // namespace timectl::sim
