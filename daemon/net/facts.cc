#include "daemon/net/facts.h"

#include <algorithm>
#include <boost/describe/enum_to_string.hpp>
#include <charconv>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>

namespace timectl::net {
namespace {

// "1.2.3.4" or "1.2.3.4:24000": addresses carry no port, but older peers have sent some.
std::optional<IpAddress> address_in(std::string_view text) {
  const auto colon = text.find(':');
  if (colon != std::string_view::npos && text.find(':', colon + 1) == std::string_view::npos) {
    const auto digits = text.substr(colon + 1);
    std::uint16_t port = 0;
    const auto end = digits.data() + digits.size();
    const auto parsed = std::from_chars(digits.data(), end, port);
    if (parsed.ec != std::errc{} || parsed.ptr != end || port == 0) return std::nullopt;
    text = text.substr(0, colon);
  }
  const auto ip = IpAddress::parse(text);
  if (!ip || ip->is_unspecified() || ip->is_multicast()) return std::nullopt;
  return *ip;
}

// What is looked at, whether it is an address or not: a frame has room for a million empty texts.
template <class List>
auto first_of(const List& list) {
  return list.span().first(std::min(list.size(), max_learned));
}

class Addresses {
 public:
  // None where the text is no address or is there already.
  std::optional<IpAddress> add(std::string_view text) {
    const auto ip = address_in(text);
    if (!ip || !seen_.insert(*ip).second) return std::nullopt;
    return ip;
  }

 private:
  std::unordered_set<IpAddress> seen_;
};

struct Claims {
  std::vector<ClaimedMasternode> found = {};
  Addresses addresses = {};

  void add(std::string_view address, std::optional<wire::MasternodeTier> tier) {
    const auto ip = addresses.add(address);
    if (!ip) return;
    std::string name = tier ? boost::describe::enum_to_string(*tier, "") : "";
    found.push_back({*ip, std::move(name)});
  }

  void operator()(const wire::msg::MasternodesResponse& message) {
    for (const auto& entry : first_of(message.masternodes)) add(entry.address, entry.tier);
  }
  void operator()(const wire::msg::MasternodeAnnouncement& m) { add(m.address, m.tier); }
  void operator()(const wire::msg::MasternodeAnnouncementV2& m) { add(m.address, m.tier); }
  void operator()(const wire::msg::MasternodeAnnouncementV3& m) { add(m.address, m.tier); }
  void operator()(const wire::msg::MasternodeAnnouncementV4& m) { add(m.address, m.tier); }
  void operator()(const wire::msg::MasternodeStatusGossip& message) {
    for (const auto address : first_of(message.visible_masternodes)) add(address, std::nullopt);
  }
  template <class T>
  void operator()(const T&) {}
};

}  // namespace

std::vector<IpAddress> learned_peers(const wire::Message& message) {
  std::vector<IpAddress> found;
  Addresses addresses;
  const auto add = [&](std::string_view text) {
    if (const auto ip = addresses.add(text)) found.push_back(*ip);
  };
  if (const auto* peers = std::get_if<wire::msg::PeersResponse>(&message)) {
    for (const auto address : first_of(peers->addresses)) add(address);
  } else if (const auto* exchange = std::get_if<wire::msg::PeerExchange>(&message)) {
    for (const auto& entry : first_of(exchange->entries)) add(entry.address);
  }
  return found;
}

std::vector<ClaimedMasternode> claimed_masternodes(const wire::Message& message) {
  Claims claims;
  std::visit(claims, message);
  return std::move(claims.found);
}

}  // namespace timectl::net
