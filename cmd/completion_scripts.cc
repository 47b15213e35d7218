#include "cmd/completion_scripts.h"

#include <algorithm>
#include <vector>

#include "cmd/cli.h"

namespace timectl::cmd {
namespace {

struct Node {
  std::string path;  // "whitelist add"; empty: the root
  const CLI::App* command;
};

void walk(const CLI::App& command, std::vector<Node>& nodes) {
  const std::string path = path_of(command);
  constexpr std::size_t kProgram = std::string_view("timectl ").size();
  nodes.push_back({path.size() < kProgram ? "" : path.substr(kProgram), &command});
  for (const auto* sub : commands_of(command)) walk(*sub, nodes);
}

std::vector<Node> nodes_of(const CLI::App& root) {
  std::vector<Node> nodes;
  walk(root, nodes);
  return nodes;
}

std::string last_word(const std::string& path) {
  return path.substr(path.rfind(' ') + 1);
}

// For single quotes of bash and zsh, and of fish.
std::string quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}
std::string fish_quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return out + "'";
}

std::string subcommand_words(const Node& node) {
  std::string words;
  for (const auto* sub : commands_of(*node.command)) {
    const auto name = last_word(path_of(*sub));
    words += (words.empty() ? "" : " ") + name;
  }
  return words;
}

// "case" arms shared by bash and zsh: the type of a value by "path option", or by the path alone
// for arguments.
std::string type_arms(const std::vector<Node>& nodes) {
  std::string arms;
  for (const auto& node : nodes) {
    for (const auto& value : values_of(*node.command)) {
      if (value.type.empty()) continue;
      std::string patterns;
      if (value.names.empty()) patterns = quoted(node.path);
      for (const auto& name : value.names) {
        // Global options are accepted after every command.
        const auto pattern =
            node.path.empty() ? "*" + quoted(" " + name) : quoted(node.path + " " + name);
        patterns += (patterns.empty() ? "" : " | ") + pattern;
      }
      arms += "    " + patterns + ") echo " + quoted(value.type) + " ;;\n";
    }
  }
  return arms;
}

std::string bash_option_arms(const std::vector<Node>& nodes) {
  std::string arms;
  for (const auto& node : nodes) {
    std::string options;
    for (const auto& value : values_of(*node.command)) {
      for (const auto& name : value.names) options += (options.empty() ? "" : " ") + name;
    }
    if (node.path.empty()) {
      arms += "    *) echo " + quoted(options) + " ;;\n";  // the root's come last: see below
    } else if (!options.empty()) {
      arms.insert(0, "    " + quoted(node.path) + ") echo " + quoted(options) + " ;;\n");
    }
  }
  return arms;
}

std::string bash_command_arms(const std::vector<Node>& nodes) {
  std::string arms;
  for (const auto& node : nodes) {
    const auto words = subcommand_words(node);
    if (!words.empty()) arms += "    " + quoted(node.path) + ") echo " + quoted(words) + " ;;\n";
  }
  return arms;
}

std::string zsh_command_arms(const std::vector<Node>& nodes) {
  std::string arms;
  for (const auto& node : nodes) {
    std::string items;
    for (const auto* sub : commands_of(*node.command)) {
      const auto name = last_word(path_of(*sub));
      items += "\n        " + quoted(name + ":" + help_summary(*sub));
    }
    if (!items.empty()) arms += "    " + quoted(node.path) + ") reply=(" + items + ") ;;\n";
  }
  return arms;
}

std::string zsh_option_arms(const std::vector<Node>& nodes) {
  std::string own;
  std::string global;
  for (const auto& node : nodes) {
    std::string items;
    for (const auto& value : values_of(*node.command)) {
      for (const auto& name : value.names) {
        items += "\n        " + quoted(name + ":" + value.help);
      }
    }
    if (items.empty()) continue;
    auto& arms = node.path.empty() ? global : own;
    arms += "    " + (node.path.empty() ? std::string("*") : quoted(node.path)) + ") reply=(" +
            items + ") ;;\n";
  }
  return own + global;
}

std::string replaced(std::string text, const std::string& mark, const std::string& by) {
  const auto at = text.find(mark);
  return at == std::string::npos ? text : text.replace(at, mark.size(), by);
}

// The walk over the words typed so far, the same in both shells: which command, which options
// name the node, and whether the word before the cursor wants a value.
constexpr const char* kBash =
    R"bash(# bash completion for timectl: made by `timectl completion bash` from the tree of commands.

_timectl_commands() {
  case $1 in
@COMMANDS@  esac
}

_timectl_options() {
  case $1 in
@OPTIONS@  esac
}

