#pragma once
// libcurl, loaded when the first list is fetched and not when the program starts. Linked, it and
// its thirty libraries would cost every `timectl status` 3.5 ms in the loader (the whole command
// takes 2), and the program's own static OpenSSL would answer half of the calls that libcurl means
// for its shared one. Called by the client of lists and by the sinks of alerts; prepare() holds
// what both promise about TLS, redirects and the environment.

#include <curl/curl.h>

#include <string>
#include <variant>

namespace timectl::discovery {

// The functions that the client calls, under their names without `curl_`.
struct CurlLibrary {
  decltype(&::curl_global_init) global_init = nullptr;
  decltype(&::curl_version_info) version_info = nullptr;
  decltype(&::curl_easy_init) easy_init = nullptr;
  decltype(&::curl_easy_setopt) easy_setopt = nullptr;
  decltype(&::curl_easy_getinfo) easy_getinfo = nullptr;
  decltype(&::curl_easy_strerror) easy_strerror = nullptr;
  decltype(&::curl_easy_cleanup) easy_cleanup = nullptr;
  decltype(&::curl_multi_init) multi_init = nullptr;
  decltype(&::curl_multi_add_handle) multi_add_handle = nullptr;
  decltype(&::curl_multi_remove_handle) multi_remove_handle = nullptr;
  decltype(&::curl_multi_perform) multi_perform = nullptr;
  decltype(&::curl_multi_poll) multi_poll = nullptr;
  decltype(&::curl_multi_wakeup) multi_wakeup = nullptr;
  decltype(&::curl_multi_info_read) multi_info_read = nullptr;
  decltype(&::curl_multi_cleanup) multi_cleanup = nullptr;
  decltype(&::curl_slist_append) slist_append = nullptr;
  decltype(&::curl_slist_free_all) slist_free_all = nullptr;
  decltype(&::curl_url) url = nullptr;
  decltype(&::curl_url_set) url_set = nullptr;
  decltype(&::curl_url_get) url_get = nullptr;
  decltype(&::curl_url_cleanup) url_cleanup = nullptr;
  decltype(&::curl_free) free = nullptr;
};

struct NoCurl {
  std::string why;  // what is missing and how to get it
};

// Loaded and initialised once, by whichever thread comes first, and kept to the process's end.
[[nodiscard]] const std::variant<CurlLibrary, NoCurl>& curl_library();

struct CurlRules {
  const char* protocols = "https";
  std::string ca_file = {};  // counts instead of the system's certificates; "": those
  std::string proxy = {};    // "": none
  std::string agent = {};
};

// Verified TLS from 1.2 on, HTTP/1.1, no redirect, no signal, no netrc, no proxy but the one that
// is given. False: libcurl refused an option, and the handle must not be used.
[[nodiscard]] bool prepare(const CurlLibrary& curl, CURL* easy, const CurlRules& rules);

}  // namespace timectl::discovery
