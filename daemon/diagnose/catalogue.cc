#include "daemon/diagnose/catalogue.h"

#include <algorithm>
#include <vector>

#include "daemon/core/result.h"

namespace timectl::diagnose {
namespace {

std::vector<Mode> join() {
  std::vector<Mode> all;
  for (const auto part : {link_modes(), list_modes(), node_modes()}) {
    all.insert(all.end(), part.begin(), part.end());
  }
  return all;
}

}  // namespace

std::span<const Mode> catalogue() {
  static const std::vector<Mode> all = join();
  return all;
}

const Mode* find_mode(std::string_view code) {
  const auto all = catalogue();
  const auto found = std::ranges::find(all, code, &Mode::code);
  return found == all.end() ? nullptr : &*found;
}

const Mode& mode_of(std::string_view code) {
  const Mode* found = find_mode(code);
  TIMECTL_CHECK(found != nullptr);
  return *found;
}

}  // namespace timectl::diagnose