# The type of what an option ("PATH --OPTION") or the arguments of a command ("PATH") take.
_timectl_type() {
  case $1 in
@TYPES@  esac
}

_timectl() {
  local line=${COMP_LINE:0:COMP_POINT} path='' wants='' word cur type
  local -a words=() node=()
  read -ra words <<<"$line"
  [[ $line == *[[:space:]] ]] && words+=('')
  local last=$((${#words[@]} - 1))
  cur=${words[last]}
  COMPREPLY=()
  local i
  for ((i = 1; i < last; i++)); do
    word=${words[i]}
    if [[ -n $wants ]]; then
      case $wants in --socket | --data-dir | --network | --config) node+=("$wants" "$word") ;; esac
      wants=''
    elif [[ $word == --*=* ]]; then
      case $word in --socket=* | --data-dir=* | --network=* | --config=*) node+=("$word") ;; esac
    elif [[ $word == -* ]]; then
      [[ -n $(_timectl_type "$path $word") ]] && wants=$word
    elif [[ " $(_timectl_commands "$path") " == *" $word "* ]]; then
      path=${path:+$path }$word
    fi
  done

  local values=''
  if [[ -n $wants ]]; then
    type=$(_timectl_type "$path $wants")
  elif [[ $cur == -* ]]; then
    values="$(_timectl_options "$path") $(_timectl_options '')"
  else
    values=$(_timectl_commands "$path")
    type=$(_timectl_type "$path")
  fi
  case ${type:-} in
    FILE) mapfile -t COMPREPLY < <(compgen -f -- "$cur"); compopt -o filenames 2>/dev/null ;;
    DIR) mapfile -t COMPREPLY < <(compgen -d -- "$cur"); compopt -o filenames 2>/dev/null ;;
    ALERT | IP | BANNED | CODE | REASON | KIND | RULE | SINK)
      values+=" $("${words[0]}" "${node[@]}" __complete "$type" 2>/dev/null | cut -f 1)" ;;
    *'|'*) values+=" ${type//|/ }" ;;
  esac
  if [[ -n $values ]]; then
    local -a more=()
    mapfile -t more < <(compgen -W "$values" -- "$cur")
    COMPREPLY+=("${more[@]}")
  fi
  # readline replaces only what stands after the last colon of the word.
  if [[ $cur == *:* && $COMP_WORDBREAKS == *:* ]]; then
    local before=${cur%"${cur##*:}"}
    for i in "${!COMPREPLY[@]}"; do COMPREPLY[i]=${COMPREPLY[i]#"$before"}; done
  fi
}

complete -F _timectl timectl
)bash";

constexpr const char* kZsh = R"zsh(#compdef timectl
# zsh completion for timectl: made by `timectl completion zsh` from the tree of commands.

_timectl_commands() {
  reply=()
  case $1 in
@COMMANDS@  esac
}

_timectl_options() {
  reply=()
  case $1 in
@OPTIONS@  esac
}

# The type of what an option ("PATH --OPTION") or the arguments of a command ("PATH") take.
_timectl_type() {
  case $1 in
@TYPES@  esac
}

