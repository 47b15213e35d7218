#include "daemon/discovery/transfer.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "daemon/core/events.h"
#include "daemon/discovery/address_rule.h"

namespace timectl::discovery {
namespace {

constexpr std::size_t kMaxHeaderLines = 200;    // of all answers of one fetch
constexpr std::size_t kMaxHeaderBytes = 65536;  // the same; a large site sends 3 KiB
constexpr std::size_t kLongestEtag = 256;
constexpr Duration kLongestRetryAfter = std::chrono::hours(24);
constexpr int kPollMilliseconds = 1000;  // stop wakes the poll; this is the net below it

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  const auto begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  }
  return out;
}

std::optional<std::pair<IpAddress, std::uint16_t>> endpoint(const curl_sockaddr& address) {
  if (address.family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, &address.addr, sizeof(v4));
    std::array<std::uint8_t, 4> b{};
    std::memcpy(b.data(), &v4.sin_addr, b.size());
    return std::pair(IpAddress::v4(b[0], b[1], b[2], b[3]), ntohs(v4.sin_port));
  }
  if (address.family != AF_INET6 || address.addrlen < sizeof(sockaddr_in6)) return std::nullopt;
  sockaddr_in6 v6{};
  // libcurl declares the field shorter than what it holds for IPv6.
  const void* bytes = &address.addr;
  std::memcpy(&v6, bytes, sizeof(v6));
  IpAddress::Bytes b{};
  std::memcpy(b.data(), &v6.sin6_addr, b.size());
  return std::pair(IpAddress(b), ntohs(v6.sin6_port));
}

}  // namespace

bool is_usable_etag(std::string_view text) {
  return !text.empty() && text.size() <= kLongestEtag &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c <= '~'; });
}

Transfer::Transfer(const CurlLibrary& curl, const FetchRequest& request, ProxyChoice proxy)
    : curl_(curl),
      request_(request),
      proxy_(std::move(proxy)),
      easy_(curl.easy_init()),
      multi_(curl.multi_init()),
      text_(CURL_ERROR_SIZE, '\0') {
  if (easy_ != nullptr && multi_ != nullptr) set_up();
}

Transfer::~Transfer() {
  if (easy_ != nullptr) curl_.easy_cleanup(easy_);
  if (multi_ != nullptr) curl_.multi_cleanup(multi_);
  curl_.slist_free_all(headers_);
}

bool Transfer::ready() const {
  return easy_ != nullptr && multi_ != nullptr && set_up_;
}

template <class T>
void Transfer::set(CURLoption option, T value) {
  set_up_ = curl_.easy_setopt(easy_, option, value) == CURLE_OK && set_up_;
}

void Transfer::set_up() {
  const bool agent = !request_.user_agent.empty() && request_.user_agent.size() <= 200 &&
                     printable(request_.user_agent) == request_.user_agent;
  set_up_ = prepare(curl_, easy_,
                    {.ca_file = request_.ca_file,
                     .proxy = proxy_.url,
                     .agent = agent ? request_.user_agent : "timectl/" TIMECTL_VERSION});
  set(CURLOPT_ACCEPT_ENCODING, "gzip");
  headers_ = curl_.slist_append(headers_, "Accept: application/json");
  if (is_usable_etag(request_.etag)) {
    headers_ = curl_.slist_append(headers_, ("If-None-Match: " + request_.etag).c_str());
  }
  set(CURLOPT_HTTPHEADER, headers_);
  set(CURLOPT_ERRORBUFFER, text_.data());
  set(CURLOPT_HEADERFUNCTION, &Transfer::on_header);
  set(CURLOPT_HEADERDATA, this);
  set(CURLOPT_WRITEFUNCTION, &Transfer::on_body);
  set(CURLOPT_WRITEDATA, this);
  set(CURLOPT_NOPROGRESS, 0L);
  set(CURLOPT_XFERINFOFUNCTION, &Transfer::on_progress);
  set(CURLOPT_XFERINFODATA, this);
  set(CURLOPT_OPENSOCKETFUNCTION, &Transfer::on_socket);
  set(CURLOPT_OPENSOCKETDATA, this);
}

