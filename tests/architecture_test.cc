// The architecture as rules that a machine checks: which folder may include which, what the pure
// folders may use, where clocks, SQL and libraries may stand; each has its negative control here.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "tests/paths.h"

namespace {

namespace fs = std::filesystem;
using Lines = std::vector<std::string>;

const std::vector<std::string> kFolders{"cmd", "config", "daemon", "store"};

// What a folder may include, as prefixes of paths; nothing points up. A folder's own files come
// first. Files directly in daemon/ are the composition root.
const std::map<std::string, Lines> kLayers{
    {"daemon/core", {"daemon/core/"}},
    // Of the core only what stands for a value: no decision is known to the codec.
    {"daemon/wire",
     {"daemon/wire/", "daemon/core/result.h", "daemon/core/reflect.h", "daemon/core/json.h",
      "daemon/core/ip_address.h", "daemon/core/vocabulary.h", "daemon/core/time.h",
      "daemon/core/utf8.h"}},
    {"daemon/chain", {"daemon/chain/", "daemon/wire/", "daemon/core/"}},
    {"daemon/diagnose", {"daemon/diagnose/", "daemon/core/"}},
    {"config", {"config/", "daemon/core/"}},
    {"store", {"store/", "daemon/core/", "daemon/chain/"}},
    // Of the control protocol the views, which metrics print, too.
    {"daemon/observe",
     {"daemon/observe/", "daemon/core/", "daemon/control/overview_api.h",
      "daemon/control/alerts_api.h", "daemon/control/api.h"}},
    // Of the client of lists how libcurl is loaded and which proxy is used: one place for both.
    {"daemon/sinks",
     {"daemon/sinks/", "daemon/core/", "daemon/discovery/curl_library.h",
      "daemon/discovery/proxy_choice.h"}},
    {"daemon/web", {"daemon/web/", "daemon/core/"}},
    {"daemon/control", {"daemon/control/", "daemon/core/"}},
    {"daemon/discovery", {"daemon/discovery/", "daemon/core/"}},
    {"daemon/net", {"daemon/net/", "daemon/wire/", "daemon/core/"}},
    {"daemon/probe",
     {"daemon/probe/", "daemon/net/", "daemon/wire/", "daemon/diagnose/", "daemon/core/"}},
    {"daemon", {"daemon/", "store/", "config/"}},
    // Of the chain the tables of words alone, for `explain`, which works without a node.
    {"cmd",
     {"cmd/", "daemon/control/", "daemon/observe/report.h", "daemon/diagnose/", "daemon/wire/",
      "daemon/core/", "config/", "daemon/chain/verdict.h", "daemon/chain/height_truth.h"}},
};

const std::set<std::string> kPureFolders{"daemon/core", "daemon/wire", "daemon/chain",
                                         "daemon/diagnose"};
std::set<std::string> words_of(const std::string& text) {
  std::istringstream words(text);
  return {std::istream_iterator<std::string>(words), {}};
}
const std::set<std::string> kPureHeaders = words_of(
    "algorithm array bit bitset cctype charconv chrono cmath compare concepts cstddef cstdint "
    "cstdio cstring deque exception functional initializer_list iterator limits list map "
    "memory new numbers numeric optional queue ranges set source_location span stdexcept "
    "string string_view system_error tuple type_traits unordered_map unordered_set utility "
    "variant vector");
const Lines kPureBoost{"boost/describe", "boost/mp11", "boost/system/result", "boost/json",
                       "boost/assert/source_location"};

// Where a library may be included; everywhere else it may not.
struct Library {
  std::string header;  // prefix of the include
  Lines places;        // prefixes of paths
};
const std::vector<Library> kLibraries{
    {"toml", {"config/config.cc"}},  // 20 s of compile time
    {"CLI/", {"cmd/"}},
    {"SQLiteCpp/", {"store/"}},
    {"sqlite3.h", {"store/"}},
    {"openssl/",
     {"daemon/net/", "daemon/sinks/", "daemon/web/", "store/", "daemon/wire/hash.cc",
      "daemon/wire/ed25519.cc"}},
    {"curl/", {"daemon/discovery/", "daemon/sinks/"}},
    {"prometheus/", {"daemon/observe/metrics"}},
    {"ncurses", {"cmd/top"}},
    {"curses", {"cmd/top"}},
    {"maxminddb.h", {"daemon/as_database.cc"}},
    {"boost/beast",
     {"daemon/probe/http_exchange.cc", "daemon/web/"}},  // the probe: its parser alone
    {"boost/asio",
     {"daemon/net/", "daemon/control/", "daemon/web/", "daemon/daemon.", "daemon/daemon_"}},
};

bool starts_with_any(const std::string& text, const Lines& prefixes) {
  return std::any_of(prefixes.begin(), prefixes.end(),
                     [&](const std::string& prefix) { return text.starts_with(prefix); });
}

std::string folder_of(const std::string& path) {
  return fs::path(path).parent_path().string();
}

// The row of the layer table for a file: the deepest folder that has one.
std::string layer_of(const std::string& path) {
  for (auto folder = folder_of(path); !folder.empty(); folder = folder_of(folder)) {
    if (kLayers.contains(folder)) return folder;
  }
  return "";
}

Lines lines_of(const std::string& text) {
  Lines lines;
  for (std::size_t at = 0; at < text.size();) {
    const auto end = std::min(text.find('\n', at), text.size());
    lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

struct Include {
  std::string name;
  bool own = false;  // in quotes
};

std::vector<Include> includes_of(const std::string& text) {
  static const std::regex pattern("^\\s*#\\s*include\\s*([<\"])([^>\"]+)[>\"]");
  std::vector<Include> includes;
  for (const auto& line : lines_of(text)) {
    std::smatch match;
    if (line.find("include") != std::string::npos && std::regex_search(line, match, pattern)) {
      includes.push_back({match[2], match[1] == "\""});
    }
  }
  return includes;
}

// Comments do not run.
Lines code_of(const std::string& text) {
  auto lines = lines_of(text);
  for (auto& line : lines) {
    const auto slashes = line.find("//");
    const bool url = slashes != std::string::npos && slashes > 0 && line[slashes - 1] == ':';
    if (!url) line.resize(std::min(slashes, line.size()));
  }
  return lines;
}

Lines layer_violations(const std::string& path, const std::string& text) {
  Lines bad;
  const auto layer = layer_of(path);
  if (layer.empty()) return {path + " is in no layer"};
  const auto& allowed = kLayers.at(layer);
  // The commands run the methods in process; what is below them they do not know.
  const bool root_allowed = layer == "cmd";
  for (const auto& include : includes_of(text)) {
    if (!include.own) continue;
    const bool root = root_allowed && folder_of(include.name) == "daemon";
    if (!root && !starts_with_any(include.name, allowed)) {
      bad.push_back(path + " includes " + include.name);
    }
  }
  return bad;
}

Lines purity_violations(const std::string& path, const std::string& text) {
  if (!kPureFolders.contains(layer_of(path))) return {};
  Lines bad;
  // A failed CHECK ends the process with a line on stderr: the one effect below the shell.
  const bool check_failed = path == "daemon/core/result.cc";
  for (const auto& include : includes_of(text)) {
    if (include.own || kPureHeaders.contains(include.name)) continue;
    if (starts_with_any(include.name, kPureBoost)) continue;
    if (check_failed && include.name == "cstdlib") continue;
    const bool crypto = path == "daemon/wire/hash.cc" || path == "daemon/wire/ed25519.cc";
    if (crypto && include.name.starts_with("openssl/")) continue;
    bad.push_back(path + " includes <" + include.name + ">: not pure");
  }
  return bad;
}

Lines library_violations(const std::string& path, const std::string& text) {
  Lines bad;
  for (const auto& include : includes_of(text)) {
    for (const auto& library : kLibraries) {
      if (!include.own && include.name.starts_with(library.header) &&
          !starts_with_any(path, library.places)) {
        bad.push_back(path + " includes <" + include.name + ">, which belongs elsewhere");
      }
    }
  }
  return bad;
}

struct Forbidden {
  Lines needles;  // a line without any of them cannot match: std::regex is slow
  std::regex pattern;
  std::string what;
  Lines places;  // prefixes of paths where it is allowed
  bool pure_only = false;
};

const std::vector<Forbidden>& forbidden_words() {
  static const std::vector<Forbidden> kForbidden{
      {{"_clock::now", "gettimeofday", "clock_gettime"},
       std::regex("."),
       "reads a clock",
       {"daemon/clock.", "tests/"}},
      {{"sleep"},
       std::regex("\\b(sleep_for|sleep_until|usleep|nanosleep)\\b|::sleep\\("),
       "sleeps",
       {"daemon/clock.", "tests/support/"}},
      {{"random_device", "getrandom"},
       std::regex("\\b(random_device|getrandom)\\b"),
       "makes randomness",
       {"daemon/clock.", "daemon/random.", "daemon/daemon.", "daemon/net/", "daemon/probe/random_",
        "cmd/", "tests/"}},
      {{"SELECT", "INSERT", "UPDATE", "DELETE", "CREATE", "PRAGMA"},
       std::regex("\"[^\"]*\\b(SELECT [A-Za-z*]|INSERT (OR|INTO) |UPDATE [a-z_]+ SET |DELETE FROM |"
                  "CREATE (TABLE|INDEX) |PRAGMA )"),
       "holds SQL",
       {"store/", "tests/"}},
      {{"using namespace"},
       std::regex("using namespace (?!std::(chrono_literals|string_literals|string_view_literals|"
                  "literals))"),
       "uses a namespace whole",
       {}},
      {{"catch"}, std::regex("catch *\\(\\.\\.\\.\\) *\\{ *\\}"), "swallows exceptions", {}},
      {{"TODO", "FIXME", "XXX", "HACK"},
       std::regex("\\b(TODO|FIXME|XXX|HACK)\\b"),
       "has a left-over marker",
       {}},
      // snprintf into a buffer is arithmetic; a failed CHECK ends the process with a line.
      {{"printf", "puts", "open", "cout", "cerr"},
       std::regex("\\b(f?printf|f?puts|fopen|cout|cerr)\\b"),
       "reads or prints",
       {"daemon/core/result.cc"},
       true},
  };
  return kForbidden;
}

Lines word_violations(const std::string& path, const std::string& text) {
  Lines bad;
  const auto code = code_of(text);
  for (const auto& forbidden : forbidden_words()) {
    if (path == "tests/architecture_test.cc" || starts_with_any(path, forbidden.places)) continue;
    if (forbidden.pure_only && !kPureFolders.contains(layer_of(path))) continue;
    for (const auto& line : code) {
      const auto holds = [&](const std::string& needle) {
        return line.find(needle) != std::string::npos;
      };
      if (!std::any_of(forbidden.needles.begin(), forbidden.needles.end(), holds)) continue;
      if (std::regex_search(line, forbidden.pattern)) bad.push_back(path + " " + forbidden.what);
    }
  }
  return bad;
}

Lines form_violations(const std::string& path, const std::string& text) {
  Lines bad;
  const auto lines = lines_of(text);
  if (lines.size() > 400) bad.push_back(path + " has " + std::to_string(lines.size()) + " lines");
  static const std::regex vague("(^|_)(utils?|helpers?|common|manager|impl|misc)($|_)");
  if (std::regex_search(fs::path(path).stem().string(), vague)) {
    bad.push_back(path + " is not named after a noun of the domain");
  }
  if (path.ends_with(".h")) {
    const auto directive = std::find_if(
        lines.begin(), lines.end(), [](const std::string& line) { return line.starts_with("#"); });
    if (directive == lines.end() || *directive != "#pragma once") {
      bad.push_back(path + " has no #pragma once before everything else");
    }
    const bool paragraph =
        lines.size() > 1 && (lines[0].starts_with("// ") || lines[1].starts_with("// "));
    if (!paragraph) bad.push_back(path + " does not open with a paragraph");
  }
  return bad;
}

// foo.cc includes foo.h before everything else, so that each header is complete by itself.
Lines own_header_violations(const std::string& path, const std::string& text, bool has_header) {
  if (!path.ends_with(".cc") || !has_header) return {};
  const auto includes = includes_of(text);
  const auto own = path.substr(0, path.size() - 2) + "h";
  if (!includes.empty() && includes.front().own && includes.front().name == own) return {};
  return {path + " does not include its own header first"};
}

Lines violations(const std::string& path, const std::string& text, bool has_header) {
  Lines bad;
  const auto add = [&](const Lines& more) { bad.insert(bad.end(), more.begin(), more.end()); };
  if (!path.starts_with("tests/")) {
    add(layer_violations(path, text));
    add(purity_violations(path, text));
    add(library_violations(path, text));
    add(own_header_violations(path, text, has_header));
  }
  add(form_violations(path, text));
  add(word_violations(path, text));
  return bad;
}

std::string read(const fs::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<std::string> sources() {
  std::vector<std::string> found;
  const fs::path root = TIMECTL_SOURCE_DIR;
  auto folders = kFolders;
  folders.emplace_back("tests");
  for (const auto& folder : folders) {
    for (const auto& entry : fs::recursive_directory_iterator(root / folder)) {
      const auto extension = entry.path().extension();
      if (extension != ".cc" && extension != ".h") continue;
      found.push_back(entry.path().lexically_relative(root).string());
    }
  }
  std::sort(found.begin(), found.end());
  return found;
}

TEST(Architecture, EveryFileKeepsTheRules) {
  const fs::path root = TIMECTL_SOURCE_DIR;
  const auto files = sources();
  ASSERT_GT(files.size(), 20U);
  for (const auto& path : files) {
    auto header = root / path;
    const bool has_header = fs::exists(header.replace_extension(".h"));
    for (const auto& bad : violations(path, read(root / path), has_header)) ADD_FAILURE() << bad;
  }
}

TEST(Architecture, IncludePointingUpIsFound) {
  EXPECT_EQ(layer_violations("daemon/core/a.cc", "#include \"daemon/net/b.h\"\n").size(), 1U);
  EXPECT_EQ(layer_violations("daemon/wire/a.cc", "#include \"daemon/core/node.h\"\n").size(), 1U);
  EXPECT_EQ(layer_violations("store/a.cc", "#include \"config/config.h\"\n").size(), 1U);
  EXPECT_EQ(layer_violations("config/a.cc", "#include \"daemon/daemon.h\"\n").size(), 1U);
  EXPECT_EQ(layer_violations("daemon/a.cc", "#  include \"cmd/b.h\"\n").size(), 1U);
  EXPECT_EQ(layer_violations("cmd/a.cc", "#include \"store/b.h\"\n").size(), 1U);
  EXPECT_EQ(layer_violations("cmd/a.cc", "#include \"b.h\"\n").size(), 1U);
  EXPECT_EQ(layer_violations("cmd/a.cc", "#include \"daemon/methods.h\"\n").size(), 0U);
  EXPECT_EQ(layer_violations("daemon/a.cc", "#include \"daemon/net/b.h\"\n").size(), 0U);
}

TEST(Architecture, EffectsInPureFoldersAreFound) {
  for (const char* header : {"thread", "mutex", "fstream", "iostream", "sys/socket.h", "unistd.h",
                             "boost/asio.hpp", "openssl/ssl.h", "fmt/format.h", "random"}) {
    const auto text = "#include <" + std::string(header) + ">\n";
    EXPECT_EQ(purity_violations("daemon/core/a.cc", text).size(), 1U) << header;
    EXPECT_EQ(purity_violations("daemon/wire/a.cc", text).size(), 1U) << header;
    EXPECT_EQ(purity_violations("daemon/net/a.cc", text).size(), 0U) << header;
  }
  EXPECT_EQ(purity_violations("daemon/core/a.cc", "#include <vector>\n").size(), 0U);
}

TEST(Architecture, LibrariesOutsideTheirRoomsAreFound) {
  EXPECT_EQ(library_violations("config/load.cc", "#include <toml.hpp>\n").size(), 1U);
  EXPECT_EQ(library_violations("daemon/methods.cc", "#include <CLI/CLI.hpp>\n").size(), 1U);
  EXPECT_EQ(library_violations("daemon/methods.cc", "#include <sqlite3.h>\n").size(), 1U);
  EXPECT_EQ(library_violations("daemon/net/a.cc", "#include <curl/curl.h>\n").size(), 1U);
  EXPECT_EQ(library_violations("daemon/discovery/a.cc", "#include <boost/asio.hpp>\n").size(), 1U);
  EXPECT_EQ(library_violations("daemon/probe/a.cc", "#include <boost/beast/http.hpp>\n").size(),
            1U);
  EXPECT_EQ(library_violations("cmd/cli.cc", "#include <CLI/CLI.hpp>\n").size(), 0U);
}

TEST(Architecture, ClocksSleepsAndSqlAreFound) {
  for (const char* text :
       {"auto t = std::chrono::system_clock::now();", "std::this_thread::sleep_for(1s);",
        "run(\"SELECT ip FROM whitelist\");", "run(\"INSERT INTO whitelist\");",
        "using namespace std;", "try { f(); } catch (...) {}", "int a;  /* TODO */"}) {
    EXPECT_EQ(word_violations("daemon/net/a.cc", text).size(), 1U) << text;
  }
  EXPECT_EQ(word_violations("daemon/core/a.cc", "std::cerr << 1;").size(), 1U);
  EXPECT_TRUE(word_violations("daemon/core/a.cc", "std::snprintf(b, 1, f);").empty());
  EXPECT_TRUE(word_violations("daemon/clock.cc", "std::chrono::steady_clock::now()").empty());
  EXPECT_TRUE(word_violations("store/a.cc", "run(\"SELECT ip FROM whitelist\");").empty());
  EXPECT_TRUE(word_violations("cmd/a.cc", "// steady_clock::now() is elsewhere\n").empty());
}

TEST(Architecture, FormIsChecked) {
  EXPECT_EQ(form_violations("cmd/a.cc", std::string(401, '\n')).size(), 1U);
  EXPECT_EQ(form_violations("cmd/a.cc", std::string(400, '\n')).size(), 0U);
  EXPECT_EQ(form_violations("cmd/string_utils.cc", "").size(), 1U);
  EXPECT_EQ(form_violations("cmd/a.h", "#pragma once\n#include <a>\n").size(), 1U);
  EXPECT_EQ(own_header_violations("cmd/a.cc", "#include <vector>\n", true).size(), 1U);
  EXPECT_EQ(own_header_violations("cmd/a.cc", "#include \"cmd/a.h\"\n", true).size(), 0U);
}

}  // namespace
