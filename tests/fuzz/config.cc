// The configuration parser under arbitrary bytes: it must answer with problems or a Config, and
// what it accepts it must be able to show.
#include <string_view>

#include "config/load.h"
#include "tests/fuzz/fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace config = timectl::config;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto checked = config::check_text(text, "fuzz.toml");
  timectl::fuzz::require(checked.problems.size() <= 100, "the problems are bounded");
  timectl::fuzz::require(checked.problems.empty() || !config::render(checked.problems).empty(),
                         "each problem has a text");
  timectl::fuzz::require(!config::show(checked.config).empty(), "a Config can be shown");
  return 0;
}
