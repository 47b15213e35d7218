// docs/troubleshooting.md: what stands above its mark is written by hand (which symptom leads to
// which code), what stands below is made here from the catalogue, the pages and the patterns of the
// log reader, so that the document is no second place of facts. TIMECTL_REWRITE_GOLDEN=1 rewrites
// what is below.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>

#include "daemon/core/reflect.h"
#include "daemon/diagnose/catalogue.h"
#include "daemon/diagnose/log_patterns.h"
#include "daemon/diagnose/pages.h"
#include "daemon/diagnose/rules.h"
#include "tests/paths.h"

namespace timectl::diagnose {
namespace {

constexpr std::string_view kMark = "<!-- below: TIMECTL_REWRITE_GOLDEN=1 diagnose_test -->\n";
constexpr std::string_view kOfSeveralLines = "FM-X7";  // log_story.cc tells it, by no single line
constexpr std::size_t kLinesShown = 3;                 // of a log; `timectl diagnose log` knows all

struct Group {
  char letter;
  std::string_view title;
};
constexpr auto kGroups = std::to_array<Group>({
    {'R', "Reachability"},
    {'H', "Handshake, version, genesis, TLS"},
    {'K', "Keepalive"},
    {'D', "Direction and duplicates"},
    {'L', "Slots and limits"},
    {'B', "Bans and the whitelist"},
    {'P', "Discovery and the registry"},
    {'S', "Sync and forks"},
    {'X', "This machine: clock, disk, process"},
    {'C', "Configuration"},
    {'A', "The list's API and the RPC"},
});

std::string text_of(const std::string& name) {
  std::ifstream file(std::string(TIMECTL_SOURCE_DIR) + "/docs/" + name);
  return {std::istreambuf_iterator<char>(file), {}};
}

// The anchor that a heading gets.
std::string anchor(std::string_view code) {
  std::string low(code);
  std::ranges::transform(low, low.begin(), [](unsigned char c) { return std::tolower(c); });
  return low;
}

std::string in_log(std::string_view code) {
  std::string all;
  std::size_t shown = 0;
  std::set<std::string_view> seen;
  for (const auto& pattern : patterns()) {
    if (pattern.code != code || !seen.insert(pattern.fragment).second) continue;
    if (++shown > kLinesShown) break;
    // A fragment may begin or end with a blank, which code in Markdown would lose.
    auto fragment = pattern.fragment;
    while (fragment.starts_with(' ')) fragment.remove_prefix(1);
    while (fragment.ends_with(' ')) fragment.remove_suffix(1);
    all += (all.empty() ? "`" : ", `") + std::string(fragment) + "`";
    if (!pattern.also.empty()) all += " with `" + std::string(pattern.also) + "`";
  }
  return all;
}

// The first command: by whom the rules of the code are about; without rules the log has to tell.
std::string look_first(std::string_view code) {
  const bool gathered = std::ranges::find(not_gathered(), code) == not_gathered().end();
  bool peer = false;
  bool node = false;
  for (const Rule* rule : all_rules()) {
    if (rule->code != code || !gathered) continue;
    (rule->about == About::peer ? peer : node) = true;
  }
  if (peer && node) return "`timectl diagnose peer IP --probe`, `timectl diagnose node`";
  if (peer) return "`timectl diagnose peer IP --probe`";
  if (node) return "`timectl diagnose node`";
  if (in_log(code).empty() && code != kOfSeveralLines) {
    return "no command of this version finds it; read `timectl explain " + std::string(code) + "`";
  }
  return "`timectl diagnose log FILE`";
}

std::string who_acts(Act act) {
  switch (act) {
    case Act::you:
      return "you act";
    case Act::peer:
      return "the operator of the peer acts";
    case Act::nobody:
      break;
  }
  return "nobody has to act";
}

std::string sentence(std::string text) {
  if (!text.empty()) text[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(text[0])));
  return text.ends_with('.') ? text : text + ".";
}

std::string section(const Mode& mode) {
  std::ostringstream out;
  const auto line = [&](const char* what, const std::string& text) {
    if (!text.empty()) out << "- " << what << ": " << text << "\n";
  };
  out << "### " << mode.code << "\n\n**" << mode.title << "** (" << mode.name << ", "
      << name_of(mode.gravity) << "; " << who_acts(mode.act) << ")\n\n";
  line("What it is", std::string(mode.meaning));
  line("What shows it", sentence(told_by(mode.code)));
  line("In a log of timed", in_log(mode.code));
  line("Look first", look_first(mode.code));
  line("What to do", std::string(mode.remedy));
  const auto title = std::string(own_title(mode.code));
  line("On a timectl node",
       (title.empty() ? "" : "*" + title + ".* ") + std::string(own_remedy(mode.code)));
  std::string hidden;
  for (const auto& code : hidden_by(mode.code)) {
    hidden += (hidden.empty() ? "" : ", ") +
              (code.starts_with("FM-") ? "[" + code + "](#" + anchor(code) + ")" : code);
  }
  line("Explains as well", hidden);
  line("The page in the terminal", "`timectl explain " + std::string(mode.code) + "`");
  out << "\n";
  return out.str();
}

std::string generated() {
  std::string out;
  for (const auto& group : kGroups) {
    out += "## " + std::string(group.title) +
           "\n\n| code | what you see | how grave |\n|---|---|---|\n";
    std::string sections;
    for (const auto& mode : catalogue()) {
      if (mode.code[3] != group.letter) continue;
      out += "| [" + std::string(mode.code) + "](#" + anchor(mode.code) + ") | " +
             std::string(mode.title) + " | " + std::string(name_of(mode.gravity)) + " |\n";
      sections += section(mode);
    }
    out += "\n" + sections;
  }
  while (out.ends_with("\n\n")) out.pop_back();
  return out;
}

TEST(Troubleshooting, TheSectionsAreThoseOfTheCatalogue) {
  const auto present = text_of("troubleshooting.md");
  const auto mark = present.find(kMark);
  ASSERT_NE(mark, std::string::npos) << "the mark is gone: nobody knows what is written by hand";
  const auto wanted = present.substr(0, mark) + std::string(kMark) + "\n" + generated();
  if (std::getenv("TIMECTL_REWRITE_GOLDEN") != nullptr) {
    std::ofstream(std::string(TIMECTL_SOURCE_DIR) + "/docs/troubleshooting.md") << wanted;
  }
  EXPECT_EQ(text_of("troubleshooting.md"), wanted)
      << "if this is right: TIMECTL_REWRITE_GOLDEN=1 diagnose_test";
}

TEST(Troubleshooting, EveryCodeHasOneSectionWithACommandAndWhatToDo) {
  const auto text = generated();
  std::size_t sections = 0;
  for (std::size_t at = text.find("### "); at != std::string::npos;
       at = text.find("### ", at + 1)) {
    ++sections;
  }
  EXPECT_EQ(sections, catalogue().size()) << "a group without a heading?";
  for (const auto& mode : catalogue()) {
    const auto one = section(mode);
    EXPECT_NE(one.find("- Look first: "), std::string::npos) << mode.code;
    EXPECT_NE(one.find("`timectl "), std::string::npos) << mode.code;
    EXPECT_NE(one.find("- What it is: "), std::string::npos) << mode.code;
    EXPECT_NE(one.find("- What shows it: "), std::string::npos) << mode.code;
  }
}

// Also in the other documents: a code that does not exist would send somebody nowhere.
TEST(Troubleshooting, EveryCodeThatADocumentNamesExists) {
  static const std::regex code("FM-[A-Z][0-9]+");
  std::size_t seen = 0;
  for (const char* name : {"troubleshooting.md", "runbooks.md", "network.md", "masternode-setup.md",
                           "README.md", "diagnose.md", "diagnose-log.md", "alerts.md"}) {
    const auto text = text_of(name);
    EXPECT_FALSE(text.empty()) << name;
    for (std::sregex_iterator it(text.begin(), text.end(), code), end; it != end; ++it) {
      ++seen;
      EXPECT_NE(find_mode(it->str()), nullptr) << name << " names " << it->str();
    }
  }
  EXPECT_GT(seen, 2 * catalogue().size()) << "the search finds nothing";
  EXPECT_EQ(find_mode("FM-Z9"), nullptr) << "the control";
}

// The index by symptom is of use only if it leads far: half of what is grave, at least.
TEST(Troubleshooting, TheIndexBySymptomLeadsToWhatIsGrave) {
  const auto text = text_of("troubleshooting.md");
  const auto index = text.substr(0, text.find(kMark));
  std::string missing;
  std::size_t named = 0;
  std::size_t grave = 0;
  for (const auto& mode : catalogue()) {
    if (mode.gravity != Gravity::critical && mode.gravity != Gravity::high) continue;
    ++grave;
    if (index.find("(#" + anchor(mode.code) + ")") != std::string::npos) {
      ++named;
    } else {
      missing += std::string(mode.code) + " ";
    }
  }
  EXPECT_GE(named * 2, grave) << missing;
}

}  // namespace
}  // namespace timectl::diagnose
