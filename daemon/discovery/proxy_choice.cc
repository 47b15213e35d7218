#include "daemon/discovery/proxy_choice.h"

#include <charconv>
#include <optional>

#include "daemon/core/ip_address.h"

namespace timectl::discovery {
namespace {

bool same_ignoring_case(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const auto fold = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
    if (fold(a[i]) != fold(b[i])) return false;
  }
  return true;
}

// "10.0.0.0/8": the network's bits are those of the address.
bool in_network(const IpAddress& ip, std::string_view network) {
  const auto slash = network.find('/');
  const auto base = IpAddress::parse(network.substr(0, slash));
  if (!base || base->is_v4() != ip.is_v4()) return false;
  std::size_t bits = 0;
  const auto digits = network.substr(slash + 1);
  const auto [at, error] = std::from_chars(digits.data(), digits.data() + digits.size(), bits);
  if (error != std::errc{} || at != digits.data() + digits.size()) return false;
  bits += ip.is_v4() ? 96 : 0;
  if (bits > 128) return false;
  for (std::size_t bit = 0; bit < bits; ++bit) {
    const auto mask = 0x80U >> (bit % 8);
    if (((ip.bytes()[bit / 8] ^ base->bytes()[bit / 8]) & mask) != 0) return false;
  }
  return true;
}

// One word of no_proxy: a domain with all below it, an address or a network.
bool names_host(std::string_view word, std::string_view host) {
  const auto ip = IpAddress::parse(host);
  if (ip && word.find('/') != std::string_view::npos) return in_network(*ip, word);
  if (ip) {
    if (word.starts_with('[') && word.ends_with(']')) word = word.substr(1, word.size() - 2);
    const auto same = IpAddress::parse(word);
    return same && *same == *ip;
  }
  while (word.starts_with('.')) word.remove_prefix(1);
  if (word.empty() || host.size() < word.size()) return false;
  const auto tail = host.substr(host.size() - word.size());
  const bool whole = host.size() == word.size() || host[host.size() - word.size() - 1] == '.';
  return whole && same_ignoring_case(tail, word);
}

bool is_exempt(std::string_view no_proxy, std::string_view host) {
  if (no_proxy == "*") return true;
  for (std::size_t at = 0; at < no_proxy.size();) {
    const auto end = std::min(no_proxy.find_first_of(", ", at), no_proxy.size());
    if (end > at && names_host(no_proxy.substr(at, end - at), host)) return true;
    at = end + 1;
  }
  return false;
}

}  // namespace

ProxyChoice choose_proxy(std::string_view host,
                         const std::function<const char*(const char*)>& environment) {
  const auto value = [&](const char* name) -> std::string_view {
    const char* text = environment(name);
    return text == nullptr ? std::string_view() : std::string_view(text);
  };
  auto no_proxy = value("no_proxy");
  if (no_proxy.empty()) no_proxy = value("NO_PROXY");
  if (is_exempt(no_proxy, host)) return {};
  for (const char* name : {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"}) {
    if (const auto url = value(name); !url.empty()) return {std::string(url), name};
  }
  return {};
}

}  // namespace timectl::discovery
