// timectl_sim: the simulation from the command line; `./dev sim` calls it. Exit status: 0 nothing
// found, 1 a promise was broken (the seed and its shortest schedule are printed), 64 usage.
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

#include "tests/sim/campaign.h"
#include "tests/sim/detection.h"

namespace timectl::sim {
namespace {

constexpr std::size_t kShrinkRuns = 400;

int usage() {
  std::cerr << "usage: timectl_sim [--seeds N] [--hours H] [--nodes 20] [--first SEED] [--jobs J]\n"
               "       timectl_sim --replay FILE      one schedule, as a failure prints it\n"
               "       timectl_sim --quiet HOURS      without any fault: the speed\n"
               "       timectl_sim --detect           the table of docs/detection.md\n"
               "       timectl_sim --silences         the TCP model against faults.md\n";
  return 64;
}

int replay(const std::string& file) {
  std::ifstream in(file);
  std::stringstream text;
  text << in.rdbuf();
  const auto schedule = parse_schedule(text.str());
  if (!schedule) {
    std::cerr << schedule.error().message << '\n';
    return 64;
  }
  const Outcome outcome = run(*schedule);
  std::cout << (outcome.failure.empty() ? "nothing failed" : outcome.failure) << "; trace "
            << outcome.trace << '\n';
  return outcome.failure.empty() ? 0 : 1;
}

int quiet(std::uint16_t nodes, double hours) {
  Schedule schedule;
  schedule.nodes = nodes;
  schedule.length = Duration(static_cast<Duration::rep>(hours * 3.6e9));
  CampaignResult result;
  const Outcome outcome = run(schedule);
  result.seeds = 1;
  result.tally = outcome.tally;
  result.cpu_seconds = outcome.cpu_seconds;
  std::cout << outcome.failure << summary(result) << '\n';
  return outcome.failure.empty() ? 0 : 1;
}

int go(const CampaignOptions& options) {
  std::cerr << "seeds " << options.first << " to " << options.first + options.seeds - 1 << ", "
            << options.nodes << " nodes, " << human_duration(options.length) << " each\n";
  const CampaignResult result = campaign(options, [&](const CampaignResult& so_far) {
    if (so_far.seeds % 10 == 0) std::cerr << so_far.seeds << " of " << options.seeds << " done\n";
  });
  if (result.finding) {
    const Finding& found = *result.finding;
    std::cout << "seed " << found.schedule.seed << " FAILED: " << found.failure << '\n'
              << "making it smaller ..." << std::endl;
    const Schedule small = shrink(found.schedule, run_apart, kShrinkRuns);
    std::cout << "still fails: " << run_apart(small).failure << '\n'
              << "# timectl_sim --replay FILE with these lines:\n"
              << to_text(small);
  }
  std::cout << summary(result) << (result.finding ? ": FAILED" : ": clean") << '\n';
  return result.finding ? 1 : 0;
}

int main_of(const std::vector<std::string>& args) {
  CampaignOptions options;
  for (std::size_t i = 0; i < args.size(); ++i) {
    const std::string& a = args[i];
    if (a == "--detect") return detect(std::cout);
    if (a == "--silences") return silences(std::cout);
    if (i + 1 == args.size()) return usage();
    const std::string& value = args[++i];
    char* rest = nullptr;
    const double number = std::strtod(value.c_str(), &rest);
    if (a == "--replay") return replay(value);
    if (*rest != '\0' || number < 0) return usage();
    if (a == "--seeds") {
      options.seeds = static_cast<std::uint64_t>(number);
    } else if (a == "--first") {
      options.first = static_cast<std::uint64_t>(number);
    } else if (a == "--hours") {
      options.length = Duration(static_cast<Duration::rep>(number * 3.6e9));
    } else if (a == "--jobs") {
      options.jobs = static_cast<std::size_t>(number);
    } else if (a == "--nodes" && number >= 2 && number <= 1000) {
      options.nodes = static_cast<std::uint16_t>(number);
    } else if (a == "--quiet") {
      return quiet(options.nodes, number);
    } else {
      return usage();
    }
  }
  return go(options);
}

}  // namespace
}  // namespace timectl::sim

int main(int argc, char** argv) {
  return timectl::sim::main_of({argv + 1, argv + argc});
}
