#pragma once
// Where a list comes from: an https or file URL, checked character by character before anything
// else reads it, so that no two parsers see two hosts in one text; and the rule for redirects
// (requirements D2). Pure.

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

namespace timectl::discovery {

struct SourceUrl {
  bool is_file = false;
  std::string text = {};  // as given, for the client
  std::string host = {};  // lower case, without brackets; empty for a file
  std::uint16_t port = 443;
  std::string path = {};  // of a file: absolute, unescaped
};

struct UrlProblem {
  std::string why;  // "a URL has at most 2,048 bytes"
};

// https://HOST[:PORT][/...], file:/PATH, file:///PATH or file://localhost/PATH. Names and passwords
// (USER@) are refused: the list is public, and a URL stands in logs.
[[nodiscard]] std::variant<SourceUrl, UrlProblem> parse_source_url(std::string_view text);

// Why a redirect from the one to the other is not followed; empty: it is. Allowed is https, the
// same port, and the same host or its `www.` sibling, in both directions.
[[nodiscard]] std::string may_not_redirect(const SourceUrl& from, std::string_view to);

}  // namespace timectl::discovery
