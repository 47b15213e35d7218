#include "daemon/web/request.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "daemon/core/ip_address.h"

namespace timectl::web {
namespace {

constexpr std::string_view kNoToken =
    "This page needs its token. On the host of the node, `timectl node info` prints the link with "
    "it.";
constexpr std::string_view kOtherSite = "Other sites may not ask this node.";

struct Row {
  std::string_view path;
  Route route;
};
constexpr std::array<Row, 3> kApi{{{"/api/stream", Route::stream},
                                   {"/api/overview", Route::overview},
                                   {"/api/history", Route::history}}};

Decision refusal(unsigned status, std::string_view why, bool html = false) {
  return {.route = Route::refuse, .status = status, .why = why, .html = html};
}

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool same_name(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

bool is_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), port);
  return failed == std::errc() && end == text.data() + text.size() && !text.empty();
}

// "NAME", "NAME:PORT", "[V6]", "[V6]:PORT"; empty: none of them.
std::string_view name_part(std::string_view host) {
  const bool bracket = host.starts_with('[');
  const auto end = bracket ? host.find(']') : host.find(':');
  if (bracket && end == std::string_view::npos) return {};
  const auto rest =
      end == std::string_view::npos ? std::string_view() : host.substr(end + (bracket ? 1 : 0));
  if (!rest.empty() && (rest.front() != ':' || !is_port(rest.substr(1)))) return {};
  return bracket ? host.substr(1, end - 1) : host.substr(0, end);
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// The parts between the separators, one call of `take` each, until it returns true.
template <class Take>
bool any_part(std::string_view text, char separator, Take take) {
  while (true) {
    const auto end = text.find(separator);
    if (take(trimmed(text.substr(0, end)))) return true;
    if (end == std::string_view::npos) return false;
    text.remove_prefix(end + 1);
  }
}

bool has_cookie(std::string_view cookies, const Site& site) {
  const auto start = cookie_name(site.token) + "=";
  return any_part(cookies, ';', [&](std::string_view part) {
    return part.starts_with(start) && same_secret(part.substr(start.size()), site.token);
  });
}

bool has_bearer(std::string_view authorization, const Site& site) {
  constexpr std::string_view kScheme = "bearer ";
  return authorization.size() > kScheme.size() &&
         same_name(authorization.substr(0, kScheme.size()), kScheme) &&
         same_secret(trimmed(authorization.substr(kScheme.size())), site.token);
}

// Browsers say where a request comes from; tools say nothing. Another port of this host is the same
// site for a cookie, and not ours.
bool from_elsewhere(const Head& head, const Site& site) {
  if (!head.fetch_site.empty() && head.fetch_site != "same-origin" && head.fetch_site != "none") {
    return true;
  }
  if (head.origin.empty()) return false;
  const std::string_view scheme = site.tls ? "https://" : "http://";
  return !head.origin.starts_with(scheme) ||
         !same_name(head.origin.substr(scheme.size()), head.host);
}

const Asset* find_asset(std::string_view path, const Site& site) {
  const auto found = std::ranges::find(site.assets, path, &Asset::path);
  return found == site.assets.end() ? nullptr : &*found;
}

Route api_route(std::string_view path, const Site& site) {
  if (site.metrics && path == "/metrics") return Route::metrics;
  if (site.assets.empty()) return Route::refuse;
  const auto found = std::ranges::find(kApi, path, &Row::path);
  return found == kApi.end() ? Route::refuse : found->route;
}

Decision decide_asset(const Head& head, const Asset& asset) {
  const auto named = [&](std::string_view tag) {
    if (tag.starts_with("W/")) tag.remove_prefix(2);
    return tag == asset.etag || tag == "*";
  };
  const bool known = !head.if_none_match.empty() && any_part(head.if_none_match, ',', named);
  if (known) return {.route = Route::not_modified, .status = 304, .asset = &asset};
  return {.route = Route::asset, .status = 200, .asset = &asset};
}

}  // namespace

std::string cookie_name(std::string_view token) {
  constexpr std::size_t kTold = 8;  // the value beside it tells all of it
  return "timectl_" + std::string(token.substr(0, kTold));
}

bool same_secret(std::string_view given, std::string_view secret) {
  if (given.size() != secret.size() || secret.empty()) return false;
  volatile unsigned char difference = 0;  // or the compiler would end the loop early
  for (std::size_t i = 0; i < secret.size(); ++i) {
    difference = static_cast<unsigned char>(difference | (static_cast<unsigned char>(given[i]) ^
                                                          static_cast<unsigned char>(secret[i])));
  }
  return difference == 0;
}

// A foreign name that was bound to this address anew (DNS rebinding) stands in Host as that name:
// addresses and localhost cannot be bound. Both may be another machine's word for this one, and the
// port that of a tunnel: ssh -L 8080:..., a container's published port.
bool is_own_host(std::string_view host, const Site& site) {
  const auto name = name_part(host);
  if (name.empty()) return false;
  if (IpAddress::parse(name) || same_name(name, "localhost")) return true;
  return std::ranges::any_of(site.hosts, [&](const auto& own) { return same_name(name, own); });
}

Decision decide(const Head& head, const Site& site) {
  if (head.hosts != 1) return refusal(400, "A request has one Host.");
  if (!is_own_host(head.host, site)) {
    return refusal(421, "This node is not called so. Its names are in dashboard.hosts.");
  }
  if (head.method != "GET" && head.method != "HEAD") {
    return refusal(405, "This server only shows: GET and HEAD.");
  }
  if (head.body) return refusal(413, "This server takes no body.");
  if (head.target.size() > kLongestTarget) return refusal(414, "The path is too long.");
  if (!head.target.starts_with('/')) return refusal(400, "A path begins with /.");

  const auto mark = head.target.find('?');
  const auto path = head.target.substr(0, mark);
  const auto query =
      mark == std::string_view::npos ? std::string_view() : head.target.substr(mark + 1);
  const auto* asset = find_asset(path, site);
  const auto route = api_route(path, site);
  if (asset == nullptr && route == Route::refuse) return refusal(404, "There is no such page.");
  // Whoever follows a link comes from elsewhere, and gets the page, which then asks by itself.
  if (asset == nullptr && from_elsewhere(head, site)) return refusal(403, kOtherSite);

  constexpr std::string_view kTokenKey = "token=";
  if (path == "/" && query.starts_with(kTokenKey)) {
    if (!same_secret(query.substr(kTokenKey.size()), site.token)) {
      return refusal(401, kNoToken, true);
    }
    return {.route = Route::enter, .status = 303};
  }
  if (!has_cookie(head.cookie, site) && !has_bearer(head.authorization, site)) {
    return refusal(401, kNoToken, asset != nullptr);
  }
  if (asset != nullptr) return decide_asset(head, *asset);
  return {.route = route, .status = 200};
}

}  // namespace timectl::web
