#include "daemon/probe/http_exchange.h"

#include <array>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <optional>
#include <utility>

#include "daemon/net/tls.h"

namespace timectl::probe {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using Parser = http::response_parser<http::string_body>;
using Kind = HttpAnswer::Kind;

constexpr std::uint32_t kLargestHead = 16'384;  // an honest one has below 200 bytes

std::string request_text(const HttpQuestion& question) {
  std::string text = "POST / HTTP/1.1\r\nHost: " + question.host;
  text += "\r\nUser-Agent: timectl/" TIMECTL_VERSION;
  text += "\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: ";
  text += std::to_string(question.body.size()) + "\r\n\r\n";
  text += question.body;
  return text;
}

// Reads until the parser has a whole answer or refuses it.
class Reading {
 public:
  explicit Reading(std::size_t max_bytes) {
    parser_.body_limit(max_bytes);
    parser_.header_limit(kLargestHead);
    parser_.eager(true);
  }

  // None: more is needed.
  std::optional<HttpAnswer> take(std::span<const std::uint8_t> bytes) {
    if (answer_.received == 0) first_ = bytes.front();
    answer_.received += bytes.size();
    pending_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    while (!pending_.empty() && !parser_.is_done()) {
      boost::system::error_code error;
      const auto used = parser_.put(asio::buffer(pending_), error);
      pending_.erase(0, used);
      if (error == http::error::need_more) break;
      if (error) return refused(error);
      if (used == 0) break;
    }
    if (parser_.is_done()) return whole();
    // A head or a chunk's length that has no end: what the parser cannot use yet is kept here.
    if (pending_.size() > kLargestHead) return refused(http::error::header_limit);
    return std::nullopt;
  }

  HttpAnswer end(LinkStep step) {
    if (step.end == LinkEnd::closed && parser_.is_header_done()) {
      boost::system::error_code error;
      parser_.put_eof(error);
      if (!error && parser_.is_done()) return whole();
    }
    answer_.kind = Kind::link_down;
    answer_.wants_tls = step.end == LinkEnd::closed && answer_.received == 0;
    answer_.detail = step.detail;
    if (answer_.received > 0) {
      answer_.detail += " behind " + std::to_string(answer_.received) + " bytes of an answer";
    }
    answer_.step = std::move(step);
    return std::move(answer_);
  }

 private:
  HttpAnswer whole() {
    answer_.status = parser_.get().result_int();
    answer_.body = std::move(parser_.get().body());
    return std::move(answer_);
  }

  HttpAnswer refused(const boost::system::error_code& error) {
    const bool large = error == http::error::body_limit || error == http::error::header_limit ||
                       error == http::error::buffer_overflow;
    answer_.kind = large ? Kind::too_large : Kind::no_http;
    answer_.wants_tls = first_ == net::tls_alert_byte;
    answer_.detail = large ? "more than we take" : "its answer is no HTTP: " + error.message();
    return std::move(answer_);
  }

  Parser parser_;
  std::string pending_;  // bytes of a head or a chunk's length that is not complete
  HttpAnswer answer_;
  std::uint8_t first_ = 0;
};

}  // namespace

HttpAnswer http_post(Link& link, const HttpQuestion& question, Instant until) {
  const std::string text = request_text(question);
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(text.data());
  Reading reading(question.max_bytes);
  LinkStep step = link.write(std::span(bytes, text.size()), until);
  std::array<std::uint8_t, 16'384> chunk{};
  while (step.end == LinkEnd::done) {
    step = link.read(chunk, until);
    if (step.end != LinkEnd::done) break;
    if (auto answer = reading.take(std::span(chunk).first(step.bytes))) return *std::move(answer);
  }
  return reading.end(std::move(step));
}

}  // namespace timectl::probe
