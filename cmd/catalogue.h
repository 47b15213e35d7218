#pragma once
// All words and codes that timectl prints, with what they mean: error codes, end reasons, states,
// kinds of events and violations, gathered from their tables. `timectl explain` prints it,
// completion offers the codes.

#include <boost/describe/class.hpp>
#include <optional>
#include <string>
#include <vector>

namespace timectl::cmd {

struct Explanation {
  std::string code = {};
  std::string catalogue = {};  // a row of the table in explain.cc
  std::string title = {};      // one line
  std::string remedy = {};     // what to do; empty where there is nothing to do
  std::optional<int> exit_status = {};
};
BOOST_DESCRIBE_STRUCT(Explanation, (), (code, catalogue, title, remedy, exit_status))

[[nodiscard]] const std::vector<Explanation>& catalogue();

}  // namespace timectl::cmd