Hop Transfer::get(const SourceUrl& url, Duration left, const std::stop_token& stop) {
  hop_ = {};
  text_.assign(CURL_ERROR_SIZE, '\0');
  set(CURLOPT_ERRORBUFFER, text_.data());
  set(CURLOPT_URL, url.text.c_str());
  const auto milliseconds = std::chrono::ceil<std::chrono::milliseconds>(left).count();
  set(CURLOPT_TIMEOUT_MS, std::max(1L, static_cast<long>(milliseconds)));
  if (!set_up_ || curl_.multi_add_handle(multi_, easy_) != CURLM_OK) {
    hop_.code = CURLE_FAILED_INIT;
    return std::move(hop_);
  }
  {
    const std::stop_callback wake(stop, [this] { curl_.multi_wakeup(multi_); });
    int running = 1;
    while (running > 0 && !stop.stop_requested()) {
      if (curl_.multi_perform(multi_, &running) != CURLM_OK) break;
      if (running > 0) curl_.multi_poll(multi_, nullptr, 0, kPollMilliseconds, nullptr);
    }
    if (running > 0) hop_.code = CURLE_ABORTED_BY_CALLBACK;
    if (running > 0 && stop.stop_requested()) hop_.halt = Halt::stopped;
  }
  int queued = 0;
  while (const auto* message = curl_.multi_info_read(multi_, &queued)) {
    if (message->msg == CURLMSG_DONE) hop_.code = message->data.result;
  }
  read_facts();
  curl_.multi_remove_handle(multi_, easy_);
  return std::move(hop_);
}

void Transfer::read_facts() {
  hop_.curl_text = printable(text_.c_str());
  if (hop_.curl_text.empty()) hop_.curl_text = printable(curl_.easy_strerror(hop_.code));
  curl_.easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &hop_.status);
  curl_.easy_getinfo(easy_, CURLINFO_HTTP_CONNECTCODE, &hop_.proxy_status);
  curl_.easy_getinfo(easy_, CURLINFO_SSL_VERIFYRESULT, &hop_.verify_result);
  curl_.easy_getinfo(easy_, CURLINFO_OS_ERRNO, &hop_.system_error);
  const auto number = [this](CURLINFO info) {
    curl_off_t value = 0;
    curl_.easy_getinfo(easy_, info, &value);
    return value;
  };
  hop_.took = std::chrono::microseconds(number(CURLINFO_TOTAL_TIME_T));
  hop_.resolved = number(CURLINFO_NAMELOOKUP_TIME_T) > 0;
  long local_port = 0;  // known as soon as TCP is through; CONNECT_TIME waits for TLS
  curl_.easy_getinfo(easy_, CURLINFO_LOCAL_PORT, &local_port);
  hop_.connected = local_port > 0;
  hop_.secured = number(CURLINFO_APPCONNECT_TIME_T) > 0;
  const std::chrono::seconds wish(std::clamp<curl_off_t>(
      number(CURLINFO_RETRY_AFTER), 0,
      std::chrono::seconds(kLongestRetryAfter / std::chrono::seconds(1)).count()));
  if (wish.count() > 0) hop_.retry_after = wish;
}

bool Transfer::take_header(std::string_view line) {
  header_bytes_ += line.size();
  if (++header_lines_ > kMaxHeaderLines || header_bytes_ > kMaxHeaderBytes) {
    hop_.halt = Halt::too_many_headers;
    return false;
  }
  if (line.starts_with("HTTP/")) {  // a new answer: those before it were 1xx
    hop_.headers.clear();
    return true;
  }
  if (trimmed(line).empty()) return end_of_headers();
  const auto colon = line.find(':');
  if (colon == std::string_view::npos || colon == 0) return true;
  auto& value = hop_.headers[lower(line.substr(0, colon))];
  if (!value.empty()) value += ", ";
  value += trimmed(line.substr(colon + 1));
  return true;
}

