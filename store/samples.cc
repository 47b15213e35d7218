#include "store/samples.h"

#include <SQLiteCpp/VariadicBind.h>

#include <algorithm>
#include <map>
#include <set>

#include "store/connection.h"
#include "store/open_sessions.h"
#include "store/peer_history.h"
#include "store/sample_rows.h"

namespace timectl::store {
namespace {

// The hour and the day of a step that was written are to be summed (again).
void mark(Connection& connection, WallTime at) {
  for (const auto step : {SampleStep::hour, SampleStep::day}) {
    Query(connection,
          "INSERT INTO sample_pending (step, minute, done_to) VALUES (?, ?, '')"
          " ON CONFLICT (step, minute) DO UPDATE SET done_to = '' WHERE done_to <> ''")
        .bind(minutes_of(step), floor_to(step, minute_of(at)))
        .run();
  }
}

// The rows of steps that end after `since` and begin before `until`.
struct Bounds {
  Minute first = 0;
  Minute last = kMaxMinute;
};
Bounds bounds_of(const SampleFilter& filter) {
  Bounds bounds;
  if (filter.since) bounds.first = floor_to(filter.step, minute_of(*filter.since));
  if (filter.until) {
    // A step that begins at `until` itself is not before it.
    bounds.last = minute_of(*filter.until - std::chrono::milliseconds(1));
    if (*filter.until <= WallTime{}) bounds.last = -1;
  }
  return bounds;
}

std::int64_t limit_of(const SampleFilter& filter) {
  return static_cast<std::int64_t>(std::clamp<std::size_t>(filter.limit, 1, kMaxHistoryLimit));
}

// The step to look into for a time: the finest whose rows are still kept there.
SampleStep finest_at(Connection& connection, Minute minute) {
  for (const auto step : {SampleStep::five_minutes, SampleStep::hour}) {
    if (minute >= kept_since(connection, step)) return step;
  }
  return SampleStep::day;
}

// Steps that begin at or before `at` and ended no longer than `within` before it.
struct Moment {
  SampleStep step = SampleStep::five_minutes;
  Bounds bounds = {};
};
Moment moment_of(Connection& connection, WallTime at, Duration within) {
  const auto back = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::clamp(within, Duration{}, Duration(std::chrono::hours(24 * 366))));
  Moment moment;
  moment.step = finest_at(connection, minute_of(at));
  const auto length = std::chrono::duration_cast<std::chrono::milliseconds>(length_of(moment.step));
  constexpr std::chrono::milliseconds kUp(59'999);  // to a whole minute
  moment.bounds.first = minute_of(at - back - length + kUp);
  moment.bounds.last = at < WallTime{} ? -1 : minute_of(at);
  return moment;
}

}  // namespace

Result<void> put_samples(Database& database, std::span<const PeerSample> peers,
                         std::span<const NodeSample> nodes, std::span<const SessionRecord> open) {
  Connection& connection = database.connection();
  return in_transaction(connection, Sync::relaxed, "writing the samples", [&]() -> Result<void> {
    std::set<WallTime> steps;
    for (const auto& sample : peers) {
      write_sample(connection, SampleStep::five_minutes, sample);
      steps.insert(step_of(SampleStep::five_minutes, sample.at));
    }
    for (const auto& sample : nodes) {
      write_sample(connection, SampleStep::five_minutes, sample);
      steps.insert(step_of(SampleStep::five_minutes, sample.at));
    }
    for (const auto& at : steps) mark(connection, at);
    replace_open_sessions(connection, open);
    return {};
  });
}

Result<std::vector<PeerSample>> list_peer_samples(Database& database, const SampleFilter& filter) {
  Connection& connection = database.connection();
  return guarded(connection, "reading the samples", [&]() -> Result<std::vector<PeerSample>> {
    const auto bounds = bounds_of(filter);
    auto statement = select_peer_samples(
        connection, filter.ip ? " WHERE step = ?1 AND minute BETWEEN ?2 AND ?3 AND ip = ?5"
                                " ORDER BY minute DESC LIMIT ?4"
                              : " WHERE step = ?1 AND minute BETWEEN ?2 AND ?3"
                                " ORDER BY minute DESC, ip DESC LIMIT ?4");
    SQLite::bind(statement, minutes_of(filter.step), bounds.first, bounds.last, limit_of(filter));
    if (filter.ip) statement.bind(5, filter.ip->to_string());
    std::vector<PeerSample> samples;
    while (statement.executeStep()) samples.push_back(read_peer_sample(statement));
    std::reverse(samples.begin(), samples.end());
    return samples;
  });
}

Result<std::vector<NodeSample>> list_node_samples(Database& database, const SampleFilter& filter) {
  Connection& connection = database.connection();
  return guarded(connection, "reading the samples", [&]() -> Result<std::vector<NodeSample>> {
    const auto bounds = bounds_of(filter);
    auto statement = select_node_samples(
        connection, " WHERE step = ? AND minute BETWEEN ? AND ? ORDER BY minute DESC LIMIT ?");
    SQLite::bind(statement, minutes_of(filter.step), bounds.first, bounds.last, limit_of(filter));
    std::vector<NodeSample> samples;
    while (statement.executeStep()) samples.push_back(read_node_sample(statement));
    std::reverse(samples.begin(), samples.end());
    return samples;
  });
}

Result<SampleStep> step_kept_at(Database& database, WallTime at) {
  Connection& connection = database.connection();
  return guarded(connection, "reading the samples",
                 [&]() -> Result<SampleStep> { return finest_at(connection, minute_of(at)); });
}

Result<std::vector<PeerSample>> peer_samples_at(Database& database, WallTime at, Duration within) {
  Connection& connection = database.connection();
  return guarded(connection, "reading the samples", [&]() -> Result<std::vector<PeerSample>> {
    const auto moment = moment_of(connection, at, within);
    auto statement = select_peer_samples(
        connection, " WHERE step = ? AND minute BETWEEN ? AND ? ORDER BY minute DESC LIMIT ?");
    SQLite::bind(statement, minutes_of(moment.step), moment.bounds.first, moment.bounds.last,
                 static_cast<std::int64_t>(kMaxHistoryLimit));
    std::map<IpAddress, PeerSample> last;
    while (statement.executeStep()) {
      const auto sample = read_peer_sample(statement);
      last.try_emplace(sample.ip, sample);
    }
    std::vector<PeerSample> samples;
    samples.reserve(last.size());
    for (const auto& [ip, sample] : last) samples.push_back(sample);
    return samples;
  });
}

Result<std::optional<NodeSample>> node_sample_at(Database& database, WallTime at, Duration within) {
  Connection& connection = database.connection();
  return guarded(connection, "reading the samples", [&]() -> Result<std::optional<NodeSample>> {
    const auto moment = moment_of(connection, at, within);
    auto statement = select_node_samples(
        connection, " WHERE step = ? AND minute BETWEEN ? AND ? ORDER BY minute DESC LIMIT 1");
    SQLite::bind(statement, minutes_of(moment.step), moment.bounds.first, moment.bounds.last);
    if (!statement.executeStep()) return std::optional<NodeSample>();
    return std::optional(read_node_sample(statement));
  });
}

}  // namespace timectl::store
