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

struct SinkProblem {
  std::string message = {};
  std::string hint = {};
};
// Of the sink as a whole. Never repeats its URL, which may be a secret.
[[nodiscard]] std::vector<SinkProblem> problems_of(const AlertSink& sink);

}  // namespace timectl::config
