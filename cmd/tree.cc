#include "cmd/tree.h"

#include <CLI/CLI.hpp>
#include <charconv>

#include "config/problem.h"

namespace timectl::cmd {
namespace {

constexpr int kMaxArguments = 5000;  // as many addresses as one request may carry

template <class Number>
Result<void> parse_number(const std::string& text, Number& out) {
  const char* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, out);
  if (parsed.ec == std::errc() && parsed.ptr == end) return {};
  return Error{Code::invalid_argument, "'" + text + "' is not a whole number in range"};
}

void add_time(CLI::App& command, Context& context, const std::string& option,
              std::optional<WallTime>& target, const std::string& help) {
  add_setter(command, option, "TIME", help, [&, option](const std::string& text) -> Result<void> {
    auto at = parse_since(text, context.now.wall, option);
    if (!at) return at.error();
    target = *at;
    return {};
  });
}

}  // namespace

CLI::App& add_command(CLI::App& parent, const std::string& name, const std::string& summary,
                      std::initializer_list<Example> examples) {
  std::string lines;
  for (const auto& example : examples) {
    lines += "timectl " + std::string(example.command) + "\t" + example.meaning + "\n";
  }
  auto* command = parent.add_subcommand(name, summary);
  command->footer(lines);
  parent.require_subcommand(0, 1);
  return *command;
}

void hide(CLI::App& command) {
  command.group("");
}

void add_flag(CLI::App& command, const std::string& names, bool& target, const std::string& help) {
  command.add_flag(names, target, help);
}

void add_setter(CLI::App& command, const std::string& names, const std::string& type,
                const std::string& help, Setter set) {
  const CLI::callback_t take = [set = std::move(set)](const CLI::results_t& values) {
    for (const auto& value : values) {
      if (auto ok = set(value); !ok) throw BadArgument{ok.error()};
    }
    return true;
  };
  command.add_option(names, take, help)->type_name(type);
}

void add_arguments(CLI::App& command, const std::string& name, Count count,
                   std::vector<std::string>& target, const std::string& type,
                   const std::string& help) {
  const CLI::callback_t take = [&target](const CLI::results_t& values) {
    target = values;
    return true;
  };
  auto* option = command.add_option(name, take, help)->type_name(type);
  const bool needed = count == Count::one || count == Count::one_or_more;
  const bool many = count == Count::one_or_more || count == Count::any;
  option->required(needed)->expected(1, many ? kMaxArguments : 1)->allow_extra_args(many);
}

void add_argument(CLI::App& command, const std::string& name, Count count, std::string& target,
                  const std::string& type, const std::string& help) {
  const CLI::callback_t take = [&target](const CLI::results_t& values) {
    if (!values.empty()) target = values.back();
    return true;
  };
  auto* option = command.add_option(name, take, help)->type_name(type);
  option->required(count == Count::one)->expected(1);
}

void add_hidden_option(CLI::App& command, const std::string& name, int& target) {
  add_setter(command, name, "", "",
             [&target](const std::string& text) { return parse_number(text, target); });
  command.get_option(name)->group("");
}

void on_run(CLI::App& command, Context& context, std::function<Result<int>()> action) {
  command.callback([&command, &context, action = std::move(action)] {
    if (command.get_subcommands().empty()) context.action = action;
  });
}

Result<void> parse_value(const std::string& text, std::string& out) {
  out = text;
  return {};
}

Result<void> parse_value(const std::string& text, std::uint64_t& out) {
  return parse_number(text, out);
}

Result<void> parse_value(const std::string& text, std::uint32_t& out) {
  return parse_number(text, out);
}

Result<void> parse_value(const std::string& text, Duration& out) {
  auto duration = parse_duration(text);
  if (!duration) return duration.error();
  out = *duration;
  return {};
}

Result<WallTime> parse_since(const std::string& text, WallTime now, const std::string& option) {
  constexpr std::string_view kAgo = " ago";  // as people say it
  const bool ago = text.ends_with(kAgo);
  if (auto before = parse_duration(ago ? text.substr(0, text.size() - kAgo.size()) : text)) {
    return now - std::chrono::duration_cast<std::chrono::milliseconds>(*before);
  }
  if (auto at = parse_rfc3339(text)) return *at;
  return Error{Code::invalid_argument,
               "'" + text + "' is neither a duration nor a time",
               "expected a duration like 90s, 2h, 7d or an RFC 3339 time",
               {option + " 7d", option + " " + rfc3339(now)}};
}

Error not_a_word(const std::string& text, const std::vector<std::string_view>& words) {
  std::string all;
  for (const auto word : words) all += (all.empty() ? "" : " ") + std::string(word);
  Error error{Code::invalid_argument, "'" + text + "' is not one of the words for this",
              "the words are: " + all};
  const auto near = config::nearest(text, {words.begin(), words.end()});
  if (!near.empty()) error.remedy = {near};
  return error;
}

void add_since(CLI::App& command, Context& context, std::optional<WallTime>& target,
               const std::string& help) {
  add_time(command, context, "--since", target, help);
}

void add_at(CLI::App& command, Context& context, std::optional<WallTime>& target,
            const std::string& help) {
  add_time(command, context, "--at", target, help);
}

}  // namespace timectl::cmd