// What is refused before the first byte of a body is read.
bool Transfer::end_of_headers() {
  long status = 0;
  curl_.easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &status);
  if (status >= 100 && status < 200) return true;
  if (status != 200) {
    hop_.halt = Halt::no_list;
    return false;
  }
  // libcurl unpacks whatever is announced, layer in layer, before a byte is counted: each layer
  // can multiply by a thousand.
  const auto& headers = hop_.headers;
  const auto content = headers.find("content-encoding");
  const auto transport = headers.find("transfer-encoding");
  const auto known = [](const std::string& value, std::initializer_list<std::string_view> names) {
    return std::find(names.begin(), names.end(), lower(value)) != names.end();
  };
  if ((content != headers.end() && !known(content->second, {"gzip", "x-gzip", "identity", ""})) ||
      (transport != headers.end() && !known(transport->second, {"chunked", "identity", ""}))) {
    hop_.halt = Halt::packed;
    return false;
  }
  curl_off_t announced = 0;
  curl_.easy_getinfo(easy_, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &announced);
  if (announced > 0 && static_cast<std::uint64_t>(announced) > request_.max_bytes) {
    hop_.halt = Halt::too_long;
    return false;
  }
  return true;
}

std::size_t Transfer::on_header(char* data, std::size_t size, std::size_t count, void* self) {
  const std::string_view line(data, size * count);
  return static_cast<Transfer*>(self)->take_header(line) ? line.size() : 0;
}

std::size_t Transfer::on_body(char* data, std::size_t size, std::size_t count, void* self) {
  auto& hop = static_cast<Transfer*>(self)->hop_;
  const std::string_view part(data, size * count);
  if (part.size() > static_cast<Transfer*>(self)->request_.max_bytes - hop.body.size()) {
    hop.halt = Halt::too_long;
    return 0;
  }
  hop.body += part;
  return part.size();
}

// `received` is the body as sent: packed data that unpacks to nothing is bounded by it.
int Transfer::on_progress(void* self, curl_off_t, curl_off_t received, curl_off_t, curl_off_t) {
  auto& transfer = *static_cast<Transfer*>(self);
  if (static_cast<std::uint64_t>(received) <= transfer.request_.max_bytes) return 0;
  if (transfer.hop_.halt == Halt::none) transfer.hop_.halt = Halt::too_long;
  return 1;
}

curl_socket_t Transfer::on_socket(void* self, curlsocktype, curl_sockaddr* address) {
  auto& transfer = *static_cast<Transfer*>(self);
  auto& hop = transfer.hop_;
  if (const auto to = endpoint(*address)) {
    const auto& [ip, port] = *to;
    // A proxy is the operator's word, and the name is resolved behind it.
    if (transfer.proxy_.url.empty() && !not_admitted(ip, transfer.request_.allow_private).empty()) {
      hop.not_admitted = ip;
      return CURL_SOCKET_BAD;
    }
    const auto text = ip.to_string();
    hop.address = (ip.is_v4() ? text : "[" + text + "]") + ":" + std::to_string(port);
  }
  hop.tried = true;
  return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

std::string Transfer::resolve(const SourceUrl& base, const std::string& location) const {
  CURLU* url = curl_.url();
  char* text = nullptr;
  std::string target = location;
  if (url != nullptr && curl_.url_set(url, CURLUPART_URL, base.text.c_str(), 0) == CURLUE_OK &&
      curl_.url_set(url, CURLUPART_URL, location.c_str(), CURLU_NON_SUPPORT_SCHEME) == CURLUE_OK &&
      curl_.url_get(url, CURLUPART_URL, &text, 0) == CURLUE_OK) {
    target = text;
  }
  curl_.free(text);
  curl_.url_cleanup(url);
  return target;
}

}  // namespace timectl::discovery
