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

#include "daemon/core/ip_address.h"
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
  std::uint16_t port = 0;               // part of the cookie's name: cookies know no ports
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

// `local`: the connection's own address on this side.
[[nodiscard]] Decision decide(const Head& head, const Site& site, const IpAddress& local);

[[nodiscard]] std::string cookie_name(std::uint16_t port);
// The same time for every `given` of one length.
[[nodiscard]] bool same_secret(std::string_view given, std::string_view secret);
// May the value of Host (with or without a port) stand for this connection?
[[nodiscard]] bool is_own_host(std::string_view host, const Site& site, const IpAddress& local);

}  // namespace timectl::web
