#include <algorithm>
#include <limits>

#include "store/audit_rows.h"
#include "store/columns.h"

namespace timectl::store {
namespace {

constexpr std::uint64_t kRowsBetweenLooks = 1024;

std::string row_name(std::uint64_t seq) {
  return "row " + std::to_string(seq);
}

// Walks the rows in order and remembers the first one that does not fit.
class ChainCheck {
 public:
  explicit ChainCheck(const std::optional<std::string>& expected)
      : expected_(expected), expected_seen_(!expected || *expected == head_) {}

  [[nodiscard]] bool broken() const { return verdict_.first_bad_seq.has_value(); }

  void on_row(const AuditRow& row) {
    ++verdict_.rows;
    if (row.seq != seq_ + 1) {
      return fail(seq_ + 1, row_name(seq_ + 1) +
                                (row.seq == seq_ + 2
                                     ? " was removed"
                                     : " to " + std::to_string(row.seq - 1) + " were removed"));
    }
    if (row.prev_hash != head_) {
      return fail(row.seq, row_name(row.seq) +
                               " does not follow from the one before it: it was "
                               "inserted, moved here, or one of the two was altered");
    }
    if (audit_hash(row) != row.hash) {
      return fail(row.seq, row_name(row.seq) + " was altered");
    }
    seq_ = row.seq;
    head_ = row.hash;
    if (expected_ && head_ == *expected_) expected_seen_ = true;
  }
  // A row whose columns cannot even be read.
  void on_unreadable(std::int64_t seq, const std::string& why) {
    ++verdict_.rows;
    fail(seq > 0 ? static_cast<std::uint64_t>(seq) : seq_ + 1, "row was altered: " + why);
  }

  [[nodiscard]] AuditVerdict finish(const AuditHead& noted) {
    if (!broken()) compare_with_head(noted);
    if (!broken() && !expected_seen_) {
      fail(seq_ + 1, "no row has the expected head: rows after " + std::to_string(seq_) +
                         " were cut off, or the whole log was replaced");
    }
    verdict_.head = head_;
    verdict_.ok = !broken();
    return verdict_;
  }

 private:
  void compare_with_head(const AuditHead& noted) {
    if (noted.seq > seq_) {
      fail(seq_ + 1, "the rows from " + std::to_string(seq_ + 1) + " to " +
                         std::to_string(noted.seq) + " were cut off");
    } else if (noted.seq < seq_) {
      fail(noted.seq + 1, row_name(noted.seq + 1) + " was inserted: the log ended at " +
                              std::to_string(noted.seq));
    } else if (noted.hash != head_) {
      fail(std::max<std::uint64_t>(seq_, 1),
           "the last row is another one than the log's head says");
    }
  }
  void fail(std::uint64_t seq, std::string problem) {
    if (broken()) return;
    verdict_.first_bad_seq = seq;
    verdict_.problem = std::move(problem);
  }

  std::uint64_t seq_ = 0;
  std::string head_ = std::string(kHashDigits, '0');
  std::optional<std::string> expected_;
  bool expected_seen_;
  AuditVerdict verdict_ = {};
};

Result<std::optional<std::string>> normal_hash(const std::optional<std::string>& text) {
  if (!text) return std::optional<std::string>();
  std::string lower = *text;
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c; });
  if (!is_hash(lower)) {
    return Error{Code::invalid_argument,
                 "the expected head is not a hash",
                 "it has 64 hexadecimal digits",
                 {"timectl audit head"}};
  }
  return std::optional(lower);
}

}  // namespace

Result<AuditVerdict> verify_audit(Database& database, const std::optional<std::string>& head,
                                  std::stop_token stop) {
  auto expected = normal_hash(head);
  if (!expected) return expected.error();
  Connection& connection = database.connection();
  return guarded(connection, "verifying the audit log", [&]() -> Result<AuditVerdict> {
    ChainCheck check(*expected);
    std::uint64_t rows = 0;
    Query query(connection, kAllAuditRows);
    // The first step pins one state of the log; the head is read in the same one.
    const bool any = query.step();
    const AuditHead noted = read_audit_head(connection);
    for (bool more = any; more && !check.broken(); more = query.step()) {
      if (++rows % kRowsBetweenLooks == 0 && stop.stop_requested()) {
        return Error{Code::interrupted, "the verification was stopped"};
      }
      try {
        check.on_row(read_audit_row(query.row()));
      } catch (const StoreFailure& failure) {
        check.on_unreadable(query.row().getColumn(0).getInt64(), failure.error.message);
      }
    }
    return check.finish(noted);
  });
}

}  // namespace timectl::store
