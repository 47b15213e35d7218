#pragma once
// The keys of one [[alerts.sink]], without the file's syntax: config.cc reads the table, this knows
// what may stand in it and which keys go together.

#include <optional>
#include <string>
#include <vector>

#include "config/keys.h"

namespace timectl::config {

struct SinkRefusal {
  std::string message = {};
  std::string hint = {};
  bool is_name = false;  // there is no such key
};

// Any key but `name`.
[[nodiscard]] std::optional<SinkRefusal> assign_sink(AlertSink& sink, const std::string& name,
                                                     const Scalar& value);

// What is wrong with a name that is a label otherwise; empty: nothing.
[[nodiscard]] std::string wrong_with_name(const std::string& name);

struct SinkProblem {
  std::string key = {};  // whose value is wrong; one that is missing: empty
  std::string message = {};
  std::string hint = {};
};
// Of the sink as a whole; `given` are the keys that stand in it, a kind that was refused not among
// them but `kind_known` false: then nothing is said of what its kind decides. Never repeats its
// URL, which may be a secret.
[[nodiscard]] std::vector<SinkProblem> problems_of(const AlertSink& sink,
                                                   const std::vector<std::string>& given,
                                                   bool kind_known);

}  // namespace timectl::config
