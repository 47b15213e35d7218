#include "daemon/core/api_list.h"

#include <algorithm>
#include <array>

#include "daemon/core/result.h"

namespace timectl {
namespace {

constexpr auto kSteps = std::to_array<FetchStepRow>({
    {FetchStep::dns, "FM-A1", "The host of the list has no address, or one that it must not have",
     "check the resolver (getent hosts time-coin.io); the last good list stays in force"},
    {FetchStep::connect, "FM-A2", "The host of the list does not take a connection",
     "check route and firewall for outgoing port 443; the last good list stays in force"},
    {FetchStep::proxy, "FM-A2", "The proxy that the environment names does not pass the request on",
     "check https_proxy and no_proxy in the node's environment"},
    {FetchStep::tls, "FM-A2", "The host's certificate or its TLS is not to be trusted",
     "check this host's clock and ca-certificates; a wrong certificate is the site's to mend"},
    {FetchStep::redirect, "FM-A2", "The list is said to be elsewhere, where it is not looked for",
     "only https and the same host or its www. sibling count; set discovery.url if it has moved"},
    {FetchStep::status, "FM-A2", "The host answers with an HTTP error",
     "wait: the node tries again by itself; the last good list stays in force"},
    {FetchStep::size, "FM-A6", "The list is too large, or its end is missing",
     "discovery.max_bytes and discovery.max_entries are the limits"},
    {FetchStep::timeout, "FM-A2", "The list did not come in time",
     "discovery.timeout is for all of it; the node tries again by itself"},
    {FetchStep::json, "FM-A3", "The list is no JSON",
     "a captive portal or an error page? the last good list stays in force"},
    {FetchStep::shape, "FM-A3", "The list is no array of addresses, or has none that can be taken",
     "an empty list is taken for an outage; the last good list stays in force"},
    {FetchStep::file, "FM-A2", "The file that discovery.url names cannot be read",
     "check path and permissions: the node's user must be able to read it"},
});

}  // namespace

std::span<const FetchStepRow> fetch_step_table() {
  return kSteps;
}

const FetchStepRow& fetch_step_row(FetchStep step) {
  const auto row = std::ranges::find(kSteps, step, &FetchStepRow::step);
  TIMECTL_CHECK(row != kSteps.end());
  return *row;
}

}  // namespace timectl
