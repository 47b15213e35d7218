#pragma once
// Rows of samples, to and from the file, in its units (migrations.cc): whole numbers, small and
// checked. Also the arithmetic of steps in minutes since 1970. Private to store/.

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "daemon/core/samples.h"
#include "store/connection.h"

namespace timectl::store {

using Minute = std::int64_t;  // since 1970

inline constexpr std::array kSteps{SampleStep::five_minutes, SampleStep::hour, SampleStep::day};
inline constexpr Minute kMaxMinute = 253'402'300'799'999 / 60'000;  // end of the year 9999

[[nodiscard]] constexpr Minute minutes_of(SampleStep step) {
  return std::chrono::duration_cast<std::chrono::minutes>(length_of(step)).count();
}
// The step below, whose rows make up one of this.
[[nodiscard]] constexpr SampleStep below(SampleStep step) {
  return step == SampleStep::day ? SampleStep::hour : SampleStep::five_minutes;
}
// The beginning of the step that a minute is in, and of the one after it unless it is a beginning.
[[nodiscard]] constexpr Minute floor_to(SampleStep step, Minute minute) {
  return minute - minute % minutes_of(step);
}
[[nodiscard]] constexpr Minute ceil_to(SampleStep step, Minute minute) {
  return floor_to(step, minute + minutes_of(step) - 1);
}
// The minute that a time is in, within what the file holds.
[[nodiscard]] Minute minute_of(WallTime at);
[[nodiscard]] WallTime time_of(Minute minute);

// All columns in the order of read_...(); `rest` begins with " WHERE".
[[nodiscard]] SQLite::Statement select_peer_samples(Connection& connection, const char* rest);
[[nodiscard]] SQLite::Statement select_node_samples(Connection& connection, const char* rest);

// Throw StoreFailure naming the row (step/minute/ip) and column that does not fit.
[[nodiscard]] PeerSample read_peer_sample(SQLite::Statement& statement);
[[nodiscard]] NodeSample read_node_sample(SQLite::Statement& statement);

// Inserts, or replaces a row that was looked at for no longer than this one: the present step only
// grows, and neither a clock that went back nor a sum of what retention left over takes anything
// away. Whatever the caller hands over is brought into range.
void write_sample(Connection& connection, SampleStep step, const PeerSample& sample);
void write_sample(Connection& connection, SampleStep step, const NodeSample& sample);

// From this minute on the rows of a step are kept whole; 0: from the beginning.
[[nodiscard]] Minute kept_since(Connection& connection, SampleStep step);

// What is older than `keep` is before this: older by the clock, and with as many days recorded
// after it. A clock that is wrong by a year for an hour ages nothing by more than that hour, and
// after a stop of months what was before it goes as days are recorded. 0: nothing is so old.
[[nodiscard]] Minute aged_before(Connection& connection, Duration keep, WallTime now);

}  // namespace timectl::store
