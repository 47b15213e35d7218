#include "store/audit_rows.h"

#include <openssl/evp.h>

#include <array>

#include "store/columns.h"

namespace timectl::store {
namespace {

// Part of every hash: rows of another program or version can never pass for ours.
constexpr std::string_view kDomain = "timectl.audit.v1";
constexpr std::uint32_t kNull = 0xffffffffU;

// The form of docs/audit.md: each field is its length as 4 bytes, most significant first, and its
// bytes; a field without a value is ff ff ff ff alone.
class Canonical {
 public:
  void add(std::string_view field) {
    add_length(static_cast<std::uint32_t>(field.size()));
    bytes_ += field;
  }
  void add_optional(const std::optional<std::string>& field) {
    if (field) {
      add(*field);
    } else {
      add_length(kNull);
    }
  }
  [[nodiscard]] const std::string& bytes() const { return bytes_; }

 private:
  void add_length(std::uint32_t length) {
    for (const unsigned shift : {24U, 16U, 8U, 0U}) {
      bytes_ += static_cast<char>((length >> shift) & 0xffU);
    }
  }
  std::string bytes_;
};

std::optional<std::string> decimal(const std::optional<std::uint32_t>& value) {
  return value ? std::optional(std::to_string(*value)) : std::nullopt;
}

}  // namespace

std::string sha256_hex(std::string_view bytes) {
  std::array<unsigned char, 32> digest{};
  unsigned size = 0;
  TIMECTL_CHECK(
      EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_sha256(), nullptr) == 1);
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string hex;
  hex.reserve(kHashDigits);
  for (const unsigned char byte : digest) {
    hex += kHex[byte >> 4U];
    hex += kHex[byte & 0xfU];
  }
  return hex;
}

std::string audit_hash(const AuditRow& row) {
  Canonical form;
  form.add(kDomain);
  form.add(row.prev_hash);
  form.add(std::to_string(row.seq));
  form.add(rfc3339(row.at));
  form.add(row.actor);
  form.add_optional(decimal(row.uid));
  form.add(row.user);
  form.add(row.via);
  form.add(row.action);
  form.add(row.subject);
  form.add_optional(row.before);
  form.add_optional(row.after);
  form.add(row.reason);
  form.add(row.result);
  return sha256_hex(form.bytes());
}

bool is_hash(std::string_view text) {
  return text.size() == kHashDigits &&
         text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

AuditRow read_audit_row(SQLite::Statement& statement) {
  RowReader reader(statement, "audit");
  const auto json_text = [&] { return reader.line(kMaxAuditJsonBytes); };
  const auto hash = [&] {
    auto text = reader.text(kHashDigits);
    if (!is_hash(text)) reader.bad_last("is not a hash");
    return text;
  };
  AuditRow row;
  row.seq = static_cast<std::uint64_t>(reader.integer(1, std::numeric_limits<std::int64_t>::max()));
  row.at = reader.time();
  row.actor = reader.line(kMaxAuditWordBytes);
  const auto uid = reader.optional([&] { return reader.integer(0, 0xffffffffLL); });
  if (uid) row.uid = static_cast<std::uint32_t>(*uid);
  row.user = reader.line(kMaxAuditNameBytes);
  row.via = reader.line(kMaxAuditWordBytes);
  row.action = reader.line(kMaxAuditWordBytes);
  row.subject = reader.line(kMaxAuditSubjectBytes);
  row.before = reader.optional(json_text);
  row.after = reader.optional(json_text);
  row.reason = reader.line(kMaxAuditReasonBytes);
  row.result = reader.line(kMaxAuditWordBytes);
  row.prev_hash = hash();
  row.hash = hash();
  return row;
}

void write_audit_row(Connection& connection, const AuditRow& row) {
  Query(connection,
        "INSERT INTO audit (seq, at, actor, uid, user, via, action, subject, \"before\","
        " \"after\", reason, result, prev_hash, hash)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
      .bind(row.seq, milliseconds_of(row.at), row.actor, row.uid, row.user, row.via, row.action,
            row.subject, row.before, row.after, row.reason, row.result, row.prev_hash, row.hash)
      .run();
  Query(connection, "UPDATE audit_head SET seq = ?, hash = ? WHERE id = 1")
      .bind(row.seq, row.hash)
      .run();
}

AuditHead read_audit_head(Connection& connection) {
  Query query(connection, "SELECT id, seq, hash FROM audit_head");
  if (!query.step()) {
    throw StoreFailure{Error{Code::database_damaged, "table audit_head is empty",
                             "the head of the audit log was removed"}};
  }
  RowReader reader(query.row(), "audit_head");
  static_cast<void>(reader.integer(1, 1));
  AuditHead head;
  head.seq = reader.counter();
  head.hash = reader.text(kHashDigits);
  if (!is_hash(head.hash)) reader.bad_last("is not a hash");
  return head;
}

std::uint64_t last_audit_seq(Connection& connection) {
  const auto last = connection.number("SELECT coalesce(max(seq), 0) FROM audit");
  return last > 0 ? static_cast<std::uint64_t>(last) : 0;
}

}  // namespace timectl::store
