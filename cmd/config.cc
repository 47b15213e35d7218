#include <fmt/format.h>

#include <memory>

#include "cmd/commands.h"
#include "cmd/settings.h"
#include "cmd/table.h"
#include "cmd/tree.h"
#include "daemon/core/errors.h"
#include "daemon/sink_targets.h"

namespace timectl::cmd {
namespace {

struct CheckReply {
  std::optional<std::string> file = {};
  bool ok = true;
  std::vector<config::Problem> problems = {};
};
BOOST_DESCRIBE_STRUCT(CheckReply, (), (file, ok, problems))

struct PathReply {
  std::optional<std::string> used = {};
  std::vector<std::string> places = {};
};
BOOST_DESCRIBE_STRUCT(PathReply, (), (used, places))

// What is found only beside the file, by this user and now: no problem of the configuration.
std::vector<std::string> warnings_of(const config::Config& config) {
  std::vector<std::string> warnings;
  for (const auto& sink : config.alerts.sinks) {
    const auto broken = target_of(sink, {}).broken;
    if (!broken.empty()) {
      warnings.push_back("the alert sink " + printable(sink.name) + " sends nothing: its " +
                         broken);
    }
  }
  return warnings;
}

Result<int> check(Context& context, const std::string& file) {
  auto request = config_request(context.globals);
  if (!file.empty()) request.file = file;
  auto checked = config::check_file(request);
  if (!checked) return checked.error();
  CheckReply reply{std::nullopt, checked->problems.empty(), std::move(checked->problems)};
  if (request.file) reply.file = request.file->string();
  const auto warnings = reply.ok ? warnings_of(checked->config) : std::vector<std::string>{};
  for (const auto& warning : warnings) context.out.warning(warning);
  if (context.out.json()) {
    context.out.document("timectl.config.check/1", to_json(reply), {}, warnings);
  } else if (reply.ok) {
    context.out.text(reply.file ? printable(*reply.file) + " is valid\n"
                                : "there is no configuration file; the defaults are valid\n");
  } else {
    context.out.text(config::render(reply.problems));
    context.out.text(fmt::format("{} problem{}\n", reply.problems.size(),
                                 reply.problems.size() == 1 ? "" : "s"));
  }
  return reply.ok ? 0 : error_row(Code::config_invalid).exit_status;
}

Result<int> show(Context& context, bool origin) {
  auto config = config::load(config_request(context.globals));
  if (!config) return config.error();
  const auto values = config::show(*config);
  if (context.out.json()) {
    context.out.document("timectl.config.show/1", to_json(values));
    return 0;
  }
  std::size_t width = 0;
  for (const auto& value : values) width = std::max(width, value.key.size() + value.value.size());
  width = std::min<std::size_t>(width, 60);
  std::string section;
  std::string text;
  for (const auto& value : values) {
    if (value.section != section) {
      text += (section.empty() ? "" : "\n") +
              context.out.paint(Paint::bold, "[" + value.section + "]") + "\n";
      section = value.section;
    }
    const std::string line = value.key + " = " + printable(value.value, 4000);
    text += line;
    if (origin) {
      text.append(line.size() < width + 5 ? width + 5 - line.size() : 2, ' ');
      const std::string where =
          value.line ? value.origin + ", line " + std::to_string(*value.line) : value.origin;
      text +=
          context.out.paint(value.origin == "default" ? Paint::dim : Paint::plain, "# " + where);
    }
    text += "\n";
  }
  context.out.text(text);
  return 0;
}

Result<int> example(Context& context) {
  const std::string toml(config::default_toml());
  if (context.out.json()) {
    json::object data;
    data["toml"] = toml;
    context.out.document("timectl.config.example/1", data);
  } else {
    context.out.text(toml);
  }
  return 0;
}

Result<int> path(Context& context) {
  const auto request = config_request(context.globals);
  PathReply reply;
  if (request.file) reply.used = request.file->string();
  for (const auto& place : config::file_places(request.environment)) {
    reply.places.push_back(place.string());
  }
  if (context.out.json()) {
    context.out.document("timectl.config.path/1", to_json(reply));
  } else if (reply.used) {
    context.out.text(printable(*reply.used, 4000) + "\n");
  } else {
    context.out.text("no file, the defaults are in force; looked for\n");
    for (const auto& place : reply.places) context.out.text("  " + printable(place, 4000) + "\n");
  }
  return 0;
}

}  // namespace

void add_config(CLI::App& root, Context& context) {
  auto& config = add_command(root, "config", "check, show and find the configuration",
                             {{"config show --origin", "every value and where it comes from"}});
  auto file = std::make_shared<std::string>();
  auto& checking = add_command(
      config, "check", "every problem of a configuration at once; 78 if there is one",
      {{"config check", "the file in use"}, {"config check new.toml", "before it is installed"}});
  add_argument(checking, "file", Count::at_most_one, *file, "FILE", "instead of the file in use");
  on_run(checking, context, [&context, file] { return check(context, *file); });

  auto origin = std::make_shared<bool>(false);
  auto& showing = add_command(config, "show", "every value in force",
                              {{"config show", "as it would stand in the file"},
                               {"config show --origin",
                                "and whether default, file, environment or "
                                "flag set it"}});
  add_flag(showing, "--origin", *origin, "print where each value comes from");
  on_run(showing, context, [&context, origin] { return show(context, *origin); });

  auto& printing =
      add_command(config, "example", "a complete commented file with all defaults",
                  {{"config example > ~/.config/timectl/timectl.toml", "a start to edit"}});
  on_run(printing, context, [&context] { return example(context); });

  auto& finding = add_command(config, "path", "which file is used",
                              {{"config path", "the file, or where one was looked for"}});
  on_run(finding, context, [&context] { return path(context); });
}

}  // namespace timectl::cmd
