#include "daemon/discovery/outcome.h"

#include <array>
#include <system_error>

#include "daemon/core/events.h"
#include "daemon/discovery/address_rule.h"

namespace timectl::discovery {
namespace {

struct Meaning {
  CURLcode code;
  FetchStep step;
  std::string_view what;  // after the host's name
};

constexpr std::array<Meaning, 21> kMeanings{{
    {CURLE_COULDNT_RESOLVE_HOST, FetchStep::dns, "the name does not resolve"},
    {CURLE_COULDNT_RESOLVE_PROXY, FetchStep::proxy, "the proxy's name does not resolve"},
    {CURLE_PROXY, FetchStep::proxy, "the proxy refuses"},
    {CURLE_COULDNT_CONNECT, FetchStep::connect, "no connection"},
    {CURLE_SEND_ERROR, FetchStep::connect, "the connection broke"},
    {CURLE_RECV_ERROR, FetchStep::connect, "the connection broke"},
    {CURLE_GOT_NOTHING, FetchStep::connect, "the connection ended without an answer"},
    {CURLE_PARTIAL_FILE, FetchStep::connect, "the connection ended before the list did"},
    {CURLE_SSL_CONNECT_ERROR, FetchStep::tls, "no TLS connection"},
    {CURLE_PEER_FAILED_VERIFICATION, FetchStep::tls, "the certificate is not accepted"},
    {CURLE_SSL_CACERT_BADFILE, FetchStep::tls, "the trusted certificates cannot be read"},
    {CURLE_SSL_CIPHER, FetchStep::tls, "no TLS connection"},
    {CURLE_SSL_ISSUER_ERROR, FetchStep::tls, "the certificate's issuer is not accepted"},
    {CURLE_SSL_CERTPROBLEM, FetchStep::tls, "a certificate cannot be used"},
    {CURLE_SSL_CLIENTCERT, FetchStep::tls, "the server wants a certificate of ours"},
    {CURLE_WEIRD_SERVER_REPLY, FetchStep::status, "the answer is no HTTP"},
    {CURLE_UNSUPPORTED_PROTOCOL, FetchStep::status, "the answer is no HTTP"},
    {CURLE_BAD_CONTENT_ENCODING, FetchStep::status, "the answer cannot be unpacked"},
    // Its word for a header line beyond 100 kB.
    {CURLE_OUT_OF_MEMORY, FetchStep::size, "a header is too long, or memory is short"},
    {CURLE_URL_MALFORMAT, FetchStep::dns, "the URL cannot be used"},
    {CURLE_FAILED_INIT, FetchStep::connect, "libcurl cannot be used"},
}};

// OpenSSL's numbers (x509_vfy.h, stable since 1.0), as a sentence about the certificate.
struct Verdict {
  long result;
  std::string_view what;
};
constexpr std::array<Verdict, 7> kVerdicts{{
    {9, "is not valid yet; is this machine's clock right?"},
    {10, "has expired; is this machine's clock right?"},
    {18, "is signed by itself and by nobody we trust"},
    {19, "is signed by a root that we do not trust (discovery.ca_file)"},
    {20, "is signed by somebody we do not trust (discovery.ca_file)"},
    {21, "comes without those that lead to a root we trust"},
    {23, "is revoked"},
}};

std::string certificate_text(const Hop& hop, const SourceUrl& url) {
  for (const auto& verdict : kVerdicts) {
    if (verdict.result == hop.verify_result) {
      return "the certificate of " + url.host + " " + std::string(verdict.what);
    }
  }
  // 0: OpenSSL is content. 1: libcurl compared the name and did not ask OpenSSL any more.
  if (hop.verify_result <= 1) return "the certificate is not one for " + url.host;
  return "the certificate of " + url.host + " is not accepted";
}

std::string timeout_text(const Hop& hop, const FetchRequest& request) {
  std::string during = "resolving the name";
  if (hop.resolved) during = "connecting";
  if (hop.connected) during = "in the TLS handshake";
  if (hop.secured) during = "waiting for an answer";
  if (hop.status != 0) during = "reading (" + std::to_string(hop.body.size()) + " bytes came)";
  return "not done within " + human_duration(request.timeout) + ": it ended while " + during;
}

// What the client ended itself.
std::optional<FetchFailure> halted(const Hop& hop, const FetchRequest& request) {
  switch (hop.halt) {
    case Halt::too_long:
      return FetchFailure{FetchStep::size, "the list has more than the " +
                                               std::to_string(request.max_bytes) +
                                               " bytes that are read (discovery.max_bytes)"};
    case Halt::too_many_headers:
      return FetchFailure{FetchStep::size, "the headers of the answer do not end"};
    case Halt::packed:
      return FetchFailure{FetchStep::size,
                          "the answer is packed in a way that is not read: only gzip, once"};
    case Halt::stopped:
      return FetchFailure{FetchStep::timeout, "stopped before it was done"};
    case Halt::no_list:
      return FetchFailure{
          FetchStep::status,
          "the server answers with status " + std::to_string(hop.status) + " instead of a list",
          {},
          hop.status == 429 || hop.status == 503 ? hop.retry_after : std::nullopt};
    case Halt::none:
      break;
  }
  return std::nullopt;
}

// Between us and the list's server stands a proxy that has not opened the way yet.
bool ended_at_proxy(const Hop& hop, const ProxyChoice& proxy) {
  if (proxy.url.empty() || hop.proxy_status / 100 == 2) return false;
  return hop.code != CURLE_OPERATION_TIMEDOUT;
}

std::string proxy_text(const Hop& hop, const ProxyChoice& proxy) {
  const auto which = "the proxy of " + proxy.variable;
  if (hop.proxy_status == 407) return which + " wants a name and a password (status 407)";
  if (hop.proxy_status != 0) return which + " answers " + std::to_string(hop.proxy_status);
  if (hop.code == CURLE_COULDNT_RESOLVE_PROXY) return which + " has a name that does not resolve";
  return which + " does not serve us: " + hop.curl_text;
}

FetchFailure meaning_of(const Hop& hop, const SourceUrl& url) {
  Meaning meaning{hop.code, FetchStep::connect, "it failed"};
  for (const auto& row : kMeanings) {
    if (row.code == hop.code) meaning = row;
  }
  auto reason = hop.curl_text;
  if (hop.code == CURLE_COULDNT_CONNECT && hop.system_error != 0) {
    reason = std::generic_category().message(static_cast<int>(hop.system_error));
  }
  if (hop.code == CURLE_SSL_CONNECT_ERROR &&
      reason.find("wrong version number") != std::string::npos) {
    reason += "; does that port speak plain HTTP?";
  }
  return {meaning.step, url.host + ": " + std::string(meaning.what) + ": " + reason};
}

FetchFailure without_address(const Hop& hop, const FetchRequest& request, const SourceUrl& url,
                             const ProxyChoice& proxy) {
  if (auto failure = halted(hop, request)) return *std::move(failure);
  if (hop.code == CURLE_OPERATION_TIMEDOUT) {
    return {FetchStep::timeout, timeout_text(hop, request)};
  }
  if (ended_at_proxy(hop, proxy)) return {FetchStep::proxy, proxy_text(hop, proxy)};
  if (hop.code == CURLE_COULDNT_CONNECT && hop.not_admitted && !hop.tried) {
    const auto& ip = *hop.not_admitted;
    return {FetchStep::dns, url.host + " resolves to " + ip.to_string() + ", " +
                                std::string(not_admitted(ip, request.allow_private)) +
                                ": nothing was sent there (discovery.allow_private)"};
  }
  if (hop.code == CURLE_PEER_FAILED_VERIFICATION) {
    return {FetchStep::tls, certificate_text(hop, url) + " (" + hop.curl_text + ")"};
  }
  if (hop.code == CURLE_OK) {
    return {FetchStep::status, "the server answers with status " + std::to_string(hop.status)};
  }
  return meaning_of(hop, url);
}

}  // namespace

FetchFailure failure_of(const Hop& hop, const FetchRequest& request, const SourceUrl& url,
                        const ProxyChoice& proxy) {
  auto failure = without_address(hop, request, url, proxy);
  failure.message = printable(failure.message, 400);
  failure.address = hop.address;
  return failure;
}

}  // namespace timectl::discovery
