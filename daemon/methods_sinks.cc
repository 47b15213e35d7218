// alerts.test: one real message through one sink, in a thread of the call's own, and what came
// back.
#include <algorithm>

#include "daemon/control/alerts_api.h"
#include "daemon/core/sink_url.h"
#include "daemon/methods_table.h"
#include "daemon/sink_targets.h"
#include "daemon/sinks/send.h"

namespace timectl {
namespace {

constexpr std::size_t kShownAnswer = 300;  // bytes of its first line

std::string receiver_of(const sinks::SinkTarget& target) {
  if (target.kind == SinkKind::sendmail) return target.to;
  if (!target.command.empty()) return target.command.front();
  const auto url = parse_sink_url(target.url);
  return url ? url->host : "";
}

Error no_such_sink(const Call& call, const std::string& name) {
  std::string names;
  for (const auto& sink : call.services.config->alerts.sinks) {
    names += (names.empty() ? "" : ", ") + sink.name;
  }
  return {Code::not_found,
          "there is no alert sink " + printable(name, 64),
          names.empty() ? "the configuration has none" : "there are: " + printable(names),
          {"timectl config show"}};
}

}  // namespace

control::Reply alerts_test(const Call& call) {
  const auto request = read_params<control::AlertTestRequest>(call);
  if (!request) return {request.error()};
  const auto& all = call.services.config->alerts.sinks;
  const auto sink = std::ranges::find(all, request->sink, &config::AlertSink::name);
  if (sink == all.end()) return {no_such_sink(call, request->sink)};
  const auto identity = identity_of(*call.services.config);
  const auto at = call.now.wall;
  control::Reply reply;
  reply.job = [sink = *sink, identity, at](std::stop_token stop) -> Result<json::value> {
    const auto target = target_of(sink, identity);
    const auto message = std::make_shared<const AlertMessage>(test_message(identity, at));
    const auto report = sinks::send(target, {message}, at, std::move(stop));
    control::AlertTestReply answer;
    answer.sink = sink.name;
    answer.kind = sink.kind;
    answer.to = printable(receiver_of(target));
    answer.result = report.outcome.result;
    if (report.status) answer.status = *report.status;
    if (report.exit_status) answer.exit_status = *report.exit_status;
    answer.took = report.took;
    answer.answer =
        printable(report.answer.substr(0, report.answer.find_first_of("\r\n")), kShownAnswer);
    answer.error = printable(report.outcome.error, kShownAnswer);
    return to_json(answer);
  };
  return reply;
}

}  // namespace timectl
