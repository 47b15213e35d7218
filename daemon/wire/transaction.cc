#include "daemon/wire/transaction.h"

#include <array>
#include <charconv>
#include <cstring>

#include "daemon/wire/hash.h"
#include "daemon/wire/schema.h"

namespace timectl::wire {
namespace {

// "0," to "255,": most of the text are byte strings, written as lists of numbers.
struct ByteText {
  std::array<char, 4> text{};
  std::uint8_t size = 0;
};
constexpr auto byte_texts = [] {
  std::array<ByteText, 256> table{};
  for (std::size_t value = 0; value < table.size(); ++value) {
    ByteText& row = table[value];
    if (value >= 100) row.text[row.size++] = static_cast<char>('0' + value / 100);
    if (value >= 10) row.text[row.size++] = static_cast<char>('0' + value / 10 % 10);
    row.text[row.size++] = static_cast<char>('0' + value % 10);
    row.text[row.size++] = ',';
  }
  return table;
}();

// serde_json's compact text. Generic over described structs, so the order and names of the keys are
// those of the structs.
class IdText {
 public:
  // `size`: of the text, about.
  explicit IdText(std::size_t size) { text_.reserve(size); }

  template <class T>
  void write(const T& value) {
    if constexpr (std::is_integral_v<T>) {
      char digits[20];
      const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
      text_.append(digits, end);
    } else if constexpr (std::is_same_v<T, Text>) {
      write_text(value);
    } else if constexpr (std::is_same_v<T, Bytes> || ByteArray<T>) {
      write_bytes(value.data(), value.size());
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
    } else {  // lists of structs
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
  void write_bytes(const std::uint8_t* bytes, std::size_t size) {
    text_ += '[';
    const std::size_t at = text_.size();
    text_.resize(at + size * sizeof(ByteText::text));
    char* out = text_.data() + at;
    for (std::size_t i = 0; i < size; ++i) {
      const ByteText& row = byte_texts[bytes[i]];
      std::memcpy(out, row.text.data(), row.text.size());
      out += row.size;
    }
    if (size > 0) --out;  // the last comma
    text_.resize(static_cast<std::size_t>(out - text_.data()));
    text_ += ']';
  }

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
  // A byte takes four digits at most, and the names of the keys less than what they stand for.
  constexpr std::size_t rest = 512;
  const std::size_t lists = tx.inputs.encoded().size() + tx.outputs.encoded().size();
  IdText text(rest + 4 * lists);
  text.write(hashed);
  return text.take();
}

Hash32 transaction_id(const Transaction& tx, MemoInId memo) {
  return sha256(id_preimage(tx, memo));
}

}  // namespace timectl::wire
