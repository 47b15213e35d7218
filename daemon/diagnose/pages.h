#pragma once
// What a page of `timectl explain` says beside the catalogue: how a mode is told apart from those
// that look like it, and what to do about it on a node of ours. The catalogue's remedies are for
// the operator of a timed; where the fault is this node's, its own commands are the remedy.

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace timectl::diagnose {

struct Telling {
  std::string_view code;
  std::string_view text;  // one or two clauses; empty: only the log tells it
};
// Of every code that has a rule.
[[nodiscard]] std::span<const Telling> tellings();
// How `code` is told apart; also of one that only a log names, or nobody from outside.
[[nodiscard]] std::string told_by(std::string_view code);

// Codes whose rules no node of this version gives the facts; told_by() says so.
[[nodiscard]] std::span<const std::string_view> not_gathered();

struct OwnRemedy {
  std::string_view code;
  std::string_view text;
  std::string_view title = {};  // where the catalogue's tells what timed does then
};
[[nodiscard]] std::span<const OwnRemedy> own_remedies();
// What to do where it is not the peer who has to; empty: what the catalogue says.
[[nodiscard]] std::string_view own_remedy(std::string_view code);
// What a finding about this node is called; empty: as in the catalogue.
[[nodiscard]] std::string_view own_title(std::string_view code);

// Findings that are no mode of the catalogue and no ailment.
struct OwnCode {
  std::string_view code;
  std::string_view title;
  std::string_view meaning;
  std::string_view remedy;
};
[[nodiscard]] std::span<const OwnCode> own_codes();

// What the rules of `code` hide, because it follows from it.
[[nodiscard]] std::vector<std::string> hidden_by(std::string_view code);

}  // namespace timectl::diagnose
