#pragma once
// One line of `journalctl -o json`: the time and the message of an entry. journald gives a message
// with an escape or invalid UTF-8 as an array of byte numbers, one that is too long as null, so all
// three are read. By hand and without a tree: a day of a busy node is gigabytes of it.

#include <optional>
#include <string>
#include <string_view>

#include "daemon/core/time.h"

namespace timectl::diagnose {

struct JournalEntry {
  std::optional<WallTime> at = {};
  bool has_message = false;  // and `message` holds it
};

// Reads as much as there is of a line that was cut. Nothing where the line is no entry at all.
// `message` is overwritten and grows to at most the length of the line.
[[nodiscard]] std::optional<JournalEntry> read_journal_entry(std::string_view line,
                                                             std::string& message);

}  // namespace timectl::diagnose
