// What README.md shows is what happens: every ```console block is typed into a shell, command by
// command, and the output compared, with numbers, times and hashes masked. A command whose output
// depends on a state that comes a moment later is repeated until it fits, for 10 s at most.
// TIMECTL_REWRITE_GOLDEN=1 writes the real output into README.md instead.

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>

#include "tests/e2e/sandbox.h"
#include "tests/paths.h"

namespace timectl::e2e {
namespace {

using namespace std::chrono_literals;

struct Step {
  std::string command;
  std::vector<std::string> expected;
  std::size_t line = 0;  // of the command in README.md, from 0
};

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

std::vector<Step> steps_of(const std::vector<std::string>& readme) {
  std::vector<Step> steps;
  bool console = false;
  for (std::size_t i = 0; i < readme.size(); ++i) {
    const auto& line = readme[i];
    if (line.starts_with("```")) {
      console = line == "```console";
    } else if (console && line.starts_with("$ ")) {
      steps.push_back({line.substr(2), {}, i});
    } else if (console && !steps.empty()) {
      steps.back().expected.push_back(line);
    }
  }
  return steps;
}

// Typed once; the others only look, and may look again.
bool changes_something(const std::string& command) {
  static const std::regex words("\\b(add|remove|start|stop|kill|printf|mkdir)\\b");
  return std::regex_search(command, words);
}

std::string masked(const std::vector<std::string>& lines) {
  static const std::regex hash("[0-9a-f]{64}");
  static const std::regex date("[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9:.]+Z?");
  static const std::regex duration("([0-9.]+ (d|h|min|s|ms|us)\\b ?)+");
  static const std::regex number("[0-9]+([.,][0-9]+)*");
  static const std::regex space("[ \\t]+");
  std::string all;
  for (auto line : lines) {
    line = std::regex_replace(line, hash, "H");
    line = std::regex_replace(line, date, "D");
    line = std::regex_replace(line, duration, "T ");
    line = std::regex_replace(line, number, "N");
    line = std::regex_replace(line, space, " ");
    while (!line.empty() && line.back() == ' ') line.pop_back();
    all += line + "\n";
  }
  return all;
}

class Readme : public testing::Test {
 protected:
  Readme() : path_(std::string(TIMECTL_SOURCE_DIR) + "/README.md") {
    std::filesystem::create_directories(sandbox_.path() + "/home");
    std::ifstream file(path_);
    std::ostringstream text;
    text << file.rdbuf();
    lines_ = lines_of(text.str());
  }
  ~Readme() override {
    for (const char* stop : {"timectl node stop", "timectl --data-dir ~/fra1 node stop"}) {
      (void)shell(stop);
    }
  }

  std::vector<std::string> shell(const std::string& command) const {
    const auto folder = std::filesystem::path(binary()).parent_path().string();
    const auto outcome = run({"sh", "-c", command + " 2>&1"}, "",
                             {"HOME=" + sandbox_.path() + "/home",
                              "PATH=" + folder + ":" + ::getenv("PATH"), "NO_COLOR=1", "TZ=UTC"});
    auto text = outcome.out;
    const std::string home = sandbox_.path() + "/home";
    for (auto at = text.find(home); at != std::string::npos; at = text.find(home)) {
      text.replace(at, home.size(), "/home/you");
    }
    return lines_of(text);
  }

  Sandbox sandbox_;
  std::string path_;
  std::vector<std::string> lines_;
};

TEST_F(Readme, ShowsWhatHappens) {
  const auto steps = steps_of(lines_);
  ASSERT_GE(steps.size(), 8U) << "README.md has lost its tour";
  const bool rewrite = ::getenv("TIMECTL_REWRITE_GOLDEN") != nullptr;
  std::vector<std::string> rewritten;
  std::size_t copied = 0;
  for (const auto& step : steps) {
    std::vector<std::string> seen;
    const auto fits = [&] {
      seen = shell(step.command);
      return masked(seen) == masked(step.expected);
    };
    const auto patience = changes_something(step.command) ? 0s : rewrite ? 3s : 10s;
    const bool fitted = wait_for(fits, patience);
    if (!rewrite) {
      EXPECT_TRUE(fitted) << "README.md:" << step.line + 1 << ": $ " << step.command << "\nshown:\n"
                          << masked(step.expected) << "seen:\n"
                          << masked(seen);
    }
    rewritten.insert(rewritten.end(), lines_.begin() + static_cast<long>(copied),
                     lines_.begin() + static_cast<long>(step.line) + 1);
    rewritten.insert(rewritten.end(), seen.begin(), seen.end());
    copied = step.line + 1 + step.expected.size();
  }
  if (!rewrite) return;
  rewritten.insert(rewritten.end(), lines_.begin() + static_cast<long>(copied), lines_.end());
  std::ofstream out(path_);
  for (const auto& line : rewritten) out << line << "\n";
}

}  // namespace
}  // namespace timectl::e2e
