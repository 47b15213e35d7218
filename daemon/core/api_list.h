#pragma once
// What a list of masternodes from outside says, as values: the parser (daemon/discovery/peer_list)
// makes a PeerList, the client (daemon/discovery/fetch) a FetchFailure where there is none; the
// firewall (daemon/core/discovery.h) decides what becomes of it.

#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/core/ip_address.h"
#include "daemon/core/time.h"

namespace timectl {

// The steps of a refresh, in their order; a failure names the one at which it ended.
enum class FetchStep : std::uint8_t {
  dns,
  connect,
  proxy,
  tls,
  redirect,
  status,
  size,
  timeout,
  json,
  shape,
  file,
};
BOOST_DESCRIBE_ENUM(FetchStep, dns, connect, proxy, tls, redirect, status, size, timeout, json,
                    shape, file)

struct FetchStepRow {
  FetchStep step;
  std::string_view code;     // of the failure catalogue
  std::string_view meaning;  // of a failure at it
  std::string_view remedy;
};
[[nodiscard]] std::span<const FetchStepRow> fetch_step_table();
[[nodiscard]] const FetchStepRow& fetch_step_row(FetchStep step);
inline constexpr std::string_view kOutageCode = "FM-A4";    // a list without an address
inline constexpr std::string_view kHeldBackCode = "FM-A5";  // a list that changes too much

struct FetchFailure {
  FetchStep step = FetchStep::dns;
  std::string message = {};                  // one printable line: what, where in the list
  std::string address = {};                  // that was talked to, "IP:port"; empty: none yet
  std::optional<Duration> retry_after = {};  // the server's wish, at most a day
};

// An entry that is not taken: as it stood in the list, made printable and cut to 64 bytes.
struct RefusedEntry {
  std::string address = {};
  std::string why = {};
};
BOOST_DESCRIBE_STRUCT(RefusedEntry, (), (address, why))

struct PeerList {
  std::vector<IpAddress> ips = {};         // ascending, each once
  std::vector<RefusedEntry> refused = {};  // in the list's order
  std::uint64_t duplicates = 0;            // entries that named an address again
  bool lists_us = false;                   // our own address stands on it (R7)
  std::vector<std::string> notes = {};     // for people: a wrong content type
};

}  // namespace timectl
