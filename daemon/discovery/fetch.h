#pragma once
// Fetches a list: https: by libcurl, or file:. Blocking, for a thread of its own (the node) or the
// command's (no node); ends within `timeout` whatever the other side does, or soon after `stop` is
// requested. Never throws.

#include <functional>
#include <map>
#include <stop_token>
#include <string>
#include <variant>

#include "daemon/core/api_list.h"

namespace timectl::discovery {

struct FetchRequest {
  std::string url = {};                         // https://HOST/... or file:/PATH, file:///PATH
  std::string etag = {};                        // of the body we hold; empty: none
  std::string ca_file = {};                     // empty: the system's store
  Duration timeout = std::chrono::seconds(15);  // all of it: DNS, redirects, body
  std::size_t max_bytes = 1'048'576;            // of the body as sent and as decoded
  std::size_t max_redirects = 3;                // to the same host or its www. sibling, https only
  bool allow_private = false;  // else an https host must not resolve to such an address
  std::string user_agent = {};
};

struct Fetched {
  bool not_modified = false;  // 304: the body we hold is still the list
  std::string body = {};
  std::string etag = {};                // at most 256 printable bytes, else empty
  std::string address = {};             // "IP:port" that answered; the path of a file
  std::vector<std::string> notes = {};  // "the content type is text/html"
  Duration took = {};
};

[[nodiscard]] std::variant<Fetched, FetchFailure> fetch(const FetchRequest& request,
                                                        std::stop_token stop = {});

}  // namespace timectl::discovery
