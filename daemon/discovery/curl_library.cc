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

}  // namespace timectl::discovery
