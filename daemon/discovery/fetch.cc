#include "daemon/discovery/fetch.h"

#include <algorithm>
#include <cstdlib>
#include <exception>
#include <utility>

#include "daemon/core/events.h"
#include "daemon/discovery/curl_library.h"
#include "daemon/discovery/file_source.h"
#include "daemon/discovery/outcome.h"
#include "daemon/discovery/proxy_choice.h"
#include "daemon/discovery/source_url.h"
#include "daemon/discovery/transfer.h"

namespace timectl::discovery {
namespace {

using Outcome = std::variant<Fetched, FetchFailure>;

std::string header(const Hop& hop, const std::string& name) {
  const auto at = hop.headers.find(name);
  return at == hop.headers.end() ? "" : at->second;
}

bool is_redirect(const Hop& hop) {
  return hop.halt == Halt::no_list &&
         (hop.status == 301 || hop.status == 302 || hop.status == 303 || hop.status == 307 ||
          hop.status == 308) &&
         hop.headers.contains("location");
}

// The list is what counts (requirements D2): a wrong type is told and nothing more.
std::optional<std::string> content_type_note(const Hop& hop) {
  const auto type = header(hop, "content-type");
  if (type.empty()) return "the answer names no content type";
  auto name = type.substr(0, type.find(';'));
  while (name.ends_with(' ')) name.pop_back();
  std::transform(name.begin(), name.end(), name.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  if (name == "application/json" || name == "text/json" || name.ends_with("+json")) return {};
  return "the content type is " + printable(name, 64);
}

Fetched fetched_of(Hop hop, Duration took) {
  Fetched fetched;
  fetched.not_modified = hop.status == 304;
  fetched.address = hop.address;
  fetched.took = took;
  if (auto etag = header(hop, "etag"); is_usable_etag(etag)) fetched.etag = std::move(etag);
  if (fetched.not_modified) return fetched;
  fetched.body = std::move(hop.body);
  if (auto note = content_type_note(hop)) fetched.notes.push_back(*std::move(note));
  return fetched;
}

Outcome fetch_https(const FetchRequest& request, SourceUrl url, const std::stop_token& stop) {
  const auto& library = curl_library();
  if (const auto* missing = std::get_if<NoCurl>(&library)) {
    return FetchFailure{FetchStep::connect, missing->why};
  }
  const auto proxy = choose_proxy(url.host, [](const char* name) { return std::getenv(name); });
  Transfer transfer(std::get<CurlLibrary>(library), request, proxy);
  if (!transfer.ready()) {
    return FetchFailure{FetchStep::connect, "libcurl cannot be set up: out of memory or of files"};
  }
  Duration took{};
  for (std::size_t redirects = 0;; ++redirects) {
    auto hop = transfer.get(url, std::max(request.timeout - took, Duration(1)), stop);
    took += hop.took;
    const bool known =
        hop.status == 304 && is_usable_etag(request.etag) && hop.halt == Halt::no_list;
    if (known || (hop.code == CURLE_OK && hop.status == 200)) {
      return fetched_of(std::move(hop), took);
    }
    if (!is_redirect(hop)) return failure_of(hop, request, url, proxy);
    const auto target = transfer.resolve(url, header(hop, "location"));
    auto why_not = may_not_redirect(url, target);
    if (redirects == request.max_redirects) {
      why_not = "more than " + std::to_string(request.max_redirects) + " redirects in a row";
    }
    if (!why_not.empty()) {
      return FetchFailure{FetchStep::redirect,
                          "the server sends us to " + printable(target) + ": " + why_not,
                          hop.address};
    }
    url = std::get<SourceUrl>(parse_source_url(target));
  }
}

}  // namespace

std::variant<Fetched, FetchFailure> fetch(const FetchRequest& request, std::stop_token stop) {
  try {
    auto parsed = parse_source_url(request.url);
    if (const auto* problem = std::get_if<UrlProblem>(&parsed)) {
      const bool file = request.url.starts_with("file:");
      return FetchFailure{
          file ? FetchStep::file : FetchStep::dns,
          "the URL '" + printable(request.url) + "' cannot be used: " + problem->why};
    }
    auto& url = std::get<SourceUrl>(parsed);
    if (url.is_file) return read_file_source(url.path, request.max_bytes);
    return fetch_https(request, std::move(url), stop);
  } catch (const std::exception& error) {  // memory: the caller keeps the list it has
    return FetchFailure{FetchStep::connect, "the fetch failed: " + printable(error.what())};
  }
}

}  // namespace timectl::discovery
