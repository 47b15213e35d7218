// audit.*, events.* and db.*: what is recorded. What reads a whole table runs as a job on a reader
// of its own, because the network thread must answer pings meanwhile.

#include <filesystem>
#include <memory>

#include "daemon/methods_table.h"
#include "store/backup.h"
#include "store/peer_history.h"

namespace timectl {
namespace {

constexpr std::uint64_t kMaxExportRows = 100'000;          // of one page
constexpr std::size_t kMaxExportBytes = 16 * 1024 * 1024;  // of one page

template <class T>
Result<json::value> as_json(const Result<T>& result) {
  if (!result) return result.error();
  return to_json(*result);
}

bool is_hash(const std::string& text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

Result<std::optional<IpAddress>> named_peer(const Call& call,
                                            const std::optional<std::string>& name) {
  if (!name || name->empty()) return std::optional<IpAddress>();
  const auto ip = resolve_peer(call, *name);
  if (!ip) return ip.error();
  return std::optional<IpAddress>(*ip);
}

Result<json::value> recorded_events(const Call& call, const control::EventsRequest& request,
                                    const std::optional<IpAddress>& ip) {
  const auto limit = checked_limit(request.limit, kMaxRows);
  if (!limit) return limit.error();
  store::EventFilter filter;
  filter.since = request.since;
  filter.ip = ip;
  filter.kind = request.kind;
  filter.limit = *limit;
  // What waits for the tick is in the list: a follower would neither find it there nor be sent it.
  if (call.services.flush) call.services.flush();
  return as_json(store::list_events(*call.services.database, filter));
}

// Ends an export early; never reaches anybody.
Error page_is_full() {
  return {Code::interrupted, "the page is full"};
}

Result<json::value> export_page(store::Database& database, std::uint64_t from, std::size_t limit,
                                const std::stop_token& stop) {
  json::array rows;
  std::size_t bytes = 0;
  std::optional<std::uint64_t> next;
  std::optional<Error> failed;
  const auto take = [&](std::string_view line) -> Result<void> {
    if (stop.stop_requested()) {
      failed = Error{Code::interrupted, "the node is stopping"};
      return *failed;
    }
    boost::system::error_code malformed;
    auto row = json::parse({line.data(), line.size()}, malformed);
    const auto* object = row.if_object();
    const auto* seq = object == nullptr ? nullptr : object->if_contains("seq");
    if (malformed || seq == nullptr || !seq->is_number()) {
      failed = Error{Code::database_damaged, "a row of the audit log does not read"};
      return *failed;
    }
    const auto number = seq->to_number<std::uint64_t>();
    if (number < from) return {};
    if (rows.size() >= limit || bytes + line.size() > kMaxExportBytes) {
      next = number;
      return page_is_full();
    }
    bytes += line.size();
    rows.push_back(std::move(row));
    return {};
  };
  const auto done = store::export_audit(database, take);
  if (failed) return *failed;
  if (!done && !next) return done.error();
  return json::value(json::object{{"rows", std::move(rows)}, {"next", to_json(next)}});
}

}  // namespace

// A database in memory has no second connection: only tests have one, and they do not mind.
control::Reply beside(const Call& call, Work work) {
  auto reader = call.services.node == nullptr
                    ? Result<store::Database>(Error{Code::invalid_argument, "one thread"})
                    : call.services.database->open_reader();
  if (!reader && reader.error().code != Code::invalid_argument) return {reader.error()};
  control::Reply reply;
  if (!reader) {
    reply.job = [work = std::move(work), own = call.services.database](std::stop_token stop) {
      return work(*own, std::move(stop));
    };
    return reply;
  }
  reply.job = [work = std::move(work),
               shared = std::make_shared<store::Database>(std::move(*reader))](
                  std::stop_token stop) { return work(*shared, std::move(stop)); };
  return reply;
}

control::Reply audit_list(const Call& call) {
  const auto request = read_params<control::AuditListRequest>(call);
  if (!request) return {request.error()};
  const auto limit = checked_limit(request->limit, kMaxRows);
  if (!limit) return {limit.error()};
  store::AuditFilter filter;
  filter.since = request->since;
  if (!request->actor.empty()) filter.actor = request->actor;
  if (!request->subject.empty()) {
    const auto ip = call.services.whitelist->resolve(request->subject);
    filter.subject = ip ? ip->to_string() : request->subject;
  }
  filter.limit = *limit;
  return {as_json(store::list_audit(*call.services.database, filter))};
}

control::Reply audit_verify(const Call& call) {
  const auto request = read_params<control::AuditVerifyRequest>(call);
  if (!request) return {request.error()};
  if (!request->head.empty() && !is_hash(request->head)) {
    return {Error{Code::invalid_argument,
                  "the head is not a hash",
                  "64 hex digits in lower case, as audit head prints them",
                  {"timectl audit head"}}};
  }
  std::optional<std::string> head;
  if (!request->head.empty()) head = request->head;
  return beside(call, [head](store::Database& database, std::stop_token stop) {
    return as_json(store::verify_audit(database, head, std::move(stop)));
  });
}

control::Reply audit_head(const Call& call) {
  return {as_json(store::audit_head(*call.services.database))};
}

control::Reply audit_export(const Call& call) {
  const auto request = read_params<control::AuditExportRequest>(call);
  if (!request) return {request.error()};
  const auto limit = checked_limit(request->limit, kMaxExportRows);
  if (!limit) return {limit.error()};
  return beside(call, [from = request->from, most = *limit](store::Database& database,
                                                            const std::stop_token& stop) {
    return export_page(database, from, most, stop);
  });
}

control::Reply events_list(const Call& call) {
  const auto request = read_params<control::EventsRequest>(call);
  if (!request) return {request.error()};
  const auto ip = named_peer(call, request->peer);
  if (!ip) return {ip.error()};
  return {recorded_events(call, *request, *ip)};
}

// No event is lost between the list and the stream: both are made on the one thread.
control::Reply events_follow(const Call& call) {
  const auto request = read_params<control::EventsRequest>(call);
  if (!request) return {request.error()};
  const auto ip = named_peer(call, request->peer);
  if (!ip) return {ip.error()};
  control::Reply reply{recorded_events(call, *request, *ip)};
  reply.follow = [ip = *ip, kind = request->kind](const Event& event) {
    return (!ip || event.peer == ip) && (!kind || event.kind == *kind);
  };
  return reply;
}

control::Reply db_check(const Call& call) {
  return beside(call, [](store::Database& database, std::stop_token stop) -> Result<json::value> {
    const auto problems = store::check(database, std::move(stop));
    if (!problems) return problems.error();
    return json::value(json::object{{"ok", problems->empty()}, {"problems", to_json(*problems)}});
  });
}

control::Reply db_backup(const Call& call) {
  const auto request = read_params<control::BackupRequest>(call);
  if (!request) return {request.error()};
  const std::filesystem::path file(request->path);
  if (!file.is_absolute() || request->path.find('\0') != std::string::npos) {
    return {Error{Code::invalid_argument, "the backup's path is not absolute"}};
  }
  return beside(call, [file](store::Database& database, std::stop_token stop) {
    return as_json(store::backup(database, file, std::move(stop)));
  });
}

}  // namespace timectl
