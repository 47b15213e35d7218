#pragma once
// The command line: builds the tree of commands, parses, runs one action, and turns every failure
// into its exit status, here and nowhere else. main.cc calls run(); the tests and the completion
// walk the tree.

#include <memory>
#include <string>
#include <vector>

#include "cmd/context.h"
#include "cmd/tree.h"

namespace timectl::cmd {

// The whole tree with all nouns; `context` must outlive it.
[[nodiscard]] std::shared_ptr<CLI::App> build_tree(Context& context);

// Runs `timectl` with these arguments (without the program's name); returns the exit status.
[[nodiscard]] int run(const std::vector<std::string>& arguments);

// Help of one command of the tree: examples first, at most two screens.
[[nodiscard]] std::string help_text(const CLI::App& command);
// "timectl whitelist add"
[[nodiscard]] std::string path_of(const CLI::App& command);

[[nodiscard]] std::string help_summary(const CLI::App& command);

// The options and arguments of one command as help and completion need them.
struct Value {
  std::vector<std::string> names;  // "--reason"; empty for an argument
  std::string type;                // "IP", "TEXT", "a|b"; empty for a flag
  std::string title;               // "-q, --quiet" or "IP..."
  std::string help;
  bool needed = false;
  bool many = false;
};
[[nodiscard]] std::vector<Value> values_of(const CLI::App& command);
// Visible subcommands, in the order of cli.md.
[[nodiscard]] std::vector<const CLI::App*> commands_of(const CLI::App& command);

// What `timectl version` and `--version` do.
[[nodiscard]] Result<int> print_version(Output& out);

}  // namespace timectl::cmd
