#pragma once
// Whitelists in files: read for `timectl whitelist import`, written for `export`. Three forms that
// say the same: text (one address a line), JSON (what export and `whitelist list --json` print, or
// a bare array) and TOML (`whitelisted_peers` as in timectl.toml). Pure; a file is outside input,
// so everything is bounded and every bad entry is named with its place. docs/whitelist.md has the
// forms; write_list() and read_list() are inverse for what a whitelist can hold.

#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>
#include <boost/json/array.hpp>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/core/whitelist_import.h"

namespace timectl::config {

inline constexpr std::size_t kMostListBytes = 4'194'304;  // of text and JSON; TOML: toml_guard.h
inline constexpr std::size_t kMostListProblems = 100;     // kept; the rest is counted

enum class ListFormat : std::uint8_t { text, json, toml };
BOOST_DESCRIBE_ENUM(ListFormat, text, json, toml)

struct ListProblem {
  std::string place;  // "line 7" or "entry 3"; empty: the whole file
  std::string text;   // what stands there, printable
  std::string why;
};
BOOST_DESCRIBE_STRUCT(ListProblem, (), (place, text, why))

struct PeerList {
  ListFormat format = ListFormat::text;
  std::vector<ListedPeer> peers;
  std::vector<ListProblem> problems;  // any: nothing of the list may be used
  std::size_t problem_count = 0;
  std::size_t left_out = 0;  // entries that say they are not manual (of `whitelist list --json`)
};

struct ReadOptions {
  std::optional<ListFormat> format = {};  // none: by the name's ending, else by the content
  bool all_sources = false;               // entries that only config or api hold, too
};

[[nodiscard]] PeerList read_list(std::string_view text, const std::string& name,
                                 const ReadOptions& options = {});
[[nodiscard]] ListFormat format_of(std::string_view text, const std::string& name);

// Ended by a line end. JSON: the bare array; export puts it into its document.
[[nodiscard]] std::string write_list(const std::vector<ListedPeer>& peers, ListFormat format);
[[nodiscard]] boost::json::array list_json(const std::vector<ListedPeer>& peers);

// What the readers of the single forms hand their entries to: it checks what holds for all forms.
class ListBuilder {
 public:
  explicit ListBuilder(PeerList& list) : list_(list) {}
  void add(ListedPeer peer, std::string place);
  void bad(std::string place, std::string_view text, std::string_view why);
  // Too many entries: said once, and the reader stops.
  [[nodiscard]] bool full(const std::string& place);

 private:
  PeerList& list_;
  std::map<IpAddress, std::string> places_;
};

void read_text_list(std::string_view text, ListBuilder& builder);
void read_json_list(std::string_view text, bool all_sources, PeerList& list, ListBuilder& builder);

}  // namespace timectl::config
