#pragma once
// One HTTP/1.1 question and its answer over a Link that is up: POST, Content-Length, nothing kept
// alive, no redirects, no credentials, no decompression. Boost.Beast parses what comes; head and
// body are bounded before they are held. Called by rpc.cc.

#include <cstddef>
#include <string>
#include <string_view>

#include "daemon/probe/link.h"

namespace timectl::probe {

struct HttpQuestion {
  std::string host = {};  // of the Host header
  std::string_view body = {};
  std::size_t max_bytes = 0;  // of the answer's body
};

struct HttpAnswer {
  enum class Kind : std::uint8_t {
    ok,         // status and body are there, whatever they say
    link_down,  // `step` says how: no answer, or not a whole one
    no_http,
    too_large,  // the head or the body, announced or real
  };
  Kind kind = Kind::ok;
  LinkStep step = {};
  unsigned status = 0;
  std::string body = {};
  std::size_t received = 0;  // bytes
  bool wants_tls = false;    // of no_http and link_down: what a server does that speaks TLS only
  std::string detail = {};   // of all but ok: one clause
};

[[nodiscard]] HttpAnswer http_post(Link& link, const HttpQuestion& question, Instant until);

}  // namespace timectl::probe
