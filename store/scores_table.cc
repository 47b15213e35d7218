// Scores over restarts, declared in samples.h. A state is one JSON text: its parts are many, read
// all at once at the start, and Score itself puts right what no evidence could have made.
#include <string>

#include "daemon/core/json.h"
#include "store/columns.h"
#include "store/connection.h"
#include "store/samples.h"

namespace timectl::store {
namespace {

constexpr std::size_t kMaxStateBytes = 4096;  // of one state; it takes a third of that at most

StoredScore read_score(SQLite::Statement& statement) {
  RowReader reader(statement, "scores");
  StoredScore score;
  score.ip = reader.ip();
  const auto text = reader.line(kMaxStateBytes);
  boost::system::error_code failed;
  const auto value = json::parse(text, failed);
  if (failed) reader.bad_last("is no JSON: " + failed.message());
  if (auto read = from_json(value, score.state, ""); !read) {
    reader.bad_last("holds no score: " + read.error().message);
  }
  return score;
}

// The oldest go: of a stranger who comes every time from another address nothing is worth knowing.
void bound_table(Connection& connection) {
  const auto excess = connection.number("SELECT count(*) FROM scores") - bounded(kMaxScores);
  if (excess <= 0) return;
  Query(connection, "DELETE FROM scores WHERE ip IN (SELECT ip FROM scores ORDER BY at LIMIT ?)")
      .bind(excess)
      .run();
}

}  // namespace

Result<void> save_scores(Database& database, std::span<const StoredScore> scores) {
  if (scores.empty()) return {};
  Connection& connection = database.connection();
  return in_transaction(connection, Sync::relaxed, "writing the scores", [&]() -> Result<void> {
    for (const auto& score : scores) {
      Query(connection, "INSERT OR REPLACE INTO scores (ip, at, state) VALUES (?, ?, ?)")
          .bind(score.ip.to_string(), milliseconds_of(score.state.at),
                json::serialize(to_json(score.state)))
          .run();
    }
    bound_table(connection);
    return {};
  });
}

Result<std::vector<StoredScore>> load_scores(Database& database) {
  Connection& connection = database.connection();
  return guarded(connection, "reading the scores", [&]() -> Result<std::vector<StoredScore>> {
    Query query(connection, "SELECT ip, state FROM scores ORDER BY at DESC LIMIT ?");
    query.bind(kMaxScores);
    std::vector<StoredScore> scores;
    while (query.step()) scores.push_back(read_score(query.row()));
    return scores;
  });
}

}  // namespace timectl::store
