#pragma once
// Reading one row of a file that may have been damaged or edited: each value is checked for type,
// range, length and word before it becomes a C++ value. What does not fit throws StoreFailure
// (database_damaged) naming table, row and column. Private to store/.

#include <SQLiteCpp/Column.h>
#include <SQLiteCpp/Statement.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "daemon/core/events.h"
#include "daemon/core/ip_address.h"
#include "daemon/core/reflect.h"
#include "daemon/core/time.h"
#include "store/connection.h"

namespace timectl::store {

inline constexpr std::int64_t kMaxMilliseconds = 253'402'300'799'999;  // end of the year 9999

[[nodiscard]] inline std::int64_t milliseconds_of(WallTime at) {
  return at.time_since_epoch().count();
}
[[nodiscard]] inline std::optional<std::int64_t> milliseconds_of(
    const std::optional<WallTime>& at) {
  return at ? std::optional(milliseconds_of(*at)) : std::nullopt;
}
// SQLite's integers are signed; a counter that large is a counter that never resets.
[[nodiscard]] inline std::int64_t bounded(std::uint64_t value) {
  constexpr auto kMax = std::numeric_limits<std::int64_t>::max();
  return value > static_cast<std::uint64_t>(kMax) ? kMax : static_cast<std::int64_t>(value);
}

class RowReader {
 public:
  // The columns are read in order. The text of the first `key_columns` names the row in an error.
  RowReader(SQLite::Statement& statement, const char* table, int key_columns = 1)
      : statement_(statement), table_(table), key_columns_(key_columns) {}

  [[nodiscard]] bool null() const { return column().isNull(); }

  [[nodiscard]] std::string text(std::size_t max_bytes) {
    const auto value = column();
    if (!value.isText()) bad("is not text");
    const auto size = static_cast<std::size_t>(value.getBytes());
    if (size > max_bytes) bad("is longer than " + std::to_string(max_bytes) + " bytes");
    std::string out(value.getText(), size);
    ++index_;
    return out;
  }
  // Text that is shown: without control characters and valid UTF-8.
  [[nodiscard]] std::string line(std::size_t max_bytes) {
    auto out = text(max_bytes);
    // Nearly all text is plain ASCII, and a million rows are read to verify the audit log.
    const bool plain =
        std::all_of(out.begin(), out.end(), [](char c) { return c >= ' ' && c <= '~'; });
    if (!plain && printable(out, max_bytes) != out) bad_last("is not printable text");
    return out;
  }
  // Borrowed until the next step of the query.
  [[nodiscard]] std::span<const std::uint8_t> blob(std::size_t min_bytes, std::size_t max_bytes) {
    const auto value = column();
    if (!value.isBlob()) bad("is not a blob");
    const auto size = static_cast<std::size_t>(value.getBytes());
    if (size < min_bytes || size > max_bytes) bad("has a wrong size: " + std::to_string(size));
    const auto* bytes = static_cast<const std::uint8_t*>(value.getBlob());
    ++index_;
    return {bytes, size};
  }
  [[nodiscard]] std::int64_t integer(std::int64_t min, std::int64_t max) {
    const auto value = column();
    if (!value.isInteger()) bad("is not an integer");
    const std::int64_t out = value.getInt64();
    if (out < min || out > max) bad("is out of range: " + std::to_string(out));
    ++index_;
    return out;
  }
  [[nodiscard]] std::uint64_t counter() {
    return static_cast<std::uint64_t>(integer(0, std::numeric_limits<std::int64_t>::max()));
  }
  [[nodiscard]] bool boolean() { return integer(0, 1) == 1; }
  [[nodiscard]] WallTime time() {
    return WallTime(std::chrono::milliseconds(integer(0, kMaxMilliseconds)));
  }
  [[nodiscard]] double real() {
    const auto value = column();
    if (!value.isFloat() || !std::isfinite(value.getDouble())) bad("is not a finite number");
    ++index_;
    return value.getDouble();
  }
  [[nodiscard]] IpAddress ip() {
    const auto written = text(64);
    auto parsed = IpAddress::parse(written);
    // Another spelling of an address would make a second row for one peer.
    if (!parsed || parsed->to_string() != written) {
      bad_last("is not an IP address in canonical form");
    }
    return *parsed;
  }
  template <class E>
  [[nodiscard]] E word() {
    const auto written = text(64);
    const auto value = value_of<E>(written);
    if (!value) {
      bad_last("holds an unknown word");
    }
    return *value;
  }
  // none for NULL, else what `read` returns: reader.optional([&] { return reader.time(); })
  template <class Read>
  [[nodiscard]] auto optional(Read&& read) -> std::optional<decltype(read())> {
    if (null()) {
      ++index_;
      return std::nullopt;
    }
    return read();
  }

  // About the column that was read last.
  [[noreturn]] void bad_last(const std::string& what) {
    --index_;
    bad(what);
  }

 private:
  [[noreturn]] void bad(const std::string& what) const {
    std::string name;
    for (int i = 0; i < key_columns_; ++i) {
      const auto key = statement_.getColumn(i);
      if (i > 0) name += '/';
      name += key.isNull()
                  ? "without a key"
                  : printable({key.getText(""), static_cast<std::size_t>(key.getBytes())}, 64);
    }
    throw StoreFailure{Error{Code::database_damaged,
                             std::string("table ") + table_ + ", row " + name + ": column `" +
                                 statement_.getColumnName(index_) + "` " + what,
                             "the file was damaged or edited by another program",
                             {"timectl db check", "timectl db restore FILE"}}};
  }

  [[nodiscard]] SQLite::Column column() const { return statement_.getColumn(index_); }
  SQLite::Statement& statement_;
  const char* table_;
  int key_columns_;
  int index_ = 0;
};

}  // namespace timectl::store
