#include "daemon/core/sink_url.h"

#include <algorithm>

#include "daemon/core/host_port.h"

namespace timectl {
namespace {

Error refused(std::string what, std::string hint = "https://HOST/PATH") {
  return {Code::invalid_argument, std::move(what), std::move(hint)};
}

}  // namespace

Result<SinkUrl> parse_sink_url(std::string_view text) {
  if (text.size() > kMaxSinkUrl) return refused("the url is longer than 2048 bytes");
  const bool odd = std::any_of(text.begin(), text.end(), [](char c) {
    return c <= ' ' || c > '~' || std::string_view("\\\"<>^`{|}").find(c) != std::string_view::npos;
  });
  if (odd) return refused("the url holds a character that no url has");
  SinkUrl url;
  url.text = text;
  url.secure = text.starts_with("https://");
  if (!url.secure && !text.starts_with("http://")) {
    return refused("the url is neither https:// nor http://");
  }
  text.remove_prefix(url.secure ? 8 : 7);
  const auto end = std::min(text.find_first_of("/?#"), text.size());
  const auto authority = text.substr(0, end);
  url.path = text.substr(end);
  if (url.path.find('#') != std::string::npos) return refused("the url has a fragment (#)");
  if (authority.find('@') != std::string_view::npos) {
    return refused("the url holds a user's name", "a secret belongs into secret_file");
  }
  const auto parsed = parse_host_port(authority);
  if (!parsed) return refused("the url names no host that can be one");
  url.host = parsed->host;
  std::transform(url.host.begin(), url.host.end(), url.host.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  const bool here =
      parsed->address ? parsed->address->is_loopback() : url.host == std::string("localhost");
  if (!url.secure && !here) {
    return refused("http:// is for this machine only", "https://, or http://127.0.0.1:PORT/");
  }
  return url;
}

}  // namespace timectl
