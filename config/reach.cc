#include "config/reach.h"

#include <algorithm>

#include "config/keys.h"
#include "config/override.h"
#include "daemon/core/result.h"

namespace timectl::config {
namespace {

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

// "text" or 'text', and nothing but a comment behind it.
std::optional<std::string> quoted(std::string_view text) {
  if (text.size() < 2 || (text.front() != '"' && text.front() != '\'')) return std::nullopt;
  const auto close = text.find(text.front(), 1);
  if (close == std::string_view::npos) return std::nullopt;
  const auto rest = trimmed(text.substr(close + 1));
  const auto inner = text.substr(1, close - 1);
  if ((!rest.empty() && rest.front() != '#') || inner.find('\\') != std::string_view::npos) {
    return std::nullopt;
  }
  return std::string(inner);
}

// Quotes around a name and blanks around a dot are the other spellings of the same key.
std::string plain(std::string_view name) {
  std::string out;
  for (const char c : name) {
    if (c != ' ' && c != '\t' && c != '"' && c != '\'') out += c;
  }
  return out;
}

struct Wanted {
  const char* section;
  const char* name;
};
constexpr Wanted kWay[] = {{"network", "name"}, {"node", "data_dir"}};

// An unknown name that may have been meant for the wanted one leaves its value unknown.
bool misspelt(const Checked& checked, const Wanted& wanted) {
  return std::any_of(checked.problems.begin(), checked.problems.end(), [&](const Problem& problem) {
    if (!problem.message.starts_with("there is no ") || problem.column == 0) return false;
    if (problem.column > problem.excerpt.size()) return false;
    const auto word = problem.excerpt.substr(problem.column - 1, problem.width);
    return !nearest(word, {wanted.section, wanted.name}).empty();
  });
}

bool is_good(const Checked& checked, const Placed& placed) {
  return std::none_of(checked.problems.begin(), checked.problems.end(),
                      [&](const auto& problem) { return problem.line == placed.line; });
}

void assign_word(Reach& reach, const Key& key, const std::string& dotted, const Scanned& found) {
  if (found.value && !assign_text(reach.config, key, *found.value)) {
    reach.config.placed[dotted] = {Origin::file, 0};
  } else if (found.value || found.unreadable) {
    reach.guessed = true;
  }
}

// One of the two: of a flag or a variable, else of the file.
void take(Reach& reach, const Wanted& wanted, const Checked& checked,
          const std::optional<std::string>& text) {
  const auto dotted = std::string(wanted.section) + "." + wanted.name;
  const Key* key = find_key(wanted.section, wanted.name);
  TIMECTL_CHECK(key != nullptr);
  const auto placed = checked.config.placed.find(dotted);
  if (placed != checked.config.placed.end()) {
    if (placed->second.origin == Origin::file && !is_good(checked, placed->second)) {
      reach.guessed = true;
      return;
    }
    if (dotted == "network.name") reach.config.network.name = checked.config.network.name;
    if (dotted == "node.data_dir") reach.config.node.data_dir = checked.config.node.data_dir;
    reach.config.placed[dotted] = placed->second;
  } else if (!text) {
    reach.guessed = true;
  } else if (!checked.is_toml) {
    assign_word(reach, *key, dotted, scan(*text, wanted.section, wanted.name));
  } else if (misspelt(checked, wanted)) {
    reach.guessed = true;
  }
}

}  // namespace

Scanned scan(std::string_view text, std::string_view section, std::string_view key) {
  Scanned found;
  std::string here;
  while (!text.empty()) {
    const auto end = text.find('\n');
    const auto line = trimmed(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.empty() || line.front() == '#') continue;
    if (line.front() == '[') {
      const auto close = line.find(']');
      here = plain(line.substr(1, close == std::string_view::npos ? close : close - 1));
      // "[network" or "[[network]]" begins something, but who can say what.
      const bool header = here == section && close != std::string_view::npos;
      if (!header && here.find(section) != std::string::npos) found.unreadable = true;
      continue;
    }
    const auto equals = line.find('=');
    const auto name = plain(line.substr(0, equals));
    const bool ours = (here == section && name == key) ||
                      (here.empty() && name == std::string(section) + "." + std::string(key));
    const bool inline_table = here.empty() && name == section;
    if (ours && !found.value && equals != std::string_view::npos) {
      found.value = quoted(trimmed(line.substr(equals + 1)));
      if (!found.value) found.unreadable = true;
    } else if (ours || inline_table) {
      found.unreadable = true;  // twice, or without a value
    } else if (here == section && equals == std::string_view::npos && name.starts_with(key)) {
      found.unreadable = true;
    }
  }
  if (found.unreadable) found.value.reset();
  return found;
}

Result<Reach> load_to_reach(const Request& request) {
  Reach reach;
  auto checked = check_file(request);
  if (checked && checked->problems.empty()) {
    reach.config = std::move(checked->config);
    return reach;
  }
  if (!checked && checked.error().code == Code::not_found) return checked.error();
  const std::string file = request.file ? request.file->string() : "";
  std::optional<std::string> text;
  if (checked) {
    // What is wrong with this command's own words is no node's doing.
    const bool in_file = std::all_of(checked->problems.begin(), checked->problems.end(),
                                     [&](const auto& problem) { return problem.file == file; });
    reach.broken = error_of(checked->problems, request);
    if (!in_file || file.empty()) return *reach.broken;
    if (auto read = read_text(file)) text = std::move(*read);
  } else {
    // Unreadable, or anybody may write it: then not even the way to the node is taken from it.
    reach.broken = checked.error();
    checked = Checked{};
    apply_overrides(request.environment, request.flags, *checked);
    if (!checked->problems.empty()) return *reach.broken;
  }
  reach.config.file = file;
  for (const auto& wanted : kWay) take(reach, wanted, *checked, text);
  return reach;
}

}  // namespace timectl::config
