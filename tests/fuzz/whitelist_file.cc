// The reader of whitelists in files under arbitrary bytes, in the form that they look like and in
// each other one: problems or peers, bounded, and what was read survives being written.
#include <string_view>

#include "config/whitelist_file.h"
#include "tests/fuzz/fuzz.h"

namespace {

using timectl::config::ListFormat;

void read(std::string_view text, std::optional<ListFormat> format) {
  namespace config = timectl::config;
  using timectl::fuzz::require;
  const auto list = config::read_list(text, "list", {format, true});
  require(list.problems.size() <= config::kMostListProblems, "the problems are bounded");
  require(list.problem_count == 0 || list.peers.empty(), "a bad list has no peers");
  require(list.peers.size() <= timectl::kMostListed, "the peers are bounded");
  if (list.problem_count > 0) return;
  for (const auto again : {ListFormat::text, ListFormat::json, ListFormat::toml}) {
    const auto written = config::write_list(list.peers, again);
    const auto second = config::read_list(written, "list");
    require(second.format == again, "what is written is recognised");
    require(second.problem_count == 0 && second.peers == list.peers,
            "written and read is the same");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  read(text, std::nullopt);
  for (const auto format : {ListFormat::text, ListFormat::json, ListFormat::toml}) {
    read(text, format);
  }
  return 0;
}
