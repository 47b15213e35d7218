#pragma once
// The catalogue of configuration keys: one row per key with its member, its bounds and what it
// means. The reader of the file, the environment, `config show`, the did-you-mean and the test
// of timectl.toml all walk this table.

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "config/config.h"

namespace timectl::config {

// A member that holds one of a few words.
struct Word {
  void* target;
  bool (*set)(void* target, std::string_view word);
  std::string (*get)(const void* target);
  std::vector<std::string> (*words)();
};

// The member of a key. Durations are seconds in the file, as a number or as text ("30d", "1h30m").
using Slot =
    std::variant<Duration*, std::size_t*, std::uint32_t*, std::uint16_t*, double*, bool*,
                 std::string*, std::vector<std::string>*, IpAddress*, std::optional<IpAddress>*,
                 std::optional<std::size_t>*, Endpoint*, Word, std::vector<WhitelistedPeer>*,
                 std::vector<BlacklistedPeer>*, std::vector<AlertSink>*>;

struct Key {
  std::string_view section;
  std::string_view name;
  double minimum;  // of numbers and durations (seconds); not used for other kinds
  double maximum;
  std::string_view description;
  Slot (*slot)(Config& config);
};

[[nodiscard]] std::span<const Key> key_table();
[[nodiscard]] const Key* find_key(std::string_view section, std::string_view name);
[[nodiscard]] std::vector<std::string> section_names();  // in the order of the file

// A value as the file or a text has it, before it is known to fit.
using Scalar = std::variant<bool, std::int64_t, double, std::string, std::vector<std::string>>;

// Why a value was refused.
struct Refusal {
  std::string message;
  std::string hint;
};

// Writes the value to the key's member if it has the right type and is within the bounds. Not for
// the lists of peers and sinks, which are structured.
[[nodiscard]] std::optional<Refusal> assign(Config& config, const Key& key, const Scalar& value);
// The same from text (environment, flag): by the kind of the key, lists separated by commas.
[[nodiscard]] std::optional<Refusal> assign_text(Config& config, const Key& key,
                                                 std::string_view text);

// The value as it would stand in the file.
[[nodiscard]] std::string value_text(const Config& config, const Key& key);

}  // namespace timectl::config
