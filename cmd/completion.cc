#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <memory>

#include "cmd/ask.h"
#include "cmd/catalogue.h"
#include "cmd/cli.h"
#include "cmd/commands.h"
#include "cmd/completion_scripts.h"
#include "cmd/settings.h"
#include "cmd/table.h"
#include "cmd/tree.h"
#include "daemon/control/alerts_api.h"
#include "daemon/control/api.h"

namespace timectl::cmd {
namespace {

constexpr auto kLiveLimit = std::chrono::milliseconds(100);  // of 150 for the whole process
constexpr auto kWholeLimit = std::chrono::milliseconds(140);

extern "C" void end_silently(int) {
  _exit(0);
}

// Whatever hangs (a stopped node, a dead disk), the shell gets its prompt back.
void limit_time() {
  std::signal(SIGALRM, end_silently);
  itimerval timer{};
  timer.it_value.tv_usec = std::chrono::microseconds(kWholeLimit).count();
  setitimer(ITIMER_REAL, &timer, nullptr);
}

// "value<TAB>description" a line: fish prints both, the others cut.
std::string live_peers(Context& context) {
  const auto answer = ask(context, "whitelist.list", json::object());
  if (!answer) return "";
  const auto rows = read_answer<std::vector<control::WhitelistRow>>(answer->data);
  if (!rows) return "";
  std::string lines;
  for (const auto& row : *rows) {
    const std::string label = printable(row.label);
    lines += row.ip.to_string() + "\t" + label + "\n";
    // A label that the shell would split cannot be completed.
    if (!label.empty() && label.find_first_of(" \t\\'\"$`") == std::string::npos) {
      lines += label + "\t" + row.ip.to_string() + "\n";
    }
  }
  return lines;
}

std::string live_bans(Context& context) {
  const auto answer = ask(context, "ban.list", json::object());
  if (!answer) return "";
  const auto rows = read_answer<std::vector<control::BanRow>>(answer->data);
  if (!rows) return "";
  std::string lines;
  for (const auto& row : *rows) {
    if (row.origin == BanOrigin::config) continue;  // the file's are not removed by a command
    lines += row.ip.to_string() + "\t" + printable(row.reason) + "\n";
  }
  return lines;
}

std::string live_alerts(Context& context) {
  const auto answer = ask(context, "alerts.list", json::object());
  if (!answer) return "";
  const auto rows = read_answer<std::vector<control::AlertRow>>(answer->data);
  if (!rows) return "";
  std::string lines;
  for (const auto& row : *rows) {
    if (row.id) lines += std::to_string(*row.id) + "\t" + printable(row.text) + "\n";
  }
  return lines;
}

// Of the file: a node that reads another one has others.
std::string sink_lines(const Context& context) {
  const auto config = config::load(config_request(context.globals));
  if (!config) return "";
  std::string lines;
  for (const auto& sink : config->alerts.sinks) {
    lines += sink.name + "\t" + std::string(name_of(sink.kind)) + "\n";
  }
  return lines;
}

std::string rule_lines() {
  std::string lines;
  for (const auto& row : alert_rule_table()) {
    lines += std::string(name_of(row.rule)) + "\t" + std::string(row.meaning) + "\n";
  }
  return lines;
}

template <class E>
std::string words_lines() {
  std::string lines;
  for (const auto name : names_of<E>()) lines += std::string(name) + "\n";
  return lines;
}

std::string live_values(Context& context, const std::string& type) {
  if (type == "IP") return live_peers(context);
  if (type == "BANNED") return live_bans(context);
  if (type == "ALERT") return live_alerts(context);
  if (type == "RULE") return rule_lines();
  if (type == "SINK") return sink_lines(context);
  if (type == "REASON") return words_lines<EndReason>();
  if (type == "KIND") return words_lines<EventKind>();
  std::string lines;
  if (type != "CODE") return lines;
  for (const auto& entry : catalogue()) lines += entry.code + "\t" + entry.title + "\n";
  return lines;
}

// Hidden: what the scripts call. Never an error, never a word on stderr.
Result<int> complete(Context& context, const std::string& type) {
  limit_time();
  context.globals.timeout = kLiveLimit;
  context.out.configure({.quiet = true}, context.now);
  context.out.text(live_values(context, type));
  return 0;
}

Result<int> print_script(Context& context, const CLI::App& root, const std::string& shell) {
  std::string script;
  if (shell == "bash") script = bash_script(root);
  if (shell == "zsh") script = zsh_script(root);
  if (shell == "fish") script = fish_script(root);
  if (script.empty()) return not_a_word(shell, {"bash", "zsh", "fish"});
  if (context.out.json()) {
    json::object data;
    data["shell"] = shell;
    data["script"] = script;
    context.out.document("timectl.completion/1", data);
  } else {
    context.out.text(script);
  }
  return 0;
}

}  // namespace

bool asked_live(const std::string& type) {
  constexpr auto kTypes = std::to_array<std::string_view>(
      {"ALERT", "IP", "BANNED", "CODE", "REASON", "KIND", "RULE", "SINK"});
  return std::ranges::find(kTypes, type) != kTypes.end();
}

void add_completion(CLI::App& root, Context& context) {
  auto& completion = add_command(
      root, "completion", "a script that completes commands, options and addresses",
      {{"completion bash > ~/.local/share/bash-completion/completions/timectl", "for bash"},
       {"completion zsh > ~/.zfunc/_timectl", "for zsh, with ~/.zfunc in fpath"},
       {"completion fish > ~/.config/fish/completions/timectl.fish", "for fish"}});
  auto shell = std::make_shared<std::string>();
  add_argument(completion, "shell", Count::one, *shell, "bash|zsh|fish", "which shell");
  on_run(completion, context,
         [&context, &root, shell] { return print_script(context, root, *shell); });

  auto type = std::make_shared<std::string>();
  auto& live = add_command(root, "__complete", "live values for the scripts", {});
  add_argument(live, "type", Count::one, *type, "ALERT|IP|BANNED|CODE|REASON|KIND|RULE|SINK",
               "what kind of value");
  on_run(live, context, [&context, type] { return complete(context, *type); });
  hide(live);
}

}  // namespace timectl::cmd
