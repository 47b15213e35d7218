#include "daemon/web/answer.h"

#include <array>
#include <utility>

namespace timectl::web {
namespace {

constexpr std::array<std::pair<unsigned, std::string_view>, 14> kReasons{{
    {200, "OK"},
    {303, "See Other"},
    {304, "Not Modified"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {408, "Request Timeout"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {421, "Misdirected Request"},
    {431, "Request Header Fields Too Large"},
    {503, "Service Unavailable"},
}};

// Nothing but this server's own files runs or shows, nobody frames it, and nothing leaves it.
constexpr std::string_view kProtection =
    "Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'\r\n"
    "X-Content-Type-Options: nosniff\r\n"
    "X-Frame-Options: DENY\r\n"
    "Referrer-Policy: no-referrer\r\n"
    "Cross-Origin-Opener-Policy: same-origin\r\n"
    "Cross-Origin-Resource-Policy: same-origin\r\n"
    "Permissions-Policy: camera=(), geolocation=(), microphone=(), payment=(), usb=()\r\n";

// The browser asks each time whether its copy still holds: an upgraded node shows its own page.
constexpr std::string_view kRevalidate = "private, no-cache";

std::string_view reason_of(unsigned status) {
  for (const auto& [number, words] : kReasons) {
    if (number == status) return words;
  }
  return "Error";
}

std::string etag_line(const Asset& asset) {
  return "ETag: " + std::string(asset.etag) + "\r\n";
}

std::string html_page(std::string_view why) {
  return "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n"
         "<meta name=\"viewport\" content=\"width=device-width\">\n"
         "<meta name=\"color-scheme\" content=\"light dark\">\n<title>timectl</title>\n<p>" +
         std::string(why) + "</p>\n</html>\n";
}

}  // namespace

std::string head_text(const AnswerHead& head) {
  std::string text = "HTTP/1.1 " + std::to_string(head.status) + " ";
  text.append(reason_of(head.status)).append("\r\n");
  if (!head.type.empty()) text.append("Content-Type: ").append(head.type).append("\r\n");
  if (!head.endless && head.status != 304) {
    text.append("Content-Length: ").append(std::to_string(head.length)).append("\r\n");
  }
  text.append("Cache-Control: ").append(head.caching).append("\r\n");
  text.append(head.keep_alive && !head.endless ? "Connection: keep-alive\r\n"
                                               : "Connection: close\r\n");
  return text.append(kProtection).append(head.extra).append("\r\n");
}

std::string asset_head(const Asset& asset, bool keep_alive) {
  return head_text({.type = asset.type,
                    .length = asset.body.size(),
                    .keep_alive = keep_alive,
                    .caching = kRevalidate,
                    .extra = etag_line(asset)});
}

std::string plain_answer(const Decision& decision, const Site& site, bool keep_alive,
                         bool head_only) {
  std::string body;
  std::string extra;
  AnswerHead head{.status = decision.status, .keep_alive = keep_alive};
  if (decision.route == Route::not_modified) {
    head.caching = kRevalidate;
    extra = etag_line(*decision.asset);
  } else if (decision.route == Route::enter) {
    extra = "Location: /\r\nSet-Cookie: " + cookie_name(site.token) + "=" + site.token +
            "; HttpOnly; SameSite=Strict; Path=/" + (site.tls ? "; Secure" : "") + "\r\n";
  } else {
    // These words are this program's own: nothing of the request is in them.
    body = decision.html ? html_page(decision.why) : std::string(decision.why) + "\n";
    head.type = decision.html ? "text/html; charset=utf-8" : "text/plain; charset=utf-8";
    if (decision.status == 405) extra = "Allow: GET, HEAD\r\n";
    if (decision.status == 401) extra = "WWW-Authenticate: Bearer realm=\"timectl\"\r\n";
  }
  head.length = body.size();
  head.extra = extra;
  return head_text(head) + (head_only ? std::string() : body);
}

}  // namespace timectl::web
