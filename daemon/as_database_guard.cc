#include "daemon/as_database_guard.h"

#include <algorithm>
#include <optional>
#include <string_view>

namespace timectl {
namespace {

using Bytes = std::span<const std::uint8_t>;

// The format's numbers (MaxMind DB file format specification, version 2.0).
constexpr std::string_view kMarker("\xab\xcd\xefMaxMind.com");
constexpr std::size_t kMetadataLimit = 131'072;  // the marker is in the last so many bytes
constexpr std::size_t kSeparator = 16;           // zero bytes between tree and data
enum Type : unsigned {
  kExtended = 0,
  kPointer = 1,
  kText = 2,
  kDouble = 3,
  kBytes = 4,
  kUint16 = 5,
  kUint32 = 6,
  kMap = 7,
  kUint64 = 9,
  kArray = 11,
  kBoolean = 14,
  kLast = 15,
};

struct Value {
  unsigned type = 0;
  std::size_t size = 0;     // of a map its pairs, of an array its values, else bytes
  std::size_t at = 0;       // where the content begins
  std::size_t pointer = 0;  // of a pointer its target
  std::size_t end = 0;      // of what is no container
};

std::size_t number(Bytes bytes) {
  std::size_t n = 0;
  for (const auto byte : bytes) n = n << 8U | byte;
  return n;
}

bool container(const Value& value) {
  return value.type == kMap || value.type == kArray;
}

std::optional<Value> pointer(Bytes data, std::uint8_t control, std::size_t at) {
  constexpr std::size_t kBase[] = {0, 2048, 526'336, 0};  // what the shorter ones cannot reach
  const std::size_t bytes = ((control >> 3U) & 3U) + 1;
  if (data.size() - at < bytes) return std::nullopt;
  const std::size_t high = bytes == 4 ? 0 : control & 7U;
  const std::size_t low = number(data.subspan(at, bytes));
  return Value{.type = kPointer,
               .size = bytes,
               .at = at,
               .pointer = kBase[bytes - 1] + (high << (8 * bytes)) + low,
               .end = at + bytes};
}

// The value at `at`, without what is inside a container.
std::optional<Value> decode(Bytes data, std::size_t at) {
  if (at >= data.size()) return std::nullopt;
  const std::uint8_t control = data[at++];
  unsigned type = control >> 5U;
  if (type == kPointer) return pointer(data, control, at);
  if (type == kExtended) {
    if (at >= data.size()) return std::nullopt;
    type = 7U + data[at++];
    if (type <= kMap || type > kLast) return std::nullopt;
  }
  std::size_t size = control & 31U;
  if (size > 28) {  // 29, 30, 31: one to three bytes more
    constexpr std::size_t kBase[] = {29, 285, 65'821};
    const std::size_t bytes = size - 28;
    if (data.size() - at < bytes) return std::nullopt;
    size = kBase[bytes - 1] + number(data.subspan(at, bytes));
    at += bytes;
  }
  Value value{.type = type, .size = size, .at = at, .end = at};
  if (container(value) || type == kBoolean) return value;
  if (data.size() - at < size) return std::nullopt;
  value.end = at + size;
  return value;
}

// What a pointer, if it is one, stands for; a pointer to a pointer is not allowed.
std::optional<Value> follow(Bytes data, const Value& value) {
  if (value.type != kPointer) return value;
  const auto target = decode(data, value.pointer);
  return target && target->type != kPointer ? target : std::nullopt;
}

// Walks over values and what is in them, within the bounds.
class Walk {
 public:
  explicit Walk(Bytes data) : data_(data) {}

  // The end of a value; none where it is damaged or too large.
  std::optional<std::size_t> skip(std::size_t at, std::size_t depth) {
    const auto value = decode(data_, at);
    if (!value || ++values_ > kMostMmdbValues || depth > kMostMmdbDepth) return std::nullopt;
    if (!container(*value)) return value->end;
    at = value->at;
    for (std::size_t i = 0; i < value->size; ++i) {
      if (value->type == kMap) {
        const auto after = key(at);
        if (!after) return std::nullopt;
        at = *after;
      }
      const auto after = skip(at, depth + 1);
      if (!after) return std::nullopt;
      at = *after;
    }
    return at;
  }

  // The end of a text, or of a pointer to one.
  std::optional<std::size_t> key(std::size_t at) {
    const auto own = decode(data_, at);
    const auto text = own ? follow(data_, *own) : std::nullopt;
    if (!text || text->type != kText || ++values_ > kMostMmdbValues) return std::nullopt;
    return own->end;
  }

 private:
  Bytes data_;
  std::size_t values_ = 0;
};

struct Shape {
  std::optional<std::size_t> node_count;
  std::optional<std::size_t> record_size;  // in bits
};

std::string_view text_of(Bytes data, const Value& value) {
  const auto bytes = data.subspan(value.at, value.size);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// Every member is a number, a text, or a map or list of texts: what the format has, and nothing
// that the library would follow any deeper.
std::optional<Shape> read_metadata(Bytes data) {
  const auto top = decode(data, 0);
  if (!top || top->type != kMap || top->size > kMostMmdbValues) return std::nullopt;
  Walk walk(data);
  Shape shape;
  std::size_t at = top->at;
  for (std::size_t i = 0; i < top->size; ++i) {
    const auto own_key = decode(data, at);
    const auto after_key = walk.key(at);
    if (!after_key) return std::nullopt;
    const auto name = text_of(data, *follow(data, *own_key));
    const auto own = decode(data, *after_key);
    const auto value = own ? follow(data, *own) : std::nullopt;
    if (!value || (own->type == kPointer && container(*value))) return std::nullopt;
    at = own->end;
    if (container(*value)) {
      at = value->at;
      const std::size_t members = value->size * (value->type == kMap ? 2 : 1);
      for (std::size_t k = 0; k < members; ++k) {
        const auto after = walk.key(at);
        if (!after) return std::nullopt;
        at = *after;
      }
    } else if (value->type == kUint16 || value->type == kUint32) {
      // The library takes the first of several, too.
      auto& target = name == "node_count" ? shape.node_count : shape.record_size;
      const bool wanted = name == "node_count" || name == "record_size";
      if (value->size > 4) return std::nullopt;
      if (wanted && !target) target = number(data.subspan(value->at, value->size));
    }
  }
  return shape;
}

}  // namespace

std::string unsafe_to_open(Bytes file) {
  const std::size_t from = file.size() - std::min(file.size(), kMetadataLimit);
  const std::string_view end(reinterpret_cast<const char*>(file.data()) + from, file.size() - from);
  const auto found = end.rfind(kMarker);
  if (found == std::string_view::npos) return "it is no MaxMind DB file: its marker is missing";
  const std::size_t marker = from + found;
  const auto shape = read_metadata(file.subspan(marker + kMarker.size()));
  if (!shape) return "its metadata is damaged";
  if (!shape->node_count || !shape->record_size) return "its metadata has no size of the tree";
  const std::size_t bits = *shape->record_size;
  if (bits != 24 && bits != 28 && bits != 32) return "its record size is not 24, 28 or 32 bits";
  const std::size_t node = bits / 4;  // two records, in bytes
  if (*shape->node_count > marker / node || *shape->node_count * node + kSeparator > marker) {
    return "its search tree is larger than the file: it is damaged or cut off";
  }
  return {};
}

bool safe_record(Bytes data, std::size_t offset) {
  const auto top = decode(data, offset);
  return top && top->type == kMap && Walk(data).skip(offset, 0).has_value();
}

}  // namespace timectl
