#include <CLI/CLI.hpp>
#include <algorithm>

#include "cmd/cli.h"
#include "cmd/table.h"

namespace timectl::cmd {
namespace {

constexpr std::size_t kMaxTitle = 34;  // longer ones stand on a line of their own

struct Line {
  std::string title;
  std::string text;
};

std::string block(const std::string& heading, const std::vector<Line>& lines) {
  if (lines.empty()) return "";
  std::size_t width = 0;
  for (const auto& line : lines) {
    if (line.title.size() <= kMaxTitle) width = std::max(width, line.title.size());
  }
  std::string out = "\n" + heading + "\n";
  for (const auto& line : lines) {
    out += "  " + line.title;
    if (line.text.empty()) {
      out += "\n";
      continue;
    }
    if (line.title.size() > width) {
      out += "\n" + std::string(width + 4, ' ');
    } else {
      out.append(width - line.title.size() + 2, ' ');
    }
    out += wrapped(line.text, width + 4) + "\n";
  }
  return out;
}

std::vector<Line> examples_of(const CLI::App& command) {
  std::vector<Line> lines;
  std::string_view text = command.get_footer();
  std::string footer = command.get_footer();
  text = footer;
  while (!text.empty()) {
    const auto end = text.find('\n');
    const auto line = text.substr(0, end);
    const auto tab = line.find('\t');
    lines.push_back({std::string(line.substr(0, tab)), std::string(line.substr(tab + 1))});
    text.remove_prefix(end + 1);
  }
  return lines;
}

std::vector<Line> lines_of(const std::vector<Value>& values, bool options) {
  std::vector<Line> lines;
  for (const auto& value : values) {
    if (value.names.empty() == options) continue;
    lines.push_back({value.title, value.help});
  }
  return lines;
}

std::string usage_of(const CLI::App& command) {
  std::string usage = path_of(command);
  const bool verbs = !commands_of(command).empty();
  if (verbs) usage += command.get_parent() == nullptr ? " [COMMAND]" : " VERB";
  bool options = false;
  std::string arguments;
  for (const auto& value : values_of(command)) {
    if (!value.names.empty()) {
      options = true;
    } else {
      arguments += value.needed ? " " + value.title : " [" + value.title + "]";
    }
  }
  return usage + (options ? " [OPTIONS]" : "") + arguments;
}

}  // namespace

std::string path_of(const CLI::App& command) {
  const auto* parent = command.get_parent();
  return parent == nullptr ? "timectl" : path_of(*parent) + " " + command.get_name();
}

std::string help_summary(const CLI::App& command) {
  return command.get_description();
}

std::vector<const CLI::App*> commands_of(const CLI::App& command) {
  std::vector<const CLI::App*> commands;
  for (const auto* sub : command.get_subcommands([](const CLI::App*) { return true; })) {
    if (!sub->get_group().empty()) commands.push_back(sub);
  }
  return commands;
}

std::vector<Value> values_of(const CLI::App& command) {
  std::vector<Value> values;
  for (const auto* option : command.get_options()) {
    if (option->get_group().empty()) continue;
    Value value;
    value.help = option->get_description();
    value.needed = option->get_required();
    value.many = option->get_items_expected_max() > 1;
    const bool takes_value = option->get_items_expected_max() > 0;
    if (takes_value) value.type = option->get_type_name();
    if (option->get_positional()) {
      value.title = option->get_name(true) + (value.many ? "..." : "");
    } else {
      for (const auto& name : option->get_snames()) value.names.push_back("-" + name);
      for (const auto& name : option->get_lnames()) value.names.push_back("--" + name);
      for (const auto& name : value.names) value.title += (value.title.empty() ? "" : ", ") + name;
      if (takes_value) value.title += " " + value.type;
    }
    values.push_back(std::move(value));
  }
  return values;
}

std::string help_text(const CLI::App& command) {
  const bool root = command.get_parent() == nullptr;
  std::string out = path_of(command) + ": " + command.get_description() + "\n";
  out += block("Examples:", examples_of(command));
  out += "\nUsage: " + usage_of(command) + "\n";
  std::vector<Line> verbs;
  for (const auto* sub : commands_of(command)) {
    verbs.push_back({sub->get_name(), sub->get_description()});
  }
  out += block(root ? "Commands:" : "Verbs:", verbs);
  const auto values = values_of(command);
  out += block("Arguments:", lines_of(values, false));
  out += block(root ? "Options of every command:" : "Options:", lines_of(values, true));
  if (!root) out += "\nOptions of every command (--json, --config ...): timectl --help\n";
  return out;
}

}  // namespace timectl::cmd
