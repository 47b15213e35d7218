#include "cmd/cli.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <charconv>
#include <csignal>
#include <new>
#include <system_error>

#include "cmd/commands.h"
#include "config/problem.h"
#include "daemon/clock.h"
#include "daemon/core/errors.h"

namespace timectl::cmd {
namespace {

constexpr std::size_t kMaxArgument = 4096;  // PATH_MAX; nothing that we take is longer

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const auto first = static_cast<unsigned char>(text[0]);
    std::size_t more = 0;
    if (first >= 0x80) {
      if (first < 0xc2 || first > 0xf4) return false;
      more = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : 1;
    }
    if (text.size() <= more) return false;
    for (std::size_t i = 1; i <= more; ++i) {
      if ((static_cast<unsigned char>(text[i]) & 0xc0U) != 0x80) return false;
    }
    text.remove_prefix(more + 1);
  }
  return true;
}

// What no command could use, refused before anything looks at it.
Result<void> check_arguments(const std::vector<std::string>& arguments) {
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string which = "argument " + std::to_string(i + 1);
    const auto& text = arguments[i];
    if (text.empty()) {
      return Error{Code::invalid_argument, which + " is empty",
                   "an unset shell variable is the usual cause"};
    }
    if (text.size() > kMaxArgument) {
      return Error{Code::invalid_argument, which + " has " + std::to_string(text.size()) + " bytes",
                   "an argument may have " + std::to_string(kMaxArgument)};
    }
    if (!is_utf8(text)) {
      return Error{Code::invalid_argument, which + " is not UTF-8 text",
                   "it holds bytes that are no characters"};
    }
    for (const char c : text) {
      if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
        return Error{Code::invalid_argument, which + " holds a control character",
                     "line ends, tabs and escapes are not accepted in arguments"};
      }
    }
  }
  return {};
}

Result<void> parse_timeout(const std::string& text, std::optional<Duration>& out) {
  double number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  if (parsed.ec == std::errc() && parsed.ptr == text.data() + text.size() && number >= 0 &&
      number <= 86'400) {
    out = Duration(static_cast<Duration::rep>(number * 1e6));
    return {};
  }
  return parse_value(text, out);
}

void add_globals(CLI::App& root, Globals& globals) {
  add_flag(root, "--json", globals.json, "one JSON object instead of text; streams: one a line");
  add_option(root, "--config", globals.config, "FILE", "use this configuration file alone");
  add_setter(root, "--network", words_of<Network>(), "which network's node",
             [&globals](const std::string& text) -> Result<void> {
               Network known{};  // an argument, so a wrong one is no fault of the configuration
               if (auto ok = parse_value(text, known); !ok) return ok;
               globals.network = text;
               return {};
             });
  add_option(root, "--socket", globals.socket, "FILE", "the node's control socket");
  add_option(root, "--data-dir", globals.data_dir, "DIR", "the state directory itself");
  add_setter(root, "--timeout", "SECONDS", "how long to wait for an answer or a lock (5)",
             [&globals](const std::string& text) { return parse_timeout(text, globals.timeout); });
  add_flag(root, "--utc", globals.utc, "print times in UTC");
  add_flag(root, "--yes", globals.yes, "answer yes to what asks");
  add_flag(root, "--no-color", globals.no_color, "no colour (also NO_COLOR, TERM=dumb)");
  add_flag(root, "-q,--quiet", globals.quiet, "no hints and progress on stderr");
  add_flag(root, "-v,--verbose", globals.verbose, "say what is used: socket, database, config");
}

const CLI::App& innermost(const CLI::App& root) {
  const auto* command = &root;
  while (!command->get_subcommands().empty()) command = command->get_subcommands().front();
  return *command;
}

Error unknown_option(const CLI::App& command, const std::string& text) {
  const auto name = text.substr(0, text.find('='));
  const auto bare = [](const std::string& option) {
    return option.substr(std::min(option.find_first_not_of('-'), option.size()));
  };
  std::vector<std::string> names;
  for (const auto* app = &command; app != nullptr; app = app->get_parent()) {
    for (const auto& value : values_of(*app)) {
      for (const auto& known : value.names) {
        if (known.starts_with("--")) names.push_back(bare(known));
      }
    }
  }
  Error error{Code::unknown_command, "there is no option '" + name + "' for " + path_of(command)};
  const auto near = config::nearest(bare(name), names);  // the dashes are no likeness
  if (!near.empty()) error.because = "did you mean --" + near + "?";
  error.remedy = {path_of(command) + " --help"};
  return error;
}

Error unknown_word(const CLI::App& command, const std::string& text) {
  const auto commands = commands_of(command);
  if (commands.empty()) {
    return Error{Code::invalid_argument,
                 path_of(command) + " does not take '" + text + "'",
                 "",
                 {path_of(command) + " --help"}};
  }
  std::vector<std::string> names;
  for (const auto* sub : commands) names.push_back(sub->get_name());
  Error error{Code::unknown_command, "there is no command '" + path_of(command) + " " + text + "'"};
  const auto near = config::nearest(text, names);
  if (!near.empty()) {
    error.because = "did you mean " + near + "?";
    error.remedy = {path_of(command) + " " + near};
  }
  error.remedy.push_back(path_of(command) + " --help");
  return error;
}

