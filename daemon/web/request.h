#pragma once
// What a request gets: the one decision of the web server, asked by a session (session.h) for each
// head that the parser has taken. Pure: no socket, no file, no clock.
//
// Promises: nothing but GET and HEAD; nothing for a page of another site (a name that was bound to
// this address anew, another origin, another port of this host); nothing of the node without the
// token, which is compared in a time that says nothing about it.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/web/asset.h"

namespace timectl::web {

inline constexpr std::size_t kLongestTarget = 256;  // the longest that is meant has below 80

// A request's head. Views into the parser's buffer.
struct Head {
  std::string_view method = {};
  std::string_view target = {};
  std::size_t hosts = 0;  // Host fields; HTTP has exactly one
  std::string_view host = {};
  std::string_view origin = {};  // empty: none
  std::string_view fetch_site = {};
  std::string_view cookie = {};
  std::string_view authorization = {};
  std::string_view if_none_match = {};
  bool body = false;  // the request announces one
};

// What is served at one address.
struct Site {
  std::string token = {};
  std::vector<std::string> hosts = {};  // names, in lower case, that may stand in Host
  std::span<const Asset> assets = {};   // none: no page here, and no API
  bool metrics = false;
  bool tls = false;
};

enum class Route : std::uint8_t {
  refuse,
  enter,  // the link with the token: the cookie, and on to the page
  asset,
  not_modified,
  stream,
  overview,
  history,
  metrics
};

struct Decision {
  Route route = Route::refuse;
  unsigned status = 400;
  std::string_view why = {};     // of a refusal: one sentence for people
  const Asset* asset = nullptr;  // of asset and not_modified
  bool html = false;             // the refusal is for somebody who looks at a browser
};

[[nodiscard]] Decision decide(const Head& head, const Site& site);

// By the token: cookies know no ports, and the pages of two nodes may come by one address
// (tunnels).
[[nodiscard]] std::string cookie_name(std::string_view token);
// The same time for every `given` of one length.
[[nodiscard]] bool same_secret(std::string_view given, std::string_view secret);
// May the value of Host (with or without a port) stand for this node?
[[nodiscard]] bool is_own_host(std::string_view host, const Site& site);

}  // namespace timectl::web
