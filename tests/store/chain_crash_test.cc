// kill -9 in the middle of storing, of building a branch and of changing over to it: what was
// confirmed is there, the chain is continuous, and a change over is whole or has not happened.
#include <gtest/gtest.h>

#include <chrono>
#include <iostream>
#include <random>

#include "daemon/core/random.h"
#include "tests/store/chain_directory.h"

namespace timectl::store {
namespace {

constexpr char kBegun = 'b';
constexpr char kDone = 'd';

enum class Kind { append, stage, reorganise };

// One transaction, and what the file holds after it.
struct Step {
  Kind kind = Kind::append;
  BlocksToStore blocks{{}};
  chain::Height ancestor = 0;
  chain::ChainTip tip;
  std::optional<chain::ChainTip> staged;
};

// Rounds of two appends, three pieces of a branch that parts six blocks below, and the change over
// to it. The next round goes on from the branch.
class Script {
 public:
  explicit Script(std::size_t rounds) : file_tip_{chain::genesis_parent(wire::Network::testnet)} {
    ChainMaker maker({.block_size = 600, .masternodes = 2, .sign = false});
    for (std::size_t round = 0; round < rounds; ++round) {
      append(maker.next(4));
      ChainMaker side = maker.branch(1000 + round);
      append(maker.next(6));
      const chain::Height ancestor = side.tip().height;
      for (int piece = 0; piece < 3; ++piece) stage(side.next(5));
      reorganise(ancestor);
      maker = side;
    }
  }
  [[nodiscard]] const std::vector<Step>& steps() const { return steps_; }
  // The bytes of every block that was ever made.
  [[nodiscard]] const std::map<wire::Hash32, std::vector<std::uint8_t>>& made() const {
    return made_;
  }

 private:
  void append(std::vector<std::vector<std::uint8_t>> raw) {
    add(Kind::append, std::move(raw));
    file_tip_ = steps_.back().tip;
  }
  void stage(std::vector<std::vector<std::uint8_t>> raw) { add(Kind::stage, std::move(raw)); }
  void reorganise(chain::Height ancestor) {
    Step& step = steps_.emplace_back();
    step.kind = Kind::reorganise;
    step.ancestor = ancestor;
    file_tip_ = step.tip = *staged_;
    staged_.reset();
  }
  void add(Kind kind, std::vector<std::vector<std::uint8_t>> raw) {
    Step& step = steps_.emplace_back();
    step.kind = kind;
    step.blocks = BlocksToStore(std::move(raw));
    for (const auto& block : step.blocks.blocks()) {
      made_[block.hash] = {block.raw.begin(), block.raw.end()};
    }
    const auto last = step.blocks.tip_of(step.blocks.blocks().size() - 1);
    if (kind == Kind::stage) staged_ = last;
    step.tip = kind == Kind::append ? last : file_tip_;
    step.staged = staged_;
  }

