#pragma once
// How a noun declares its commands: a command with its summary and examples, flags, options and
// arguments that are parsed once into a type, and the action to run. Noun files use only this and
// never include CLI11, which costs 4 s per translation unit. The type name of a value is a fact
// that the help prints and completion acts on: IP, BANNED, CODE, REASON and KIND are asked of the
// binary, so are ALERT and RULE, FILE is completed by the shell, "a|b|c" are the words themselves.

#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cmd/context.h"
#include "daemon/core/json.h"
#include "daemon/core/result.h"
#include "daemon/core/time.h"

namespace CLI {
class App;
}

namespace timectl::cmd {

struct Example {
  const char* command;  // without the leading "timectl "
  const char* meaning;
};

// What a parse throws out of CLI11 when a value is refused; cli.cc alone catches it.
struct BadArgument {
  Error error;
};

CLI::App& add_command(CLI::App& parent, const std::string& name, const std::string& summary,
                      std::initializer_list<Example> examples);
void hide(CLI::App& command);

using Setter = std::function<Result<void>(const std::string&)>;
enum class Count : std::uint8_t { one, at_most_one, one_or_more, any };

void add_flag(CLI::App& command, const std::string& names, bool& target, const std::string& help);
void add_setter(CLI::App& command, const std::string& names, const std::string& type,
                const std::string& help, Setter set);
void add_arguments(CLI::App& command, const std::string& name, Count count,
                   std::vector<std::string>& target, const std::string& type,
                   const std::string& help);
void add_argument(CLI::App& command, const std::string& name, Count count, std::string& target,
                  const std::string& type, const std::string& help);
// For our own processes: not in the help, not completed.
void add_hidden_option(CLI::App& command, const std::string& name, int& target);
// The action of the command; of several on one line the innermost runs.
void on_run(CLI::App& command, Context& context, std::function<Result<int>()> action);

[[nodiscard]] Result<void> parse_value(const std::string& text, std::string& out);
[[nodiscard]] Result<void> parse_value(const std::string& text, std::uint64_t& out);
[[nodiscard]] Result<void> parse_value(const std::string& text, std::uint32_t& out);
[[nodiscard]] Result<void> parse_value(const std::string& text, Duration& out);
// A point in the past: RFC 3339, or a duration before `now` ("7d", "7d ago"). `option`: for the
// examples of the error.
[[nodiscard]] Result<WallTime> parse_since(const std::string& text, WallTime now,
                                           const std::string& option = "--since");
[[nodiscard]] Error not_a_word(const std::string& text, const std::vector<std::string_view>& words);
template <DescribedEnum E>
[[nodiscard]] Result<void> parse_value(const std::string& text, E& out) {
  const auto value = value_of<E>(text);
  if (!value) return not_a_word(text, names_of<E>());
  out = *value;
  return {};
}
template <class T>
[[nodiscard]] Result<void> parse_value(const std::string& text, std::optional<T>& out) {
  return parse_value(text, out.emplace());
}

template <class T>
void add_option(CLI::App& command, const std::string& names, T& target, const std::string& type,
                const std::string& help) {
  add_setter(command, names, type, help,
             [&target](const std::string& text) { return parse_value(text, target); });
}
// "--since" and "--at": resolved against the clock that the context was given.
void add_since(CLI::App& command, Context& context, std::optional<WallTime>& target,
               const std::string& help);
void add_at(CLI::App& command, Context& context, std::optional<WallTime>& target,
            const std::string& help);

// "normal|lenient|never"
template <DescribedEnum E>
[[nodiscard]] std::string words_of() {
  std::string all;
  for (const auto name : names_of<E>()) all += (all.empty() ? "" : "|") + std::string(name);
  return all;
}

}  // namespace timectl::cmd
