#include "daemon/discovery/source_url.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "daemon/core/ip_address.h"

namespace timectl::discovery {
namespace {

constexpr std::size_t kLongestUrl = 2048;
constexpr std::size_t kLongestHost = 253;  // RFC 1035

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), [](char c) { return lower(c); });
  return out;
}

bool is_host_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
}

int hex(char c) {
  const char l = lower(c);
  if (l >= '0' && l <= '9') return l - '0';
  return l >= 'a' && l <= 'f' ? l - 'a' + 10 : -1;
}

std::variant<SourceUrl, UrlProblem> parse_file(std::string_view text, std::string_view rest) {
  for (const std::string_view prefix : {"//localhost/", "///"}) {
    if (!rest.starts_with(prefix)) continue;
    rest.remove_prefix(prefix.size() - 1);
    break;
  }
  if (!rest.starts_with('/') || rest.starts_with("//")) {
    return UrlProblem{"a file is named by its absolute path: file:/PATH or file:///PATH"};
  }
  SourceUrl url{true, std::string(text), {}, 0, {}};
  for (std::size_t i = 0; i < rest.size(); ++i) {
    if (rest[i] != '%') {
      url.path += rest[i];
      continue;
    }
    const int high = i + 2 < rest.size() ? hex(rest[i + 1]) : -1;
    const int low = high >= 0 ? hex(rest[i + 2]) : -1;
    if (low < 0 || high * 16 + low == 0) return UrlProblem{"a % is followed by two digits"};
    url.path += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return url;
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, port);
  if (error != std::errc{} || at != end || port == 0) return std::nullopt;
  return port;
}

std::variant<SourceUrl, UrlProblem> parse_https(std::string_view text, std::string_view rest) {
  const auto authority = rest.substr(0, rest.find_first_of("/?#"));
  if (authority.find('@') != std::string_view::npos) {
    return UrlProblem{"a URL of a list has no user name or password (USER@): it stands in logs"};
  }
  SourceUrl url{false, std::string(text), {}, 443, {}};
  std::string_view after;
  if (authority.starts_with('[')) {
    const auto close = authority.find(']');
    const auto inside = authority.substr(1, close == std::string_view::npos ? 0 : close - 1);
    const auto ip = IpAddress::parse(inside);
    if (!ip || inside.find(':') == std::string_view::npos) {
      return UrlProblem{"what stands in brackets is no IPv6 address"};
    }
    url.host = lower(inside);
    after = authority.substr(close + 1);
  } else {
    url.host = lower(authority.substr(0, authority.find(':')));
    after = authority.substr(url.host.size());
    if (url.host.empty() || url.host.size() > kLongestHost ||
        !std::all_of(url.host.begin(), url.host.end(), is_host_character)) {
      return UrlProblem{"its host is no name of letters, digits, dots and hyphens"};
    }
  }
  if (!after.empty()) {
    const auto port = after.front() == ':' ? parse_port(after.substr(1)) : std::nullopt;
    if (!port) return UrlProblem{"its port is no number from 1 to 65535"};
    url.port = *port;
  }
  return url;
}

}  // namespace

std::variant<SourceUrl, UrlProblem> parse_source_url(std::string_view text) {
  if (text.size() > kLongestUrl) return UrlProblem{"a URL has at most 2,048 bytes"};
  for (const char c : text) {
    // A backslash is a slash to some programs.
    if (c <= ' ' || c > '~' || c == '\\') {
      return UrlProblem{"a URL has no blanks, backslashes, control or non-ASCII characters"};
    }
  }
  const auto colon = text.find(':');
  const auto scheme = lower(text.substr(0, colon == std::string_view::npos ? 0 : colon));
  if (scheme == "file") return parse_file(text, text.substr(colon + 1));
  if (scheme == "https" && text.substr(colon).starts_with("://")) {
    return parse_https(text, text.substr(colon + 3));
  }
  return UrlProblem{"only https://HOST/... and file:/PATH are read"};
}

std::string may_not_redirect(const SourceUrl& from, std::string_view to) {
  const auto parsed = parse_source_url(to);
  if (const auto* problem = std::get_if<UrlProblem>(&parsed)) return problem->why;
  const auto& target = std::get<SourceUrl>(parsed);
  if (from.is_file || target.is_file) return "only https is followed";
  const bool sibling = target.host == "www." + from.host || from.host == "www." + target.host;
  if (target.host != from.host && !sibling) return "only the same host or its www. is followed";
  if (target.port != from.port) return "only the same port is followed";
  return "";
}

}  // namespace timectl::discovery
