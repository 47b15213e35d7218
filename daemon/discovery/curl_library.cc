#include "daemon/discovery/curl_library.h"

#include <dlfcn.h>

#include "daemon/core/events.h"

namespace timectl::discovery {
namespace {

// The OpenSSL flavour: Debian's package libcurl4. The number is the ABI, the same since 2006.
constexpr const char* kLibrary = "libcurl.so.4";
constexpr unsigned kOldestVersion = 0x075700;  // 7.87.0: CURLOPT_QUICK_EXIT

template <class F>
bool find(void* library, const char* name, F& function) {
  function = reinterpret_cast<F>(::dlsym(library, name));
  return function != nullptr;
}

bool find_all(void* library, CurlLibrary& curl) {
  return find(library, "curl_global_init", curl.global_init) &&
         find(library, "curl_version_info", curl.version_info) &&
         find(library, "curl_easy_init", curl.easy_init) &&
         find(library, "curl_easy_setopt", curl.easy_setopt) &&
         find(library, "curl_easy_getinfo", curl.easy_getinfo) &&
         find(library, "curl_easy_strerror", curl.easy_strerror) &&
         find(library, "curl_easy_cleanup", curl.easy_cleanup) &&
         find(library, "curl_multi_init", curl.multi_init) &&
         find(library, "curl_multi_add_handle", curl.multi_add_handle) &&
         find(library, "curl_multi_remove_handle", curl.multi_remove_handle) &&
         find(library, "curl_multi_perform", curl.multi_perform) &&
         find(library, "curl_multi_poll", curl.multi_poll) &&
         find(library, "curl_multi_wakeup", curl.multi_wakeup) &&
         find(library, "curl_multi_info_read", curl.multi_info_read) &&
         find(library, "curl_multi_cleanup", curl.multi_cleanup) &&
         find(library, "curl_slist_append", curl.slist_append) &&
         find(library, "curl_slist_free_all", curl.slist_free_all) &&
         find(library, "curl_url", curl.url) && find(library, "curl_url_set", curl.url_set) &&
         find(library, "curl_url_get", curl.url_get) &&
         find(library, "curl_url_cleanup", curl.url_cleanup) &&
         find(library, "curl_free", curl.free);
}

std::variant<CurlLibrary, NoCurl> load() {
  // RTLD_LOCAL: its OpenSSL is its own affair.
  void* library = ::dlopen(kLibrary, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    const char* reason = ::dlerror();
    return NoCurl{"libcurl cannot be loaded (" + printable(reason == nullptr ? "" : reason) +
                  "): install Debian's package libcurl4"};
  }
  CurlLibrary curl;
  if (!find_all(library, curl) ||
      curl.version_info(CURLVERSION_NOW)->version_num < kOldestVersion) {
    return NoCurl{"libcurl is older than 7.87: install Debian 12's package libcurl4"};
  }
  if (curl.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
    return NoCurl{"libcurl cannot be initialised"};
  }
  // Without a resolver of its own thread a slow DNS server would hold us beyond every deadline.
  const auto features = curl.version_info(CURLVERSION_NOW)->features;
  constexpr int kNeeded = CURL_VERSION_ASYNCHDNS | CURL_VERSION_SSL;
  if ((features & kNeeded) != kNeeded) {
    return NoCurl{
        "libcurl is built without TLS or without a resolver that can be interrupted: "
        "install Debian's package libcurl4"};
  }
  return curl;
}

}  // namespace

const std::variant<CurlLibrary, NoCurl>& curl_library() {
  static const auto kCurl = load();
  return kCurl;
}

bool prepare(const CurlLibrary& curl, CURL* easy, const CurlRules& rules) {
  bool taken = true;
  const auto set = [&](CURLoption option, auto value) {
    taken = curl.easy_setopt(easy, option, value) == CURLE_OK && taken;
  };
  set(CURLOPT_NOSIGNAL, 1L);
  // A resolver that hangs is left behind by its thread, else the cleanup waits for it.
  set(CURLOPT_QUICK_EXIT, 1L);
  set(CURLOPT_PROTOCOLS_STR, rules.protocols);
  set(CURLOPT_FOLLOWLOCATION, 0L);
  // One document or one message: HTTP/2 would only add to what can go wrong.
  set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  set(CURLOPT_HTTP09_ALLOWED, 0L);
  set(CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
  set(CURLOPT_SSL_VERIFYPEER, 1L);
  set(CURLOPT_SSL_VERIFYHOST, 2L);
  set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  if (!rules.ca_file.empty()) {
    set(CURLOPT_CAINFO, rules.ca_file.c_str());
    // The folder of the system's certificates counts besides the file otherwise.
    set(CURLOPT_CAPATH, static_cast<const char*>(nullptr));
  }
  // Both set, so that libcurl does not look into the environment itself.
  set(CURLOPT_PROXY, rules.proxy.c_str());
  set(CURLOPT_NOPROXY, "");
  set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  set(CURLOPT_USERAGENT, rules.agent.c_str());
  return taken;
}

}  // namespace timectl::discovery
