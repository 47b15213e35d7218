#include "daemon/probe_tools.h"

#include "daemon/clock.h"
#include "daemon/host.h"

namespace timectl {

ProbeTools network_probe_tools() {
  ProbeTools tools;
  tools.ask_rpc = [](const probe::RpcRequest& request, std::stop_token stop) {
    return probe::ask_rpc(request, clock_now, std::move(stop));
  };
  tools.probe = [](const probe::ProbeRequest& request, std::stop_token stop) {
    return probe::probe_peer(request, clock_now, std::move(stop));
  };
  tools.knock = [](const probe::ProbeRequest& request, std::stop_token stop) {
    return probe::knock(request, clock_now, std::move(stop));
  };
  tools.ask_time_servers = [](const probe::SntpRequest& request, std::stop_token stop,
                              diagnose::ClockFacts& clock) {
    probe::ask_time_servers(request, clock_now, std::move(stop), clock);
  };
  tools.foreign_session = [](const IpAddress& peer, std::uint16_t port) {
    Whitelist one(1);
    one.load({WhitelistEntry{.ip = peer, .sources = {WhitelistSource{}}}});
    return foreign_session(one, port);
  };
  return tools;
}

}  // namespace timectl
