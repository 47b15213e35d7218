// Sums over a period from steps of three lengths, declared in samples.h. Each minute of the period
// is covered by one step only, so nothing is counted twice.
#include <SQLiteCpp/VariadicBind.h>

#include <algorithm>
#include <map>
#include <set>

#include "store/columns.h"
#include "store/connection.h"
#include "store/sample_rows.h"
#include "store/samples.h"

namespace timectl::store {
namespace {

constexpr std::int64_t kMaxPending = 10'000;  // steps that wait for their sum: a day of them is 25

struct Stretch {
  SampleStep step = SampleStep::five_minutes;
  Minute from = 0;
  Minute to = 0;  // exclusive
};

// Which steps to read for which minutes.
class Cover {
 public:
  Cover(Connection& connection, WallTime since, WallTime until)
      : since_{0, kept_since(connection, SampleStep::five_minutes),
               kept_since(connection, SampleStep::hour)} {
    Query query(connection, "SELECT step, minute FROM sample_pending LIMIT ?");
    query.bind(kMaxPending);
    while (query.step()) {
      RowReader reader(query.row(), "sample_pending", 2);
      const auto step = reader.integer(0, minutes_of(SampleStep::day));
      pending_.emplace(step, reader.integer(0, kMaxMinute));
    }
    constexpr std::chrono::milliseconds kUp(59'999);  // to a whole minute
    const auto end = until < WallTime{std::chrono::milliseconds(kMaxMilliseconds)} - kUp
                         ? minute_of(until + kUp)
                         : kMaxMinute;
    cover(SampleStep::day, minute_of(since), end);
  }
  [[nodiscard]] const std::vector<Stretch>& stretches() const { return stretches_; }

 private:
  void add(SampleStep step, Minute from, Minute to) { stretches_.push_back({step, from, to}); }

  // The end of the whole steps from `at` on that are summed up.
  [[nodiscard]] Minute summed_to(SampleStep step, Minute at, Minute end) const {
    const auto whole = floor_to(step, end);
    const auto it = pending_.lower_bound({minutes_of(step), at});
    const bool waits = it != pending_.end() && it->first == minutes_of(step);
    return waits ? std::min(whole, it->second) : whole;
  }

  void cover(SampleStep step, Minute at, Minute end) {
    if (at >= end) return;
    if (step == SampleStep::five_minutes) {
      return add(step, floor_to(step, at), ceil_to(step, end));
    }
    while (at < end) {
      const auto begin = floor_to(step, at);
      // The steps below are gone, or going: of these all of the step counts.
      if (const auto finer = since_[static_cast<std::size_t>(step)]; begin < finer) {
        const auto to = std::min(finer, ceil_to(step, end));
        add(step, begin, to);
        at = to;
        continue;
      }
      if (const auto to = summed_to(step, at, end); at == begin && to > at) {
        add(step, at, to);
        at = to;
        continue;
      }
      const auto to = std::min(end, begin + minutes_of(step));
      cover(below(step), at, to);
      at = to;
    }
  }

  Minute since_[kSteps.size()];  // by step: from here on the rows of the step below are whole
  std::set<std::pair<std::int64_t, Minute>> pending_;
  std::vector<Stretch> stretches_;
};

constexpr const char* kWithin = " WHERE step = ? AND minute >= ? AND minute < ? ORDER BY minute";

}  // namespace

Result<std::vector<PeerSample>> sum_peer_samples(Database& database, WallTime since,
                                                 WallTime until) {
  Connection& connection = database.connection();
  return guarded(connection, "reading the samples", [&]() -> Result<std::vector<PeerSample>> {
    std::map<IpAddress, PeerSample> sums;
    const Cover cover(connection, since, until);
    for (const auto& stretch : cover.stretches()) {
      auto statement = select_peer_samples(connection, kWithin);
      SQLite::bind(statement, minutes_of(stretch.step), stretch.from, stretch.to);
      while (statement.executeStep()) {
        const auto sample = read_peer_sample(statement);
        const auto [it, first] = sums.try_emplace(sample.ip, sample);
        if (!first) it->second = merged(it->second, sample);
      }
    }
    std::vector<PeerSample> samples;
    samples.reserve(sums.size());
    for (const auto& [ip, sum] : sums) samples.push_back(sum);
    return samples;
  });
}

Result<std::optional<NodeSample>> sum_node_samples(Database& database, WallTime since,
                                                   WallTime until) {
  Connection& connection = database.connection();
  return guarded(connection, "reading the samples", [&]() -> Result<std::optional<NodeSample>> {
    std::optional<NodeSample> sum;
    const Cover cover(connection, since, until);
    for (const auto& stretch : cover.stretches()) {
      auto statement = select_node_samples(connection, kWithin);
      SQLite::bind(statement, minutes_of(stretch.step), stretch.from, stretch.to);
      while (statement.executeStep()) {
        const auto sample = read_node_sample(statement);
        sum = sum ? merged(*sum, sample) : sample;
      }
    }
    return sum;
  });
}

}  // namespace timectl::store
