#include "daemon/sinks/send.h"

#include <algorithm>
#include <exception>

#include "daemon/core/events.h"
#include "daemon/core/sink_url.h"
#include "daemon/sinks/run_command.h"
#include "daemon/sinks/send_http.h"
#include "daemon/sinks/signature.h"

namespace timectl::sinks {
namespace {

constexpr const char* kSendmail = "/usr/sbin/sendmail";
constexpr const char* kAlertsPath = "/api/v2/alerts";
constexpr std::size_t kAlertsAtOnce = 500;  // of one request: about 300 KiB

HttpRequest request_to(const SinkTarget& target) {
  return {.url = target.url, .ca_file = target.ca_file, .timeout = target.timeout};
}

SendReport to_webhook(const SinkTarget& target, const Messages& messages, WallTime now,
                      const std::stop_token& stop) {
  auto request = request_to(target);
  request.body = webhook_body(target, messages, now);
  request.headers = {"Content-Type: application/json",
                     "Idempotency-Key: " + printable(idempotency_key(messages))};
  if (!target.secret.empty()) {
    const auto signed_by = signature(target.secret, request.body, now);
    request.headers.push_back("X-Timectl-Signature: " + signed_by);
    request.secrets = {target.secret, signed_by, signed_by.substr(signed_by.rfind('=') + 1)};
  }
  return send_http(request, stop);
}

// The URL is the server's, "https://HOST:9093", or already that of the interface.
SendReport to_alertmanager(const SinkTarget& target, const Messages& messages, WallTime now,
                           const std::stop_token& stop) {
  auto request = request_to(target);
  if (!request.url.ends_with(kAlertsPath)) {
    while (request.url.ends_with('/')) request.url.pop_back();
    request.url += kAlertsPath;
  }
  request.headers = {"Content-Type: application/json"};
  SendReport report;
  for (std::size_t at = 0; at < messages.size(); at += kAlertsAtOnce) {
    const auto end = std::min(at + kAlertsAtOnce, messages.size());
    request.body = alertmanager_body({messages.begin() + static_cast<std::ptrdiff_t>(at),
                                      messages.begin() + static_cast<std::ptrdiff_t>(end)},
                                     now, kLasts);
    report = send_http(request, stop);
    if (report.outcome.result != SendResult::delivered) break;
  }
  return report;
}

SendReport to_program(const SinkTarget& target, const Messages& messages, WallTime now,
                      const std::stop_token& stop) {
  CommandRequest request;
  request.timeout = target.timeout;
  request.command = target.command;
  if (target.kind == SinkKind::sendmail) {
    if (request.command.empty()) request.command = {kSendmail};
    request.command.insert(request.command.end(), {"-oi", "-t"});
    request.input = mail(target, messages, now);
  } else {
    request.environment = environment_of(messages);
    request.input = json_body(messages, now) + "\n";
  }
  return run_command(request, stop);
}

SendReport dispatch(const SinkTarget& target, const Messages& messages, WallTime now,
                    const std::stop_token& stop) {
  switch (target.kind) {
    case SinkKind::log:  // by the daemon itself
      return {};
    case SinkKind::webhook:
      return to_webhook(target, messages, now, stop);
    case SinkKind::alertmanager:
      return to_alertmanager(target, messages, now, stop);
    case SinkKind::command:
    case SinkKind::sendmail:
      return to_program(target, messages, now, stop);
    case SinkKind::heartbeat: {
      auto request = request_to(target);
      request.post = false;
      return send_http(request, stop);
    }
  }
  check_failed("every SinkKind is sent to", __FILE__, __LINE__);
}

}  // namespace

SendReport send(const SinkTarget& target, const Messages& messages, WallTime now,
                std::stop_token stop) {
  if (!target.broken.empty()) return {{SendResult::failed, target.broken}};
  const bool quiet = messages.empty() && target.kind != SinkKind::heartbeat;
  if (quiet) return {};
  try {
    return dispatch(target, messages, now, stop);
  } catch (const std::exception& error) {  // memory
    return {{SendResult::failed, std::string("not sent: ") + printable(error.what())}};
  }
}

}  // namespace timectl::sinks
