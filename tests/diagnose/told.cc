#include "tests/diagnose/told.h"

#include <algorithm>

#include "daemon/diagnose/scene.h"

namespace timectl::diagnose {

const Finding* found(const Diagnosis& diagnosis, std::string_view code) {
  const auto at = std::find_if(diagnosis.findings.begin(), diagnosis.findings.end(),
                               [&](const Finding& f) { return f.code == code; });
  return at == diagnosis.findings.end() ? nullptr : &*at;
}

std::string told(const Diagnosis& d) {
  std::string text = d.verdict;
  for (const auto& f : d.findings) {
    text += "\n  " + f.code + " " + number_text(f.confidence, 2);
    for (const auto& line : f.evidence) text += " | " + line;
  }
  return text;
}

}  // namespace timectl::diagnose
