#pragma once
// One fetch's requests by libcurl: each hop of it is one GET, with every limit of a FetchRequest
// enforced while the bytes come. Says what happened; outcome.h says what it means. Called by
// fetch().

#include <curl/curl.h>

#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "daemon/discovery/curl_library.h"
#include "daemon/discovery/fetch.h"
#include "daemon/discovery/proxy_choice.h"
#include "daemon/discovery/source_url.h"

namespace timectl::discovery {

// Whether the text can stand in a header and is short enough to keep.
[[nodiscard]] bool is_usable_etag(std::string_view text);

// Why the client itself ended a hop.
enum class Halt : std::uint8_t {
  none,
  no_list,           // the status says that no body is wanted
  too_long,          // more than max_bytes, announced, sent or unpacked
  too_many_headers,  // or too long
  packed,            // in a way that could hide any size
  stopped,           // stop was requested
};

struct Hop {
  CURLcode code = CURLE_OK;
  std::string curl_text = {};  // libcurl's and OpenSSL's words
  Halt halt = Halt::none;
  long status = 0;                                  // 0: no answer
  long proxy_status = 0;                            // to CONNECT; 0: none
  long verify_result = 0;                           // OpenSSL's X509_V_ERR_...
  long system_error = 0;                            // errno of a failed connection
  std::map<std::string, std::string> headers = {};  // lower-case names, repeated ones joined
  std::string body = {};
  std::string address = {};                    // "IP:port" last tried, of the server or the proxy
  std::optional<IpAddress> not_admitted = {};  // resolved to, and not connected to
  bool tried = false;                          // some address was admitted
  bool resolved = false;
  bool connected = false;
  bool secured = false;  // the TLS handshake is over
  std::optional<Duration> retry_after = {};
  Duration took = {};
};

class Transfer {
 public:
  Transfer(const CurlLibrary& curl, const FetchRequest& request, ProxyChoice proxy);
  ~Transfer();
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  [[nodiscard]] bool ready() const;  // false: out of memory or descriptors
  // Ends within `left`, or soon after `stop` is requested.
  [[nodiscard]] Hop get(const SourceUrl& url, Duration left, const std::stop_token& stop);
  // Where a Location header leads, seen from `base`; the header itself where it is no URL.
  [[nodiscard]] std::string resolve(const SourceUrl& base, const std::string& location) const;

 private:
  template <class T>
  void set(CURLoption option, T value);
  void set_up();
  void read_facts();
  bool take_header(std::string_view line);
  bool end_of_headers();

  static std::size_t on_header(char* data, std::size_t size, std::size_t count, void* self);
  static std::size_t on_body(char* data, std::size_t size, std::size_t count, void* self);
  static int on_progress(void* self, curl_off_t, curl_off_t received, curl_off_t, curl_off_t);
  static curl_socket_t on_socket(void* self, curlsocktype, curl_sockaddr* address);

  const CurlLibrary& curl_;
  const FetchRequest& request_;
  const ProxyChoice proxy_;
  CURL* easy_ = nullptr;
  CURLM* multi_ = nullptr;
  curl_slist* headers_ = nullptr;
  std::string text_;    // CURL_ERROR_SIZE bytes that libcurl writes
  bool set_up_ = true;  // no option was refused
  Hop hop_;             // the present one
  std::size_t header_lines_ = 0;
  std::size_t header_bytes_ = 0;
};

}  // namespace timectl::discovery
