#include "daemon/diagnose/log_patterns.h"

#include <vector>

namespace timectl::diagnose {
namespace {

std::vector<Pattern> join() {
  std::vector<Pattern> all;
  for (const auto part : {process_patterns(), ban_patterns(), link_patterns(), chain_patterns()}) {
    all.insert(all.end(), part.begin(), part.end());
  }
  return all;
}

}  // namespace

std::span<const Pattern> patterns() {
  static const std::vector<Pattern> all = join();
  return all;
}

}  // namespace timectl::diagnose
