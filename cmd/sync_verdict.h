#pragma once
// What `timectl sync` says in one sentence, and what follows from it: the exit status, the command
// to try next, and what each activity means. Shared by `sync status` and `sync watch`, so that both
// say the same of the same view. Pure.

#include <span>
#include <string>
#include <string_view>

#include "cmd/output.h"
#include "daemon/control/sync_api.h"

namespace timectl::cmd {

// "in sync" + " at height 5,012, vouched for by 3 masternodes": the head is painted.
struct Sentence {
  Paint paint = Paint::plain;
  std::string head = {};
  std::string rest = {};
  [[nodiscard]] std::string text() const { return head + rest; }
};
[[nodiscard]] Sentence sentence_of(const SyncStatusView& view);

// Y4: 0 in sync, 1 behind or perhaps behind, 3 no believed height.
[[nodiscard]] int exit_of(control::SyncVerdict verdict);

// What to type next; empty where nothing is to do. `live`: a node answered.
[[nodiscard]] std::string next_command(const SyncStatusView& view, bool live);

struct ActivityRow {
  SyncActivity activity;
  std::string_view phrase;  // in a sentence: "sync is paused"
  std::string_view meaning;
  std::string_view remedy;
};
[[nodiscard]] std::span<const ActivityRow> activity_table();
[[nodiscard]] const ActivityRow& activity_row(SyncActivity activity);

// "1 block", "4,870 blocks"; "3 masternodes"
[[nodiscard]] std::string counted(std::uint64_t count, std::string_view noun);
// "5,012"; of what no chain reaches in a million years the size only: "9.2e18".
[[nodiscard]] std::string short_height(std::uint64_t height);
// For something that is only known roughly: "40 s", "16 min", "3 h 20 min", "2 d 4 h".
[[nodiscard]] std::string about(double seconds);
// "310 blocks/min", "1.5 blocks/min"
[[nodiscard]] std::string rate_text(double blocks_per_minute);

}  // namespace timectl::cmd
