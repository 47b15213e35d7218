#pragma once
// The rules between keys, after each value was looked at by itself. Pure; called by check_text().

#include <string_view>
#include <vector>

#include "config/config.h"
#include "config/problem.h"

namespace timectl::config {

// About the lists of peers and sinks: each entry in them was accepted, so they always make sense.
[[nodiscard]] std::vector<Problem> broken_list_rules(const Config& config);
// About numbers: only where all values were accepted, else the complaint is about a default.
[[nodiscard]] std::vector<Problem> broken_number_rules(const Config& config);

// Rules know the line of what they refuse: this shows it, with the caret under what the message
// begins with (an address or a key) or else under the whole line.
void point_at(Problem& problem, std::string_view text);

}  // namespace timectl::config
