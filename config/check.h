#pragma once
// The rules between keys, after each value was looked at by itself. Pure; called by check_text().

#include <vector>

#include "config/config.h"
#include "config/problem.h"

namespace timectl::config {

// About the lists of peers and sinks: each entry in them was accepted, so they always make sense.
[[nodiscard]] std::vector<Problem> broken_list_rules(const Config& config);
// About numbers: only where all values were accepted, else the complaint is about a default.
[[nodiscard]] std::vector<Problem> broken_number_rules(const Config& config);

}  // namespace timectl::config
