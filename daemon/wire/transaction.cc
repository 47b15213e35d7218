#include "daemon/wire/transaction.h"

#include <charconv>

#include "daemon/wire/hash.h"
#include "daemon/wire/schema.h"

namespace timectl::wire {
namespace {

// serde_json's compact text. Generic over described structs, so the order and names of the keys are
// those of the structs.
class IdText {
 public:
  template <class T>
  void write(const T& value) {
    if constexpr (std::is_integral_v<T>) {
      char digits[20];
      const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
      text_.append(digits, end);
    } else if constexpr (std::is_same_v<T, Text>) {
      write_text(value);
    } else if constexpr (Optional<T>) {
      if (value) {
        write(*value);
      } else {
        text_ += "null";
      }
    } else if constexpr (Choice<T>) {
      std::visit(
          [&]<class A>(const A& alternative) {
            text_ += "{\"";
            text_ += type_name<A>();
            text_ += "\":";
            write(alternative);
            text_ += '}';
          },
          value);
    } else if constexpr (Described<T>) {
      char before = '{';
      for_each_member<T>([&](auto member) {
        text_ += before;
        text_ += '"';
        text_ += member.name;
        text_ += "\":";
        write(value.*decltype(member)::pointer);
        before = ',';
      });
      text_ += '}';
    } else {  // arrays and lists, of bytes or of structs
      text_ += '[';
      bool first = true;
      for (const auto& item : value) {
        if (!first) text_ += ',';
        first = false;
        write(item);
      }
      text_ += ']';
    }
  }

  [[nodiscard]] std::string take() { return std::move(text_); }

 private:
  void write_text(Text value) {
    constexpr std::string_view digits = "0123456789abcdef";
    text_ += '"';
    for (const char c : value) {
      switch (c) {
        case '"':
          text_ += "\\\"";
          break;
        case '\\':
          text_ += "\\\\";
          break;
        case '\b':
          text_ += "\\b";
          break;
        case '\t':
          text_ += "\\t";
          break;
        case '\n':
          text_ += "\\n";
          break;
        case '\f':
          text_ += "\\f";
          break;
        case '\r':
          text_ += "\\r";
          break;
        default:
          if (static_cast<unsigned char>(c) < 0x20) {
            text_ += "\\u00";
            text_ += digits[static_cast<unsigned char>(c) >> 4];
            text_ += digits[static_cast<unsigned char>(c) & 15];
          } else {
            text_ += c;
          }
      }
    }
    text_ += '"';
  }

  std::string text_;
};

}  // namespace

std::string id_preimage(const Transaction& tx, MemoInId memo) {
  Transaction hashed = tx;
  if (memo == MemoInId::left_out) hashed.encrypted_memo.reset();
  IdText text;
  text.write(hashed);
  return text.take();
}

Hash32 transaction_id(const Transaction& tx, MemoInId memo) {
  return sha256(id_preimage(tx, memo));
}

}  // namespace timectl::wire