Error missing_verb(const CLI::App& command) {
  std::string names;
  for (const auto* sub : commands_of(command)) {
    names += (names.empty() ? "" : ", ") + sub->get_name();
  }
  return Error{Code::unknown_command,
               path_of(command) + " needs a verb",
               "the verbs are: " + names,
               {path_of(command) + " --help"}};
}

// What CLI11 found, in our words: unknown options and commands first, they are the cause of the
// rest.
Error parse_error(const CLI::App& root, const CLI::ParseError& error) {
  const auto& command = innermost(root);
  const auto extras = root.remaining(true);
  for (const auto& text : extras) {
    if (text.size() > 1 && text[0] == '-' && text != "--") return unknown_option(command, text);
  }
  for (const auto& text : extras) {
    if (text != "--") return unknown_word(command, text);
  }
  Error plain{Code::invalid_argument, error.what(), "", {path_of(command) + " --help"}};
  if (error.get_name() == "ArgumentMismatch") {
    const auto option = plain.message.substr(0, plain.message.find(':'));
    plain.message = option.starts_with("-") ? option + " needs a value" : plain.message;
  }
  if (error.get_name() == "RequiredError") {
    for (const auto& value : values_of(command)) {
      if (!value.needed) continue;
      plain.message = path_of(command) + " needs " + value.title + ": " + value.help;
    }
  }
  return plain;
}

void configure(Context& context, bool json) {
  const auto& globals = context.globals;
  context.now = clock_now();
  context.out.configure({.json = json || globals.json,
                         .quiet = globals.quiet,
                         .color_out = !globals.no_color && wants_color(STDOUT_FILENO),
                         .color_err = !globals.no_color && wants_color(STDERR_FILENO),
                         .utc = globals.utc,
                         .width_out = columns_of(STDOUT_FILENO),
                         .width_err = columns_of(STDERR_FILENO)},
                        context.now);
}

extern "C" void end_by_interrupt(int) {
  _exit(130);  // the database's transaction is whole or not there, as after kill -9
}

// Parses, and leaves the action in the context; a help request is an action, too.
Result<void> parse(const std::shared_ptr<CLI::App>& tree, Context& context,
                   std::vector<std::string> arguments) {
  std::reverse(arguments.begin(), arguments.end());  // CLI11 takes them from the back
  try {
    tree->parse(std::move(arguments));
  } catch (const BadArgument& bad) {
    return bad.error;
  } catch (const CLI::CallForHelp&) {
    context.action = [&context, tree]() -> Result<int> {
      context.out.text(help_text(innermost(*tree)));
      return 0;
    };
  } catch (const CLI::CallForVersion&) {
    context.action = [&context] { return print_version(context.out); };
  } catch (const CLI::ParseError& error) {
    return parse_error(*tree, error);
  }
  context.command = path_of(innermost(*tree));
  if (!context.action) return missing_verb(innermost(*tree));
  return {};
}

Error caught(const std::exception& thrown) {
  if (const auto* system = dynamic_cast<const std::system_error*>(&thrown)) {
    return Error{Code::input_output, system->what()};
  }
  if (dynamic_cast<const std::bad_alloc*>(&thrown) != nullptr) {
    return Error{Code::input_output, "the system has no more memory"};
  }
  return Error{Code::internal, thrown.what()};
}

int fail(const Context& context, const Error& error) {
  context.out.error(error);
  return error_row(error.code).exit_status;
}

}  // namespace

std::shared_ptr<CLI::App> build_tree(Context& context) {
  auto root = std::make_shared<CLI::App>("keeps TIME Coin masternodes connected", "timectl");
  root->set_help_flag("-h,--help", "this text, or that of a command");
  root->set_version_flag("--version", TIMECTL_VERSION, "the version");
  root->fallthrough();
  root->footer(
      "timectl\thow is it: verdict, masternodes, lag, alerts\n"
      "timectl node start\tstart the node; returns when it is ready\n"
      "timectl whitelist add 203.0.113.7 --label berlin\tprotect a masternode\n"
      "timectl explain TC-WL-001\twhat a code means and what to do\n");
  add_globals(*root, context.globals);
  for (const auto add : std::to_array(
           {add_status,  add_node,       add_whitelist, add_refresh, add_ban,    add_peer,
            add_slots,   add_sync,       add_diagnose,  add_report,  add_alerts, add_events,
            add_top,     add_audit,      add_db,        add_wire,    add_config, add_demo,
            add_explain, add_completion, add_version})) {
    add(*root, context);
  }
  root->require_subcommand(0, 1);
  return root;
}

int run(const std::vector<std::string>& arguments) {
  std::signal(SIGPIPE, SIG_IGN);  // a closed pipe is an error of the write, see Output::flush
  std::signal(SIGINT, end_by_interrupt);
  Context context;
  const bool json = std::find(arguments.begin(), arguments.end(), "--json") != arguments.end();
  configure(context, json);
  try {
    if (auto ok = check_arguments(arguments); !ok) return fail(context, ok.error());
    const auto tree = build_tree(context);
    if (auto ok = parse(tree, context, arguments); !ok) return fail(context, ok.error());
    configure(context, json);
    const auto status = context.action();
    context.out.flush();
    return status ? *status : fail(context, status.error());
  } catch (const std::exception& thrown) {
    return fail(context, caught(thrown));
  }
}

}  // namespace timectl::cmd
