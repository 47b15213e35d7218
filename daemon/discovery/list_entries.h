#pragma once
// The JSON of a list as a flat sequence of entries: what parse_peer_list() reads. Events instead of
// a tree, so that a body of brackets costs no more memory than its text; nesting, keys and entries
// are counted while they come and the first one too many ends the reading.

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "daemon/core/api_list.h"

namespace timectl::discovery {

enum class ValueKind : std::uint8_t { text, number, boolean, null, array, object };

// "a number", for a sentence.
[[nodiscard]] std::string_view name_of(ValueKind kind);

struct ListValue {
  ValueKind kind = ValueKind::text;
  std::string text = {};  // of a text, number or boolean; cut at 96 bytes
};

struct ListEntry {
  ListValue value = {};
  // Of an object; its other fields are not ours and left alone.
  std::optional<ListValue> ip = {};
  std::optional<ListValue> address = {};
  std::optional<ListValue> port = {};
};

// In the list's order. FetchFailure: `size` for more than max_entries, `json` with line and column,
// `shape` where the top is no array.
[[nodiscard]] std::variant<std::vector<ListEntry>, FetchFailure> read_entries(
    std::string_view body, std::size_t max_entries);

}  // namespace timectl::discovery
