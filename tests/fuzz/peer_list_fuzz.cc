// Any list: the parser returns, what it takes keeps its own rules, and its address texts are taken
// again as the same list; a failure is one printable line.
#include <algorithm>
#include <string>

#include "daemon/core/events.h"
#include "daemon/discovery/address_rule.h"
#include "daemon/discovery/peer_list.h"
#include "tests/fuzz/fuzz.h"

namespace timectl::discovery {

using timectl::fuzz::require;

namespace {

void check_list(const PeerList& list, const ListRules& rules) {
  require(std::is_sorted(list.ips.begin(), list.ips.end()), "the addresses ascend");
  require(std::adjacent_find(list.ips.begin(), list.ips.end()) == list.ips.end(), "each once");
  require(list.ips.size() + list.refused.size() + list.duplicates <= rules.max_entries,
          "no more than may be");
  std::string again = "[";
  for (const auto& ip : list.ips) {
    require(not_admitted(ip, rules.allow_private).empty(), "only what is admitted");
    require(ip != rules.own_address, "never ourselves");
    again += (again.size() > 1 ? ",\"" : "\"") + ip.to_string() + "\"";
  }
  for (const auto& entry : list.refused) {
    require(entry.address.size() <= 64 && printable(entry.address, 64) == entry.address,
            "what is shown is short and printable");
    require(!entry.why.empty() && printable(entry.why, 1000) == entry.why, "with a reason");
  }
  const auto parsed = parse_peer_list(again + "]", rules);
  const auto* same = std::get_if<PeerList>(&parsed);
  require(same != nullptr && same->ips == list.ips && same->refused.empty(), "taken again");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  ListRules rules;
  rules.allow_private = (data[0] & 1U) != 0;
  if ((data[0] & 2U) != 0) rules.own_address = IpAddress::v4(9, 9, 9, 9);
  if ((data[0] & 4U) != 0) rules.max_entries = 3;
  const std::string_view body(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto parsed = parse_peer_list(body, rules);
  if (const auto* list = std::get_if<PeerList>(&parsed)) {
    check_list(*list, rules);
  } else {
    const auto& failure = std::get<FetchFailure>(parsed);
    require(printable(failure.message, 1000) == failure.message, "a failure is one line");
  }
  return 0;
}

}  // namespace timectl::discovery
