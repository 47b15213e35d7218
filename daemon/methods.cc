#include "daemon/methods.h"

#include <algorithm>
#include <array>
#include <exception>

#include "daemon/methods_table.h"

namespace timectl {
namespace {

struct Handler {
  std::string_view name;
  control::Reply (*run)(const Call& call);
};

constexpr auto kHandlers = std::to_array<Handler>({
    {"hello", hello},
    {"status", status},
    {"overview", overview},
    {"overview.history", overview_history},
    {"getnetworkinfo", network_info},
    {"whitelist.add", whitelist_add},
    {"whitelist.remove", whitelist_remove},
    {"whitelist.list", whitelist_list},
    {"whitelist.show", whitelist_show},
    {"whitelist.import", whitelist_import},
    {"whitelist.verify", whitelist_verify},
    {"whitelist.pending", whitelist_pending},
    {"whitelist.approve", whitelist_approve},
    {"whitelist.reject", whitelist_reject},
    {"whitelist.suggest", whitelist_suggest},
    {"refresh", refresh},
    {"refresh.snapshots", refresh_snapshots},
    {"ban.add", ban_add},
    {"ban.remove", ban_remove},
    {"ban.list", ban_list},
    {"ban.why", ban_why},
    {"peer.list", peer_list},
    {"peer.show", peer_show},
    {"peer.history", peer_history},
    {"peer.score", peer_score},
    {"peer.connect", peer_connect},
    {"peer.disconnect", peer_disconnect},
    {"slots.show", slots_show},
    {"slots.check", slots_check},
    {"sync.status", sync_status},
    {"sync.peers", sync_peers},
    {"sync.fork", sync_fork},
    {"sync.fork_accept", sync_fork_accept},
    {"sync.pause", sync_pause},
    {"sync.resume", sync_resume},
    {"diagnose.peer", diagnose_peer},
    {"diagnose.probe", diagnose_probe},
    {"diagnose.node", diagnose_node},
    {"diagnose.all", diagnose_everything},
    {"alerts.list", alerts_list},
    {"alerts.ack", alerts_ack},
    {"alerts.silence", alerts_silence},
    {"alerts.rules", alerts_rules},
    {"alerts.test", alerts_test},
    {"audit.list", audit_list},
    {"audit.verify", audit_verify},
    {"audit.head", audit_head},
    {"audit.export", audit_export},
    {"report", report},
    {"events.list", events_list},
    {"events.follow", events_follow},
    {"db.check", db_check},
    {"db.backup", db_backup},
    {"node.stop", node_stop},
    {"node.reload", node_reload},
});

const Handler* find_handler(std::string_view name) {
  for (const auto& handler : kHandlers) {
    if (handler.name == name) return &handler;
  }
  return nullptr;
}

Error unknown_method(const std::string& name) {
  return {Code::unknown_command,
          "there is no method " + printable(name, 64),
          "the node may be older or newer than the command",
          {"timectl version", "timectl node restart"}};
}

Error failed(const std::string& name, const std::exception& exception) {
  return {Code::internal, name + " failed", printable(exception.what(), 500)};
}

}  // namespace

Result<IpAddress> resolve_peer(const Call& call, const std::string& name) {
  if (name.empty()) return Error{Code::invalid_argument, "no peer is named"};
  return call.services.whitelist->resolve(name);
}

Error node_needed(const std::string& method) {
  return {Code::node_not_running,
          "no node is running",
          method + " is answered by a live node only",
          {"timectl node start"}};
}

store::AuditOrigin origin_of(const Call& call) {
  return {call.now.wall, std::string(store::kActorOperator), call.actor.uid, call.actor.user,
          call.actor.via};
}

control::Reply change_reply(const Call& call, ChangeSet set, json::value answer) {
  auto& services = call.services;
  if (std::ranges::none_of(set.changes, has_effect) && !set.also) return {std::move(answer)};
  if (!services.apply) {
    ChangeWriter writer(services, std::move(set));
    if (auto done = writer.finish(); !done) return {done.error()};
    return {std::move(answer)};
  }
  control::Reply reply;
  reply.later = [&services, set = std::make_shared<ChangeSet>(std::move(set)),
                 answer = std::move(answer)](control::Answer done) {
    services.apply(std::move(*set), [answer, done = std::move(done)](Result<json::value> stored) {
      done(stored ? Result<json::value>(answer) : std::move(stored));
    });
  };
  return reply;
}

control::Reply Methods::handle(const std::string& name, const json::value& params,
                               const control::Actor& actor) {
  const auto* row = control::find_method(name);
  const auto* handler = find_handler(name);
  if (row == nullptr || handler == nullptr) return {unknown_method(name)};
  const Call call{services_, params, actor, services_.now()};
  const auto access = control::decide_access(actor, row->privilege, services_.access);
  // One change after the other, and no half of one is read from the database.
  if (services_.settle && !(access.allowed && row->from_memory)) services_.settle();
  if (!access.allowed) {
    // The denial stands also where it cannot be written: a full disk must not open the door.
    (void)denied_.record(*services_.database, origin_of(call), name, "", call.now.mono);
    return {Error{Code::access_denied, name + " is not permitted", access.because}};
  }
  if (row->needs_node && services_.node == nullptr) return {node_needed(name)};
  try {
    auto reply = handler->run(call);
    if (reply.job) {
      reply.job = [job = std::move(reply.job), name](std::stop_token stop) -> Result<json::value> {
        try {
          return job(std::move(stop));
        } catch (const std::exception& exception) {
          return failed(name, exception);
        }
      };
    }
    return reply;
  } catch (const std::exception& exception) {
    return {failed(name, exception)};
  }
}

Result<json::value> Methods::call(const std::string& name, const json::value& params,
                                  const control::Actor& actor) {
  auto reply = handle(name, params, actor);
  if (reply.job) return reply.job({});
  if (reply.later) {  // what answers later than at once needs the server
    reply.result = Error{Code::internal, name + " was not answered at once"};
    reply.later([&reply](Result<json::value> result) { reply.result = std::move(result); });
  }
  return std::move(reply.result);
}

Result<void> Methods::flush_denied(Now now, bool last) {
  return denied_.flush(*services_.database, now.mono, now.wall, last);
}

// The API number is read before anything else: a later version may have other fields.
control::Reply hello(const Call& call) {
  const auto* object = call.params.if_object();
  const auto* api = object == nullptr ? nullptr : object->if_contains("api");
  if (api == nullptr || !api->is_number()) {
    return {Error{Code::protocol_mismatch, "hello carries no API version"}};
  }
  boost::system::error_code out_of_range;
  const auto theirs = api->to_number<std::uint32_t>(out_of_range);
  const auto& services = call.services;
  if (out_of_range || theirs != control::kApiVersion) {
    return {Error{Code::protocol_mismatch,
                  "the node speaks control API " + std::to_string(control::kApiVersion) +
                      ", the command " + json::serialize(*api),
                  "the node is timectl " TIMECTL_VERSION " and was started before the other was "
                  "installed, or the reverse",
                  {"timectl version", "timectl node restart"}}};
  }
  return {to_json(control::HelloReply{control::kApiVersion, TIMECTL_VERSION, services.facts.pid,
                                      std::string(name_of(services.config->network.name)),
                                      std::string(name_of(services.facts.mode))})};
}

control::Reply node_stop(const Call& call) {
  call.services.stop();
  return {json::value(json::object{{"stopping", true}, {"pid", call.services.facts.pid}})};
}

control::Reply node_reload(const Call& call) {
  if (auto ok = call.services.reload(); !ok) return {ok.error()};
  return {json::value(json::object{{"reloaded", true}})};
}

}  // namespace timectl
