#include "daemon/sinks/send_http.h"

#include <curl/curl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <string_view>

#include "daemon/core/events.h"
#include "daemon/core/sink_url.h"
#include "daemon/discovery/curl_library.h"
#include "daemon/discovery/proxy_choice.h"
#include "daemon/sinks/redaction.h"

namespace timectl::sinks {
namespace {

using discovery::CurlLibrary;

constexpr std::size_t kMaxHeaderBytes = 65'536;
constexpr int kPollMilliseconds = 1000;  // stop wakes the poll; this is the net below it
constexpr int kLastPollMilliseconds = 100;
constexpr int kLastPolls = 5;  // a request under way has about half a second to end
// After the head of an answer: its body is for people who look for a fault, nothing depends on it.
constexpr Duration kBodyWait = std::chrono::seconds(2);
// What is read of an answer: what is kept, and as much that a secret is not cut in two.
constexpr std::size_t kMaxRead = kMaxAnswer + kMaxSinkUrl;

// Statuses that blame what was sent; the others blame the sink or the moment.
bool blames_content(long status) {
  static constexpr long kNotContent[] = {401, 403, 404, 405, 407, 408, 410, 421, 425, 429};
  return status >= 400 && status < 500 &&
         std::find(std::begin(kNotContent), std::end(kNotContent), status) == std::end(kNotContent);
}

class Exchange {
 public:
  Exchange(const CurlLibrary& curl, const HttpRequest& request, const SinkUrl& url)
      : curl_(curl),
        request_(request),
        url_(url),
        redaction_(url.path, request.secrets),
        proxy_(discovery::choose_proxy(url.host, [](const char* n) { return std::getenv(n); })),
        easy_(curl.easy_init()),
        multi_(curl.multi_init()),
        text_(CURL_ERROR_SIZE, '\0') {
    if (easy_ != nullptr && multi_ != nullptr) set_up();
  }
  ~Exchange() {
    if (easy_ != nullptr) curl_.easy_cleanup(easy_);
    if (multi_ != nullptr) curl_.multi_cleanup(multi_);
    curl_.slist_free_all(headers_);
  }
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  SendReport run(const std::stop_token& stop) {
    SendReport report;
    if (easy_ == nullptr || multi_ == nullptr || !set_up_ ||
        curl_.multi_add_handle(multi_, easy_) != CURLM_OK) {
      report.outcome = {SendResult::failed, "libcurl cannot be set up: out of memory or of files"};
      return report;
    }
    const bool stopped = perform(stop);
    CURLcode code = CURLE_ABORTED_BY_CALLBACK;
    int queued = 0;
    while (const auto* message = curl_.multi_info_read(multi_, &queued)) {
      if (message->msg == CURLMSG_DONE) code = message->data.result;
    }
    long status = 0;
    curl_.easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &status);
    report.took = elapsed();
    if (status > 0) report.status = status;
    answer_ = redaction_.of(answer_);
    report.outcome = answered_ ? judge(status) : failure(code, stopped);
    report.answer = answer_.substr(0, kMaxAnswer);
    curl_.multi_remove_handle(multi_, easy_);
    return report;
  }

 private:
  template <class T>
  void set(CURLoption option, T value) {
    set_up_ = curl_.easy_setopt(easy_, option, value) == CURLE_OK && set_up_;
  }

  void set_up() {
    // http is to this machine, where no proxy is.
    set_up_ = discovery::prepare(curl_, easy_,
                                 {.protocols = url_.secure ? "https" : "http",
                                  .ca_file = request_.ca_file,
                                  .proxy = url_.secure ? proxy_.url : "",
                                  .agent = "timectl/" TIMECTL_VERSION});
    set(CURLOPT_URL, url_.text.c_str());
    const auto limit = std::chrono::ceil<std::chrono::milliseconds>(request_.timeout).count();
    set(CURLOPT_TIMEOUT_MS, std::max(1L, static_cast<long>(limit)));
    for (const auto& header : request_.headers) {
      headers_ = curl_.slist_append(headers_, header.c_str());
    }
    if (request_.post) {
      set(CURLOPT_POST, 1L);
      set(CURLOPT_POSTFIELDS, request_.body.c_str());
      set(CURLOPT_POSTFIELDSIZE, static_cast<long>(request_.body.size()));
      headers_ = curl_.slist_append(headers_, "Expect:");  // it would wait a second for nothing
    }
    set(CURLOPT_HTTPHEADER, headers_);
    set(CURLOPT_ERRORBUFFER, text_.data());
    set(CURLOPT_HEADERFUNCTION, &Exchange::on_header);
    set(CURLOPT_HEADERDATA, this);
    set(CURLOPT_WRITEFUNCTION, &Exchange::on_body);
    set(CURLOPT_WRITEDATA, this);
    set(CURLOPT_OPENSOCKETFUNCTION, &Exchange::on_socket);
  }

  // True: it was stopped before it was over.
  bool perform(const std::stop_token& stop) {
    const std::stop_callback wake(stop, [this] { curl_.multi_wakeup(multi_); });
    int running = 1;
    int last = 0;
    std::optional<Duration> answered_at;
    while (curl_.multi_perform(multi_, &running) == CURLM_OK && running > 0) {
      if (answered_ && !answered_at) answered_at = elapsed();
      if (answered_at && elapsed() - *answered_at >= kBodyWait) return false;
      if (stop.stop_requested() && ++last > kLastPolls) return true;
      const int wait = stop.stop_requested() ? kLastPollMilliseconds : kPollMilliseconds;
      curl_.multi_poll(multi_, nullptr, 0, wait, nullptr);
    }
    return false;
  }

