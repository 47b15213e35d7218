#pragma once
// How `timectl diagnose log` says what it found: the sentence, the ranked table, then each cause
// with its times, peers, remedy and lines. Pure; shown by cmd/diagnose_log.cc.

#include <string>

#include "cmd/output.h"
#include "cmd/sync_verdict.h"
#include "daemon/diagnose/log_book.h"

namespace timectl::cmd {

[[nodiscard]] Sentence sentence_of(const Output& out, const diagnose::LogReport& report);
// 0 no cause, 1 causes up to medium, 2 high or critical ones, 3 no line of it is timed's.
[[nodiscard]] int exit_of(const diagnose::LogReport& report);

enum class Details : std::uint8_t { main_causes, all };
[[nodiscard]] std::string log_page(const Output& out, const diagnose::LogReport& report,
                                   Details details);
// One line for a sign that appears while a log is followed.
[[nodiscard]] std::string sign_line(const Output& out, const diagnose::Sign& sign,
                                    const diagnose::Mode& mode, std::uint64_t count);

}  // namespace timectl::cmd
