#pragma once
// Completion scripts from the tree of commands: pure text, so that a test keeps the files in
// completions/ in step. The scripts know commands, options and fixed words by themselves and ask
// `timectl __complete TYPE` for live values.

#include <string>

namespace CLI {
class App;
}

namespace timectl::cmd {

// Is a value of this type asked of the binary (completion.cc)?
[[nodiscard]] bool asked_live(const std::string& type);

[[nodiscard]] std::string bash_script(const CLI::App& root);
[[nodiscard]] std::string zsh_script(const CLI::App& root);
[[nodiscard]] std::string fish_script(const CLI::App& root);

}  // namespace timectl::cmd
