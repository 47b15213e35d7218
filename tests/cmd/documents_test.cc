// What the documents tell people to type and to follow: every `timectl ...` in README.md and docs/
// is a command of the tree with options that it has, every code that is to be explained can be,
// every key exists, and every link leads to a heading.
#include <gtest/gtest.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>

#include "cmd/catalogue.h"
#include "cmd/cli.h"
#include "config/keys.h"
#include "daemon/core/alert_rules.h"
#include "daemon/core/reflect.h"
#include "tests/paths.h"

namespace timectl::cmd {
namespace {

namespace fs = std::filesystem;

struct Document {
  std::string name;  // "docs/alerts.md"
  std::vector<std::string> lines;
};

std::vector<Document> documents() {
  const fs::path root = TIMECTL_SOURCE_DIR;
  std::vector<fs::path> paths{root / "README.md"};
  for (const auto& entry : fs::directory_iterator(root / "docs")) {
    if (entry.path().extension() == ".md") paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  std::vector<Document> all;
  for (const auto& path : paths) {
    Document document{path.lexically_relative(root).string(), {}};
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);) document.lines.push_back(line);
    all.push_back(std::move(document));
  }
  return all;
}

// Of code in a line of text, and of the lines between fences.
struct Code {
  std::string where;  // "docs/alerts.md:12"
  std::string text;
  bool block = false;
};

std::vector<Code> code_of(const Document& document) {
  std::vector<Code> all;
  bool fenced = false;
  for (std::size_t i = 0; i < document.lines.size(); ++i) {
    const auto& line = document.lines[i];
    const auto where = document.name + ":" + std::to_string(i + 1);
    const auto text = line.substr(std::min(line.find_first_not_of(' '), line.size()));
    if (text.starts_with("```")) {
      fenced = !fenced;
    } else if (fenced) {
      all.push_back({where, text, true});
    } else {
      for (auto at = line.find('`'); at != std::string::npos;) {
        const auto end = line.find('`', at + 1);
        if (end == std::string::npos) break;
        all.push_back({where, line.substr(at + 1, end - at - 1), false});
        at = line.find('`', end + 1);
      }
    }
  }
  return all;
}

// The words after `timectl`, as far as they are one command; none where it is not called.
std::vector<std::vector<std::string>> calls_in(const Code& code) {
  static const std::regex call(
      R"((^|[|;&$(] *|-- |ssh [^ ]+ |\b[A-Z_]+=\S+ )timectl( [^|;&)]*|$))");
  auto text = code.text;
  // A comment of a shell, and the meaning behind two blanks of a list.
  text = text.substr(0, std::min(text.find(" #"), text.size()));
  text = std::regex_replace(text, std::regex(R"(\\\|)"), "|");
  std::vector<std::vector<std::string>> calls;
  for (std::sregex_iterator it(text.begin(), text.end(), call), end; it != end; ++it) {
    auto rest = it->str(2);
    if (code.block) rest = rest.substr(0, std::min(rest.find("  "), rest.size()));
    std::vector<std::string> words;
    // A text in quotes is one word.
    static const std::regex word(R"re("[^"]*"|'[^']*'|\S+)re");
    for (std::sregex_iterator w(rest.begin(), rest.end(), word), last; w != last; ++w) {
      words.push_back(w->str());
    }
    calls.push_back(std::move(words));
  }
  return calls;
}

// What is wrong with the words, empty: nothing.
class Checker {
 public:
  Checker() : tree_(build_tree(context_)) {
    for (const auto& entry : catalogue()) codes_.insert(entry.code);
  }

  [[nodiscard]] std::string problem_of(const std::vector<std::string>& words) const {
    const CLI::App* at = tree_.get();
    std::vector<std::string> given;
    for (std::size_t i = 0; i < words.size(); ++i) {
      const auto& word = words[i];
      if (word == ">" || word == "<" || word == "2>&1" || word == "...") break;
      if (word.starts_with("-") && word.size() > 1) {
        const auto* option = option_of(*at, word);
        if (option == nullptr) return path_of(*at) + " has no option " + word;
        if (option->get_items_expected_max() > 0) ++i;
        continue;
      }
      const auto verbs = commands_of(*at);
      const auto next = std::ranges::find(verbs, word, [](const auto* c) { return c->get_name(); });
      if (next != verbs.end() && given.empty()) {
        at = *next;
      } else if (!verbs.empty() && given.empty()) {
        return path_of(*at) + " has no " + word;
      } else {
        given.push_back(word);
      }
    }
    return argument_problem(path_of(*at), given);
  }

 private:
  const CLI::Option* option_of(const CLI::App& command, const std::string& word) const {
    const auto name = word.substr(0, word.find('='));
    const auto* own = command.get_option_no_throw(name);
    return own != nullptr ? own : tree_->get_option_no_throw(name);
  }

  [[nodiscard]] std::string argument_problem(const std::string& path,
                                             const std::vector<std::string>& given) const {
    if (given.empty()) return "";
    const auto& first = given.front();
    const bool placeholder = first == "CODE" || first == "RULE" || first == "ID";
    if (path == "timectl explain" && !placeholder && !codes_.contains(first)) {
      return "nothing explains " + first;
    }
    if (path == "timectl alerts silence" && !placeholder && !value_of<AlertRule>(first)) {
      return "there is no alert rule " + first;
    }
    return "";
  }

  Context context_;
  std::shared_ptr<CLI::App> tree_;
  std::set<std::string> codes_;
};

std::vector<std::string> words_of_text(const std::string& text) {
  const auto calls = calls_in({"", text, true});
  return calls.empty() ? std::vector<std::string>{} : calls.front();
}

TEST(Documents, EveryCommandIsOneOfTheTree) {
  const Checker checker;
  std::size_t seen = 0;
  for (const auto& document : documents()) {
    for (const auto& code : code_of(document)) {
      for (const auto& words : calls_in(code)) {
        ++seen;
        EXPECT_EQ(checker.problem_of(words), "") << code.where << ": " << code.text;
      }
    }
  }
  EXPECT_GT(seen, 300U) << "the search finds nothing";
}

TEST(Documents, ACommandThatDoesNotExistWouldBeFound) {
  const Checker checker;
  for (const char* wrong :
       {"timectl peer dance", "timectl alerts silence lagg --for 1h", "timectl explain FM-Z9",
        "timectl diagnose peer IP --prode", "$ timectl nodes", "X=1 timectl nodes"}) {
    EXPECT_NE(checker.problem_of(words_of_text(wrong)), "") << wrong;
  }
  for (const char* right :
       {"timectl", "$ timectl --data-dir ~/a node stop", "timectl alerts silence lag --for 1h",
        "timectl whitelist add 203.0.113.7 --label node", "timectl explain --list"}) {
    EXPECT_EQ(checker.problem_of(words_of_text(right)), "") << right;
  }
}

TEST(Documents, EveryKeyExists) {
  static const std::regex dotted("([a-z]+)\\.([a-z_]+)( = .*)?");
  const auto sections = config::section_names();
  // Other things with the name of a section before a point: files, actions of the audit log.
  const std::set<std::string> other{"chain.db", "node.sock", "whitelist.add", "whitelist.change",
                                    "whitelist.remove"};
  std::size_t seen = 0;
  for (const auto& document : documents()) {
    for (const auto& code : code_of(document)) {
      std::smatch match;
      if (code.block || !std::regex_match(code.text, match, dotted)) continue;
      if (std::ranges::find(sections, match[1]) == sections.end()) continue;
      if (other.contains(match.str(1) + "." + match.str(2))) continue;
      ++seen;
      EXPECT_NE(config::find_key(match.str(1), match.str(2)), nullptr)
          << code.where << ": " << code.text;
    }
  }
  EXPECT_GT(seen, 50U);
}

// As GitHub makes it: lower case, blanks to hyphens, and of the rest only letters, digits, - and _.
std::string anchor_of(const std::string& heading) {
  std::string anchor;
  for (const unsigned char c : heading) {
    if (c == ' ') {
      anchor += '-';
    } else if (std::isalnum(c) != 0 || c == '-' || c == '_') {
      anchor += static_cast<char>(std::tolower(c));
    }
  }
  return anchor;
}

std::set<std::string> anchors_of(const fs::path& path) {
  std::set<std::string> all;
  std::ifstream file(path);
  bool fenced = false;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("```")) fenced = !fenced;
    const auto text = line.find_first_not_of('#');
    if (fenced || !line.starts_with('#') || text == std::string::npos) continue;
    all.insert(anchor_of(line.substr(text + 1)));
  }
  return all;
}

