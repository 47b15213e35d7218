#pragma once
// One request by libcurl (loaded as the client of lists does it), with limits on time, answer and
// headers; redirects are not followed, and the environment's proxy is used as for lists. Once the
// head of a final answer is complete its status decides, however the body ends: the receiver has
// the message, and a second one would be a second alert.

#include <stop_token>
#include <string>
#include <vector>

#include "daemon/sinks/send.h"

namespace timectl::sinks {

struct HttpRequest {
  std::string url = {};
  bool post = true;
  std::string body = {};
  std::vector<std::string> headers = {};
  std::vector<std::string> secrets = {};  // not to be shown where the answer repeats them
  std::string ca_file = {};
  Duration timeout = std::chrono::seconds(10);
};

[[nodiscard]] SendReport send_http(const HttpRequest& request, const std::stop_token& stop);

}  // namespace timectl::sinks
