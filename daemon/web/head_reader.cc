#include "daemon/web/head_reader.h"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>

namespace timectl::web {
namespace {

namespace http = boost::beast::http;

std::string_view view(boost::beast::string_view text) {
  return {text.data(), text.size()};
}

}  // namespace

struct HeadReader::Parser {
  http::request_parser<http::empty_body> http;
};

HeadReader::HeadReader(std::size_t limit) : limit_(limit) {
  next();
}
HeadReader::~HeadReader() = default;

void HeadReader::next() {
  parser_ = std::make_unique<Parser>();
  parser_->http.header_limit(static_cast<std::uint32_t>(limit_));
}

HeadReader::State HeadReader::take(std::string_view bytes) {
  pending_.append(bytes);
  while (!pending_.empty() && !parser_->http.is_header_done()) {
    boost::system::error_code error;
    const auto used = parser_->http.put(boost::asio::buffer(pending_), error);
    pending_.erase(0, used);
    if (parser_->http.is_header_done()) break;  // a body is refused by the decision, not here
    if (error == http::error::need_more) break;
    if (error || used == 0) {
      status_ = error == http::error::header_limit ? 431 : 400;
      return State::bad;
    }
  }
  if (parser_->http.is_header_done()) return State::whole;
  // A line without an end: the parser takes none of it and does not count it.
  if (pending_.size() > limit_) {
    status_ = 431;
    return State::bad;
  }
  return State::more;
}

Head HeadReader::head() const {
  const auto& request = parser_->http.get();
  const auto field = [&](http::field name) {
    const auto found = request.find(name);
    return found == request.end() ? std::string_view() : view(found->value());
  };
  Head head;
  head.method = view(request.method_string());
  head.target = view(request.target());
  head.hosts = request.count(http::field::host);
  head.host = field(http::field::host);
  head.origin = field(http::field::origin);
  const auto site = request.find("Sec-Fetch-Site");
  if (site != request.end()) head.fetch_site = view(site->value());
  head.cookie = field(http::field::cookie);
  head.authorization = field(http::field::authorization);
  head.if_none_match = field(http::field::if_none_match);
  const auto length = parser_->http.content_length();
  head.body = parser_->http.chunked() || (length && *length > 0) ||
              request.count(http::field::transfer_encoding) > 0;
  return head;
}

bool HeadReader::keep_alive() const {
  return parser_->http.keep_alive();
}

}  // namespace timectl::web
