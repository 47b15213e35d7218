#include "daemon/discovery/peer_list.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "daemon/core/events.h"
#include "daemon/discovery/address_rule.h"
#include "daemon/discovery/list_entries.h"

namespace timectl::discovery {
namespace {

constexpr std::size_t kShownBytes = 64;  // RefusedEntry::address

// Where an entry ends: an address that is taken, or why none is.
struct Refusal {
  std::string why;
};
using Taken = std::variant<IpAddress, Refusal>;

std::optional<Refusal> check_port(std::string_view text, std::uint16_t only) {
  unsigned port = 0;
  const auto* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, port);
  const bool number = error == std::errc{} && at == end && text.front() != '0';
  if (number && port == only) return std::nullopt;
  const auto shown = printable(text, 16);
  if (!number || port > 65535) {
    return Refusal{"port '" + shown + "' is none: a port is a number from 1 to 65535"};
  }
  return Refusal{"port " + shown + ": the network's port is " + std::to_string(only)};
}

// "IP", "IP:port", "[IPv6]", "[IPv6]:port".
Taken parse_address(std::string_view text, const ListRules& rules) {
  std::string_view host = text;
  std::optional<std::string_view> port;
  if (text.starts_with('[')) {
    const auto close = text.find(']');
    if (close == std::string_view::npos) return Refusal{"a bracket is not closed"};
    host = text.substr(1, close - 1);
    if (host.find(':') == std::string_view::npos) return Refusal{"brackets are for IPv6"};
    const auto rest = text.substr(close + 1);
    if (!rest.empty() && rest.front() != ':') return Refusal{"something follows the bracket"};
    if (!rest.empty()) port = rest.substr(1);
  } else if (std::count(text.begin(), text.end(), ':') == 1) {
    host = text.substr(0, text.find(':'));
    port = text.substr(host.size() + 1);
  }
  auto ip = IpAddress::parse(host);
  if (!ip) return Refusal{"not an IP address: " + printable(ip.error().because)};
  if (port) {
    if (auto refusal = check_port(*port, rules.port)) return *std::move(refusal);
  }
  return *ip;
}

Taken parse_field(std::string_view name, const ListValue& value, const ListRules& rules) {
  if (value.kind == ValueKind::text) return parse_address(value.text, rules);
  return Refusal{"its " + std::string(name) + " is " + std::string(name_of(value.kind)) +
                 ", not a text"};
}

// The object's two names for one thing: either, or both where they agree.
Taken parse_object(const ListEntry& entry, const ListRules& rules) {
  std::optional<IpAddress> ip;
  const std::pair<std::string_view, const std::optional<ListValue>*> fields[] = {
      {"ip", &entry.ip}, {"address", &entry.address}};
  for (const auto& [name, field] : fields) {
    if (!*field) continue;
    auto taken = parse_field(name, **field, rules);
    if (std::holds_alternative<Refusal>(taken)) return taken;
    const auto& found = std::get<IpAddress>(taken);
    if (ip && *ip != found) return Refusal{"its ip and its address are not the same"};
    ip = found;
  }
  if (!ip) return Refusal{"it has neither ip nor address"};
  const auto& port = entry.port;
  if (!port || port->kind == ValueKind::null) return *ip;
  if (port->kind != ValueKind::number && port->kind != ValueKind::text) {
    return Refusal{"port is " + std::string(name_of(port->kind)) + ", not a number"};
  }
  if (auto refusal = check_port(port->text, rules.port)) return *std::move(refusal);
  return *ip;
}

Taken parse_entry(const ListEntry& entry, const ListRules& rules) {
  if (entry.value.kind == ValueKind::text) return parse_address(entry.value.text, rules);
  if (entry.value.kind == ValueKind::object) return parse_object(entry, rules);
  return Refusal{std::string(name_of(entry.value.kind)) + " is neither a text nor an object"};
}

std::string shown(const ListEntry& entry) {
  if (entry.value.kind != ValueKind::object) {
    return entry.value.text.empty() ? std::string(name_of(entry.value.kind))
                                    : printable(entry.value.text, kShownBytes);
  }
  for (const auto* field : {&entry.ip, &entry.address}) {
    if (*field && !(*field)->text.empty()) return printable((*field)->text, kShownBytes);
  }
  return std::string(name_of(entry.value.kind));
}

}  // namespace

std::variant<PeerList, FetchFailure> parse_peer_list(std::string_view body,
                                                     const ListRules& rules) {
  if (body.size() > rules.max_bytes) {
    return FetchFailure{FetchStep::size, "the list has " + std::to_string(body.size()) +
                                             " bytes, more than the " +
                                             std::to_string(rules.max_bytes) + " that are read"};
  }
  auto read = read_entries(body, rules.max_entries);
  if (auto* failure = std::get_if<FetchFailure>(&read)) return std::move(*failure);
  PeerList list;
  for (const auto& entry : std::get<0>(read)) {
    const auto taken = parse_entry(entry, rules);
    std::string why;
    if (const auto* refusal = std::get_if<Refusal>(&taken)) {
      why = refusal->why;
    } else if (const auto& ip = std::get<IpAddress>(taken); ip == rules.own_address) {
      list.lists_us = true;
      why = "our own address";
    } else if (const auto rule = not_admitted(ip, rules.allow_private); !rule.empty()) {
      why = rule;
    } else {
      list.ips.push_back(ip);
    }
    if (!why.empty()) list.refused.push_back({shown(entry), std::move(why)});
  }
  std::sort(list.ips.begin(), list.ips.end());
  const auto end = std::unique(list.ips.begin(), list.ips.end());
  list.duplicates = static_cast<std::uint64_t>(list.ips.end() - end);
  list.ips.erase(end, list.ips.end());
  return list;
}

}  // namespace timectl::discovery
