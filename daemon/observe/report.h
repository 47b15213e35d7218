#pragma once
// Report: the targets of the requirements against what was measured over a period (`timectl
// report`). Pure: from sums of samples and events to one view, which table, JSON and Markdown
// print. Each target says what it is measured from; what was not measured is null and not "met".
// Every figure is one of the samples' sums or a quotient of two: nothing is counted a second time.

#include <boost/describe/class.hpp>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "daemon/core/events.h"
#include "daemon/core/samples.h"
#include "daemon/core/sync_views.h"

namespace timectl::observe {

struct ReportTarget {
  std::string name = {};    // disconnects missed_pongs uptime lag spread fork catch_up
  std::string title = {};   // for people
  std::string target = {};  // "0", "at least 99.9 %", "under 10 blocks" ...
  std::optional<double> measured = {};
  std::string unit = {};         // of `measured`
  std::optional<bool> met = {};  // null: nothing was measured, or too little to say
  std::string detail = {};       // whose, when: one clause
};
BOOST_DESCRIBE_STRUCT(ReportTarget, (), (name, title, target, measured, unit, met, detail))

struct ReportMasternode {
  IpAddress ip = {};
  std::string label = {};
  std::optional<double> uptime_ratio = {};  // 0 to 1, of the time it was whitelisted and looked at,
                                            // own outages left out
  double own_outage_seconds = 0;
  double observed_seconds = 0;
  std::uint64_t disconnects = 0;
  std::uint64_t missed_pongs = 0;
  std::optional<double> rtt_ms_mean = {};
  std::optional<double> score = {};
};
BOOST_DESCRIBE_STRUCT(ReportMasternode, (),
                      (ip, label, uptime_ratio, own_outage_seconds, observed_seconds, disconnects,
                       missed_pongs, rtt_ms_mean, score))

struct ReportView {
  std::string summary = {};  // the verdict in one sentence
  WallTime since = {};
  WallTime until = {};
  double observed_seconds = 0;    // of the period: the node ran
  double own_outage_seconds = 0;  // of them it was sick
  std::vector<ReportTarget> targets = {};
  std::vector<ReportMasternode> masternodes = {};  // the worst first
};
BOOST_DESCRIBE_STRUCT(ReportView, (),
                      (summary, since, until, observed_seconds, own_outage_seconds, targets,
                       masternodes))

struct ReportInput {
  WallTime since = {};
  WallTime until = {};
  std::vector<PeerSample> peers = {};   // sums over the period
  std::optional<NodeSample> node = {};  // the same
  // Those that were not open in the period are left out. None: no chain can be read.
  std::optional<std::vector<ForkView>> forks = {};
  bool running = false;  // a node runs now: what it has not measured is yet to come
  std::vector<IpAddress> whitelisted = {};  // now; those that never were looked at are shown, too
  std::vector<std::pair<IpAddress, std::string>> labels = {};
};
[[nodiscard]] ReportView make_report(const ReportInput& input);

}  // namespace timectl::observe
