#include "daemon/discovery/list_entries.h"

#include <algorithm>
#include <array>
#include <boost/json/basic_parser_impl.hpp>
#include <cmath>
#include <set>
#include <utility>

#include "daemon/core/events.h"

namespace timectl::discovery {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxDepth = 8;   // a list needs two
constexpr std::size_t kMaxKeys = 64;   // of one object; a masternode's record has about ten
constexpr std::size_t kKeptText = 96;  // an address with its port has at most 64
constexpr std::size_t kShownKeys = 5;  // of an object where the array should be
constexpr std::size_t kShownKeyBytes = 40;

// What Boost.JSON's basic_parser calls. A handler that returns false ends the parsing; the failure
// is ours then.
class EntryHandler {
 public:
  static constexpr std::size_t max_object_size = std::size_t(-1);
  static constexpr std::size_t max_array_size = std::size_t(-1);
  static constexpr std::size_t max_key_size = std::size_t(-1);
  static constexpr std::size_t max_string_size = std::size_t(-1);

  explicit EntryHandler(std::size_t max_entries) : max_entries_(max_entries) {}

  bool on_document_begin(json::error_code&) { return true; }
  bool on_document_end(json::error_code&) { return true; }
  bool on_array_begin(json::error_code& ec) { return open(ValueKind::array, ec); }
  bool on_array_end(std::size_t, json::error_code&) { return close(); }
  bool on_object_begin(json::error_code& ec) { return open(ValueKind::object, ec); }
  bool on_object_end(std::size_t, json::error_code&) { return close(); }
  bool on_key_part(std::string_view part, std::size_t, json::error_code&) {
    key_ += part;
    return true;
  }
  bool on_key(std::string_view part, std::size_t, json::error_code& ec) {
    key_ += part;
    return end_key(ec);
  }
  bool on_string_part(std::string_view part, std::size_t, json::error_code&) {
    keep(part);
    return true;
  }
  bool on_string(std::string_view part, std::size_t, json::error_code& ec) {
    keep(part);
    return scalar(ValueKind::text, ec);
  }
  bool on_number_part(std::string_view part, json::error_code&) {
    keep(part);
    return true;
  }
  bool on_int64(std::int64_t, std::string_view part, json::error_code& ec) {
    keep(part);
    return scalar(ValueKind::number, ec);
  }
  bool on_uint64(std::uint64_t, std::string_view part, json::error_code& ec) {
    keep(part);
    return scalar(ValueKind::number, ec);
  }
  // An integer that fits no 64 bits arrives here too: no field of a list needs one, and what other
  // programs make of it differs.
  bool on_double(double number, std::string_view part, json::error_code& ec) {
    keep(part);
    const bool integer = text_.find_first_of(".eE") == std::string::npos;
    if (integer || !std::isfinite(number)) return fail(FetchStep::json, "a number too large", ec);
    return scalar(ValueKind::number, ec);
  }
  bool on_bool(bool value, json::error_code& ec) {
    text_ = value ? "true" : "false";
    return scalar(ValueKind::boolean, ec);
  }
  bool on_null(json::error_code& ec) { return scalar(ValueKind::null, ec); }
  bool on_comment_part(std::string_view, json::error_code&) { return true; }
  bool on_comment(std::string_view, json::error_code&) { return true; }

  [[nodiscard]] const std::optional<FetchFailure>& failure() const { return failure_; }
  [[nodiscard]] std::optional<FetchFailure> wrong_shape() const;
  [[nodiscard]] std::vector<ListEntry> take() { return std::move(entries_); }

 private:
  struct Open {
    ValueKind kind;
    std::set<std::string> keys;
  };

  bool fail(FetchStep step, std::string message, json::error_code& ec) {
    failure_ = FetchFailure{step, std::move(message)};
    ec = json::make_error_code(json::error::exception);
    return false;
  }
  void keep(std::string_view part) {
    text_ += part.substr(0, kKeptText - std::min(kKeptText, text_.size()));
  }
  bool open(ValueKind kind, json::error_code& ec) {
    if (!value(ListValue{kind, {}}, ec)) return false;
    open_.push_back({kind, {}});
    return true;
  }
  bool close() {
    open_.pop_back();
    return true;
  }
  bool scalar(ValueKind kind, json::error_code& ec) {
    return value(ListValue{kind, std::exchange(text_, {})}, ec);
  }
  bool end_key(json::error_code& ec);
  bool value(ListValue value, json::error_code& ec);

