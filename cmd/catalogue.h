#pragma once
// All words and codes that timectl prints, with what they mean: error codes, end reasons, states,
// kinds of events and violations, failures of the network, gathered from their tables. `timectl
// explain` prints it, completion offers the codes.

#include <boost/describe/class.hpp>
#include <optional>
#include <string>
#include <vector>

namespace timectl::cmd {

// What only the failures have (daemon/diagnose/catalogue.h).
struct FailurePage {
  std::string name = {};      // "HALF-OPEN"
  std::string severity = {};  // at its usual worst
  std::string act = {};       // who can end it: you, peer, nobody
  std::string meaning = {};
  std::string told_by = {};             // how it is told apart
  std::string here = {};                // the remedy where it is this node's
  std::vector<std::string> hides = {};  // what is not said beside it, because it follows from it
};
BOOST_DESCRIBE_STRUCT(FailurePage, (), (name, severity, act, meaning, told_by, here, hides))

struct Explanation {
  std::string code = {};
  std::string catalogue = {};  // a row of the table in explain.cc
  std::string title = {};      // one line
  std::string remedy = {};     // what to do; empty where there is nothing to do
  std::optional<int> exit_status = {};
  std::optional<FailurePage> failure = {};
};
BOOST_DESCRIBE_STRUCT(Explanation, (), (code, catalogue, title, remedy, exit_status, failure))

[[nodiscard]] const std::vector<Explanation>& catalogue();

}  // namespace timectl::cmd