// What is wrong with a link of the document; empty: nothing, or it leads outside.
std::string link_problem(const std::string& document, const std::string& target) {
  if (target.find("://") != std::string::npos) return "";
  const auto hash = target.find('#');
  const auto file = target.substr(0, hash);
  const fs::path from = fs::path(TIMECTL_SOURCE_DIR) / document;
  const auto path = file.empty() ? from : from.parent_path() / file;
  if (!fs::exists(path)) return "there is no " + file;
  if (hash == std::string::npos || path.extension() != ".md") return "";
  static std::map<fs::path, std::set<std::string>> known;
  const auto found = known.try_emplace(path, anchors_of(path)).first;
  return found->second.contains(target.substr(hash + 1)) ? "" : "no heading for " + target;
}

TEST(Documents, EveryLinkLeadsSomewhere) {
  static const std::regex link(R"(\]\(([^)\s]+)\))");
  std::size_t seen = 0;
  for (const auto& document : documents()) {
    for (std::size_t i = 0; i < document.lines.size(); ++i) {
      const auto& line = document.lines[i];
      for (std::sregex_iterator it(line.begin(), line.end(), link), end; it != end; ++it) {
        ++seen;
        EXPECT_EQ(link_problem(document.name, it->str(1)), "") << document.name << ":" << i + 1;
      }
    }
  }
  EXPECT_GT(seen, 100U);
  EXPECT_NE(link_problem("docs/README.md", "nowhere.md"), "");
  EXPECT_NE(link_problem("docs/README.md", "alerts.md#nothing"), "");
}

TEST(Documents, TheIndexNamesEachOfThem) {
  std::string index;
  const auto all = documents();
  for (const auto& document : all) {
    if (document.name != "docs/README.md") continue;
    for (const auto& line : document.lines) index += line + "\n";
  }
  for (const auto& document : all) {
    if (!document.name.starts_with("docs/") || document.name == "docs/README.md") continue;
    EXPECT_NE(index.find("(" + document.name.substr(5)), std::string::npos) << document.name;
  }
}

}  // namespace
}  // namespace timectl::cmd