  std::size_t max_entries_;
  std::vector<Open> open_;  // the containers around the present value, the outermost first
  std::string key_;         // of the value that comes, being read
  std::string field_;       // that key, read
  std::string text_;        // of the scalar being read
  std::optional<ValueKind> top_;
  std::vector<std::string> top_keys_;
  std::vector<ListEntry> entries_;
  std::optional<FetchFailure> failure_;
};

bool EntryHandler::end_key(json::error_code& ec) {
  field_ = std::exchange(key_, {});
  if (open_.size() == 1 && top_keys_.size() < kShownKeys) {
    top_keys_.push_back(printable(field_, kShownKeyBytes));
  }
  auto& keys = open_.back().keys;
  // Of two equal keys programs take the first or the last: nobody can say what such a list means.
  if (!keys.insert(field_).second) {
    return fail(FetchStep::json,
                "the key '" + printable(field_, kShownKeyBytes) + "' stands twice in one object",
                ec);
  }
  if (keys.size() > kMaxKeys) {
    return fail(FetchStep::json, "an object with more than 64 keys", ec);
  }
  return true;
}

bool EntryHandler::value(ListValue value, json::error_code& ec) {
  if (!top_) {
    top_ = value.kind;
    return true;
  }
  if (*top_ != ValueKind::array) return true;
  if (open_.size() == 1) {
    if (entries_.size() == max_entries_) {
      return fail(
          FetchStep::size,
          "the list has more than the " + std::to_string(max_entries_) + " entries that are read",
          ec);
    }
    entries_.push_back({std::move(value), {}, {}, {}});
  } else if (open_.size() == 2 && open_.back().kind == ValueKind::object) {
    auto& entry = entries_.back();
    if (field_ == "ip")
      entry.ip = std::move(value);
    else if (field_ == "address")
      entry.address = std::move(value);
    else if (field_ == "port")
      entry.port = std::move(value);
  }
  return true;
}

std::optional<FetchFailure> EntryHandler::wrong_shape() const {
  if (!top_ || *top_ == ValueKind::array) return std::nullopt;
  std::string what(name_of(*top_));
  if (*top_ == ValueKind::object) {
    if (top_keys_.empty()) what = "an empty object";
    for (const auto& key : top_keys_) {
      what += (&key == top_keys_.data() ? " with the keys " : ", ") + key;
    }
    if (top_keys_.size() == kShownKeys) what += ", ...";
  }
  return FetchFailure{FetchStep::shape, "the list is " + what + ", not an array of addresses"};
}

// What a body that is no JSON looks like: more useful than "syntax error".
std::string_view hint(std::string_view body) {
  struct Sign {
    std::string_view begins;
    std::string_view hint;
  };
  static constexpr std::array<Sign, 6> kSigns{{
      {"\xEF\xBB\xBF", ": it begins with a byte order mark, which JSON must not have"},
      {"\xFF\xFE", ": it looks like UTF-16, JSON is UTF-8"},
      {"\xFE\xFF", ": it looks like UTF-16, JSON is UTF-8"},
      {"\x1f\x8b", ": it is packed by gzip, which no header says"},
      {std::string_view("[\0", 2), ": it looks like UTF-16, JSON is UTF-8"},
      {std::string_view("\0[", 2), ": it looks like UTF-16, JSON is UTF-8"},
  }};
  for (const auto& sign : kSigns) {
    if (body.starts_with(sign.begins)) return sign.hint;
  }
  const auto first = body.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return ": the body is empty";
  return body[first] == '<' ? ": it looks like HTML, not JSON" : "";
}

FetchFailure at_position(std::string_view body, std::size_t offset, const std::string& what) {
  const auto before = body.substr(0, offset);
  const auto line = 1 + std::count(before.begin(), before.end(), '\n');
  const auto line_start = before.rfind('\n');  // npos + 1 is 0
  const auto column = before.size() - (line_start + 1) + 1;
  return {FetchStep::json, "not JSON in line " + std::to_string(line) + ", column " +
                               std::to_string(column) + ": " + what};
}

}  // namespace

std::string_view name_of(ValueKind kind) {
  static constexpr std::array<std::string_view, 6> kNames{"a text", "a number", "true or false",
                                                          "null",   "an array", "an object"};
  return kNames[static_cast<std::size_t>(kind)];
}

std::variant<std::vector<ListEntry>, FetchFailure> read_entries(std::string_view body,
                                                                std::size_t max_entries) {
  json::parse_options options;
  options.max_depth = kMaxDepth;
  json::basic_parser<EntryHandler> parser(options, max_entries);
  json::error_code ec;
  const auto read = parser.write_some(false, body.data(), body.size(), ec);
  auto& handler = parser.handler();
  if (const auto& failure = handler.failure()) {
    if (failure->step != FetchStep::json) return *failure;
    return at_position(body, read, failure->message);
  }
  if (ec == json::error::incomplete) {
    return at_position(body, body.size(), "it ends before the list does" + std::string(hint(body)));
  }
  if (ec) return at_position(body, read, ec.message() + std::string(hint(body)));
  if (read < body.size()) {
    return at_position(body, read, "something follows the end of the list");
  }
  if (auto failure = handler.wrong_shape()) return *std::move(failure);
  return handler.take();
}

}  // namespace timectl::discovery