  [[nodiscard]] Duration elapsed() const {
    curl_off_t took = 0;
    curl_.easy_getinfo(easy_, CURLINFO_TOTAL_TIME_T, &took);
    return std::chrono::microseconds(took);
  }

  SendOutcome judge(long status) {
    if (status < 300) return {};
    SendOutcome outcome;
    outcome.result = blames_content(status) ? SendResult::refused : SendResult::failed;
    outcome.error = url_.host + " answers " + std::to_string(status);
    if (status < 400) {
      outcome.error += ", a redirect" + (location_.empty() ? "" : " to " + location_) +
                       ", which is not followed: give the url that it leads to";
    } else if (!answer_line().empty()) {
      outcome.error += ": " + answer_line();
    }
    curl_off_t wish = 0;
    curl_.easy_getinfo(easy_, CURLINFO_RETRY_AFTER, &wish);
    const curl_off_t most = Outbox::kLongestWish / std::chrono::seconds(1);
    if (wish > 0) outcome.retry_after = std::chrono::seconds(std::min(wish, most));
    return outcome;
  }

  SendOutcome failure(CURLcode code, bool stopped) const {
    if (stopped) return {SendResult::interrupted, "the node stops"};
    if (header_bytes_ > kMaxHeaderBytes) {
      return {SendResult::failed, url_.host + " sends more than 64 KiB of headers"};
    }
    std::string text = printable(redaction_.of(text_.c_str()));
    if (text.empty()) text = printable(curl_.easy_strerror(code));
    return {SendResult::failed, url_.host + " cannot be reached: " + text};
  }

  [[nodiscard]] std::string answer_line() const {
    return printable(answer_.substr(0, answer_.find_first_of("\r\n")), 100);
  }

  static std::size_t on_header(char* data, std::size_t size, std::size_t count, void* self) {
    auto& exchange = *static_cast<Exchange*>(self);
    const std::string_view line(data, size * count);
    exchange.header_bytes_ += line.size();
    if (exchange.header_bytes_ > kMaxHeaderBytes) return 0;
    if (line.find_first_not_of("\r\n") == std::string_view::npos) exchange.end_head();
    exchange.take_location(line);
    return line.size();
  }

  // Interim answers (1xx) have heads, too, and a chunked body may end with one more empty line.
  void end_head() {
    long status = 0;
    curl_.easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &status);
    answered_ = answered_ || status >= 200;
  }

  // Of where it leads only the host: the rest may be a secret, too.
  void take_location(std::string_view line) {
    static constexpr std::string_view kName = "location:";
    if (line.size() < kName.size()) return;
    for (std::size_t i = 0; i < kName.size(); ++i) {
      if ((static_cast<unsigned char>(line[i]) | 0x20U) !=
          (static_cast<unsigned char>(kName[i]) | 0x20U))
        return;
    }
    line.remove_prefix(kName.size());
    while (line.starts_with(' ')) line.remove_prefix(1);
    while (line.ends_with('\n') || line.ends_with('\r')) line.remove_suffix(1);
    const auto scheme = line.find("://");
    if (scheme == std::string_view::npos) {
      location_ = "another path";
      return;
    }
    line.remove_prefix(scheme + 3);
    line = line.substr(0, line.find_first_of("/?#"));
    line.remove_prefix(line.rfind('@') + 1);
    location_ = printable(redaction_.of(line), 100);
  }

  static std::size_t on_body(char* data, std::size_t size, std::size_t count, void* self) {
    auto& exchange = *static_cast<Exchange*>(self);
    const std::string_view part(data, size * count);
    const auto room = kMaxRead - exchange.answer_.size();
    exchange.answer_ += part.substr(0, room);
    return part.size() <= room ? part.size() : 0;
  }

  static curl_socket_t on_socket(void*, curlsocktype, curl_sockaddr* address) {
    return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
  }

  const CurlLibrary& curl_;
  const HttpRequest& request_;
  const SinkUrl& url_;
  const Redaction redaction_;
  const discovery::ProxyChoice proxy_;
  CURL* easy_;
  CURLM* multi_;
  curl_slist* headers_ = nullptr;
  std::string text_;  // CURL_ERROR_SIZE bytes that libcurl writes
  bool set_up_ = true;
  bool answered_ = false;  // the head of the final answer is complete
  std::size_t header_bytes_ = 0;
  std::string answer_;
  std::string location_;
};

}  // namespace

SendReport send_http(const HttpRequest& request, const std::stop_token& stop) {
  SendReport report;
  const auto url = parse_sink_url(request.url);
  if (!url) {
    report.outcome = {SendResult::failed, url.error().message};
    return report;
  }
  const auto& library = discovery::curl_library();
  if (const auto* missing = std::get_if<discovery::NoCurl>(&library)) {
    report.outcome = {SendResult::failed, missing->why};
    return report;
  }
  return Exchange(std::get<CurlLibrary>(library), request, *url).run(stop);
}

}  // namespace timectl::sinks
