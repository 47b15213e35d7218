#include "config/override.h"

#include <algorithm>

#include "config/keys.h"

namespace timectl::config {
namespace {

std::string variable_of(const Key& key) {
  std::string name = "TIMECTL_" + std::string(key.section) + "_" + std::string(key.name);
  std::transform(name.begin(), name.end(), name.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
  return name;
}

const Key* key_of_variable(const std::string& variable) {
  if (variable == "TIMECTL_NETWORK") return find_key("network", "name");
  if (variable == "TIMECTL_DATA_DIR") return find_key("node", "data_dir");
  for (const auto& key : key_table()) {
    if (variable == variable_of(key)) return &key;
  }
  return nullptr;
}

bool names_a_section(const std::string& variable) {
  const auto names = section_names();
  return std::any_of(names.begin(), names.end(), [&](const std::string& section) {
    std::string prefix = variable_of({section, "", 0, 0, "", nullptr});
    return variable.starts_with(prefix);
  });
}

void apply(const Key& key, const std::string& value, Origin origin, const std::string& place,
           const std::string& name, Checked& out) {
  if (const auto refusal = assign_text(out.config, key, value)) {
    out.problems.push_back({place, 0, 0, 0, name + ": " + refusal->message, refusal->hint, ""});
    return;
  }
  out.config.placed[std::string(key.section) + "." + std::string(key.name)] = {origin, 0};
}

}  // namespace

void apply_overrides(const Environment& environment, const std::vector<Override>& flags,
                     Checked& out) {
  for (const auto& [variable, value] : environment) {
    if (!variable.starts_with("TIMECTL_") || value.empty()) continue;
    if (const Key* key = key_of_variable(variable)) {
      apply(*key, value, Origin::environment, "environment", variable, out);
    } else if (names_a_section(variable)) {
      std::vector<std::string> known;
      for (const auto& row : key_table()) known.push_back(variable_of(row));
      const auto like = nearest(variable, known);
      out.problems.push_back({"environment", 0, 0, 0, "there is no key for " + variable,
                              like.empty() ? "" : "did you mean " + like + "?", ""});
    }
  }
  for (const auto& flag : flags) {
    const Key* key = find_key(flag.section, flag.name);
    TIMECTL_CHECK(key != nullptr);
    apply(*key, flag.value, Origin::flag, "command line", flag.flag, out);
  }
}

}  // namespace timectl::config