_timectl() {
  local at='' wants='' word type cur=${words[CURRENT]} i
  local -a node reply live
  for ((i = 2; i < CURRENT; i++)); do
    word=${words[i]}
    if [[ -n $wants ]]; then
      case $wants in (--socket|--data-dir|--network|--config) node+=("$wants" "$word") ;; esac
      wants=''
    elif [[ $word == --*=* ]]; then
      case $word in (--socket=*|--data-dir=*|--network=*|--config=*) node+=("$word") ;; esac
    elif [[ $word == -* ]]; then
      [[ -n $(_timectl_type "$at $word") ]] && wants=$word
    else
      _timectl_commands "$at"
      (( ${reply[(I)$word:*]} )) && at=${at:+$at }$word
    fi
  done

  if [[ -n $wants ]]; then
    type=$(_timectl_type "$at $wants")
  elif [[ $cur == -* ]]; then
    _timectl_options "$at"
    local -a options=("${reply[@]}")
    [[ -n $at ]] && { _timectl_options ''; options+=("${reply[@]}") }
    _describe -o option options
    return
  else
    _timectl_commands "$at"
    local -a commands=("${reply[@]}")
    (( ${#commands} )) && _describe command commands
    type=$(_timectl_type "$at")
  fi
  case $type in
    FILE) _files ;;
    DIR) _files -/ ;;
    ALERT|IP|BANNED|CODE|REASON|KIND|RULE|SINK)
      live=("${(@f)$("${words[1]}" "${node[@]}" __complete "$type" 2>/dev/null)}")
      live=("${(@)live%%$'\t'*}")
      (( ${#live} )) && [[ -n ${live[1]} ]] && compadd -a live ;;
    *'|'*) compadd -- ${(s:|:)type} ;;
  esac
}

if [[ $funcstack[1] == _timectl ]]; then _timectl "$@"; else compdef _timectl timectl; fi
)zsh";

constexpr const char* kFish =
    R"fish(# fish completion for timectl: made by `timectl completion fish` from the tree of commands.

# Prints the command that is typed so far, "whitelist add".
function __timectl_path
    set -l path
    set -l skip 0
    for word in (commandline -opc)[2..-1]
        if test $skip = 1
            set skip 0
        else if contains -- $word @VALUE_OPTIONS@
            set skip 1
        else if not string match -q -- '-*' $word
            set -l longer (string join ' ' $path $word)
            contains -- $longer @PATHS@; and set -a path $word
        end
    end
    string join ' ' $path
end

function __timectl_at
    test (__timectl_path | string collect -a) = "$argv"
end

function __timectl_live
    set -l words (commandline -opc)
    set -l node
    for i in (seq 2 (count $words))
        if contains -- $words[$i] --socket --data-dir --network --config
            set -a node $words[$i] $words[(math $i + 1)]
        else if string match -qr -- '^--(socket|data-dir|network|config)=' $words[$i]
            set -a node $words[$i]
        end
    end
    $words[1] $node __complete $argv[1] 2>/dev/null
end

complete -c timectl -f
)fish";

std::string fish_value(const std::string& type) {
  if (type == "FILE") return " -r -F";
  if (type == "DIR") return " -x -a '(__fish_complete_directories)'";
  if (asked_live(type)) {
    return " -x -a '(__timectl_live " + type + ")'";
  }
  if (type.find('|') != std::string::npos) {
    std::string words = type;
    std::replace(words.begin(), words.end(), '|', ' ');
    return " -x -a '" + words + "'";
  }
  return " -x";
}

std::string fish_lines(const Node& node) {
  const std::string at = "complete -c timectl -n " + fish_quoted("__timectl_at " + node.path);
  std::string lines;
  for (const auto* sub : commands_of(*node.command)) {
    lines +=
        at + " -a " + last_word(path_of(*sub)) + " -d " + fish_quoted(help_summary(*sub)) + "\n";
  }
  for (const auto& value : values_of(*node.command)) {
    if (value.names.empty()) {
      // -x would take the next word; an argument only offers.
      auto offer = fish_value(value.type);
      if (value.type == "FILE") {
        lines += at + " -F\n";
      } else if (const auto list = offer.find("-a "); list != std::string::npos) {
        lines += at + " " + offer.substr(list) + "\n";
      }
      continue;
    }
    std::string line = node.path.empty() ? "complete -c timectl" : at;
    for (const auto& name : value.names) {
      line += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
    }
    if (!value.type.empty()) line += fish_value(value.type);
    lines += line + " -d " + fish_quoted(value.help) + "\n";
  }
  return lines;
}

}  // namespace

std::string bash_script(const CLI::App& root) {
  const auto nodes = nodes_of(root);
  std::string script = replaced(kBash, "@COMMANDS@", bash_command_arms(nodes));
  script = replaced(script, "@OPTIONS@", bash_option_arms(nodes));
  return replaced(script, "@TYPES@", type_arms(nodes));
}

std::string zsh_script(const CLI::App& root) {
  const auto nodes = nodes_of(root);
  std::string script = replaced(kZsh, "@COMMANDS@", zsh_command_arms(nodes));
  script = replaced(script, "@OPTIONS@", zsh_option_arms(nodes));
  return replaced(script, "@TYPES@", type_arms(nodes));
}

std::string fish_script(const CLI::App& root) {
  const auto nodes = nodes_of(root);
  std::string paths;
  std::string options;
  std::string lines;
  for (const auto& node : nodes) {
    if (!node.path.empty()) paths += (paths.empty() ? "" : " ") + fish_quoted(node.path);
    for (const auto& value : values_of(*node.command)) {
      if (value.type.empty()) continue;
      for (const auto& name : value.names) {
        if ((" " + options + " ").find(" " + name + " ") == std::string::npos) {
          options += (options.empty() ? "" : " ") + name;
        }
      }
    }
    lines += fish_lines(node);
  }
  std::string script = replaced(kFish, "@VALUE_OPTIONS@", options);
  return replaced(script, "@PATHS@", paths) + lines;
}

}  // namespace timectl::cmd
