#pragma once
// What beats the file: the environment, then the flags. Called by check_text().

#include <vector>

#include "config/load.h"

namespace timectl::config {

// TIMECTL_NETWORK and TIMECTL_DATA_DIR stand for network.name and node.data_dir; every other key
// is TIMECTL_<SECTION>_<KEY> in capitals. A variable of a section with an unknown key is a
// problem; other TIMECTL_ variables are left alone.
void apply_overrides(const Environment& environment, const std::vector<Override>& flags,
                     Checked& out);

}  // namespace timectl::config