  std::vector<Step> steps_;
  std::map<wire::Hash32, std::vector<std::uint8_t>> made_;
  chain::ChainTip file_tip_;
  std::optional<chain::ChainTip> staged_;
};

void say(int pipe, char what) {
  if (::write(pipe, &what, 1) != 1) ::_exit(3);
}

// From step `next` on up to `end`; of each the pipe says that it begins and that it is done.
[[noreturn]] void work_until_killed(const ChainDirectory& directory, const Script& script,
                                    std::size_t next, std::size_t end, int confirmations) {
  auto file = directory.open();
  if (!file) ::_exit(1);
  for (; next < end; ++next) {
    const Step& step = script.steps()[next];
    bool done = false;
    say(confirmations, kBegun);
    switch (step.kind) {
      case Kind::append:
        done = file->append(step.blocks.blocks()).has_value();
        break;
      case Kind::stage:
        done = file->stage(step.blocks.blocks()).has_value();
        break;
      case Kind::reorganise:
        done = file->reorganise(step.ancestor).has_value();
        break;
    }
    if (!done) ::_exit(2);
    say(confirmations, kDone);
  }
  for (;;) ::pause();  // the kill is late
}

// How many steps are done, by what the file holds; none where no sequence of whole steps gives it.
std::optional<std::size_t> steps_done(const ChainFile& file, const Script& script) {
  if (file.tip().block.height == 0) return 0;
  const auto staged = file.staged_tip().value();
  for (std::size_t i = 0; i < script.steps().size(); ++i) {
    const Step& step = script.steps()[i];
    if (step.tip == file.tip() && step.staged == staged) return i + 1;
  }
  return std::nullopt;
}

void expect_as_made(const ChainFile& file, const Script& script) {
  expect_continuous(file);
  for (chain::Height height = 1; height <= file.tip().block.height; ++height) {
    const auto made = script.made().find(file.hash_at(height).value());
    ASSERT_NE(made, script.made().end());
    ASSERT_EQ(file.bodies(height, height, 0).at(0), made->second);
  }
}

TEST(ChainCrash, KillInTheMiddleOfStoringAndChangingOverLosesNothingAndTearsNothing) {
  constexpr std::size_t kKills = 30;
  constexpr std::uint64_t kMostSteps = 16;  // before a kill; up to five more for a change over
  constexpr std::size_t kAhead = 6;         // steps that may be done until it comes
  constexpr std::uint64_t kMostMicroseconds = 400;  // about what a step takes
  using Clock = std::chrono::steady_clock;
  const std::uint64_t seed = std::random_device()();
  std::cout << "seed " << seed << "\n";
  Random random(seed);
  const Script script(kKills * (kMostSteps + 5 + kAhead) / 6 + 1);
  const ChainDirectory directory;
  std::size_t present = 0;
  for (std::size_t kill = 0; kill < kKills; ++kill) {
    int pipe_ends[2];
    ASSERT_EQ(::pipe(pipe_ends), 0);
    // The step to be killed in; every other time a change over.
    std::size_t aim = present + random.below(kMostSteps);
    while (kill % 2 == 0 && script.steps()[aim].kind != Kind::reorganise) ++aim;
    const pid_t child = ::fork();
    if (child == 0) work_until_killed(directory, script, present, aim + kAhead, pipe_ends[1]);
    ::close(pipe_ends[1]);
    std::size_t begun = 0;
    std::size_t confirmed = 0;
    char byte = 0;
    while (present + begun <= aim && ::read(pipe_ends[0], &byte, 1) == 1) {
      ++(byte == kBegun ? begun : confirmed);
    }
    const auto until = Clock::now() + std::chrono::microseconds(random.below(kMostMicroseconds));
    while (Clock::now() < until) {
    }
    ::kill(child, SIGKILL);
    while (::read(pipe_ends[0], &byte, 1) == 1) confirmed += byte == kDone ? 1 : 0;
    ::close(pipe_ends[0]);
    int status = 0;
    ::waitpid(child, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status)) << "left with " << WEXITSTATUS(status);

    auto file = directory.open();
    ASSERT_TRUE(file) << said(file.error());
    const auto done = steps_done(*file, script);
    ASSERT_TRUE(done) << "a step is there in part, tip " << file->tip().block.height;
    EXPECT_GE(*done, present + confirmed) << "a confirmed step was lost";
    EXPECT_LE(*done, present + confirmed + 1);
    expect_as_made(*file, script);
    if (HasFatalFailure()) return;
    present = *done;
  }
  EXPECT_GT(present, kKills) << "it came forward";
  EXPECT_EQ(directory.number("SELECT count(*) FROM branch_block"),
            directory.number("SELECT sum(kept) FROM branch"));
}

TEST(ChainCrash, AKilledCreationIsBegunAnew) {
  const ChainDirectory directory;
  write_bytes(directory.file().string() + ".new", "half a database");
  write_bytes(directory.file().string() + ".new-wal", "and its log");
  auto file = directory.open();
  ASSERT_TRUE(file) << said(file.error());
  EXPECT_FALSE(std::filesystem::exists(directory.file().string() + ".new"));
}

}  // namespace
}  // namespace timectl::store
