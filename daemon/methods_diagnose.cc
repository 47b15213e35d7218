// diagnose.*: what is the matter. The facts are gathered on the node's thread (fact_gatherer.h);
// what takes a network is asked in a job, which has everything by value, with the whole diagnosis
// under 20 s. A probe is made in the node's name and within its ledger; where it may not be made,
// the diagnosis goes on without it and says why.

#include <algorithm>
#include <future>

#include "daemon/control/diagnose_api.h"
#include "daemon/core/random.h"
#include "daemon/core/reconnect.h"
#include "daemon/diagnose/reply.h"
#include "daemon/fact_gatherer.h"
#include "daemon/net/tcp.h"
#include "store/peers_table.h"

namespace timectl {
namespace {

constexpr Duration kWhole = std::chrono::seconds(20);       // a diagnosis (scenarios.md)
constexpr Duration kLeastKnock = std::chrono::seconds(2);   // with less it would tell nothing
constexpr Duration kNodeAnswers = std::chrono::seconds(2);  // its thread is never busy for longer

// Everything that the job needs; nothing of it belongs to the node's thread.
struct Plan {
  diagnose::Facts facts = {};
  ProbeTools tools = {};
  std::function<Now()> now = {};
  probe::RpcRequest rpc = {};
  std::optional<probe::ProbeRequest> probe = {};  // counted in the ledger; none: not allowed
  std::string not_probed = {};
  std::optional<IpAddress> from = {};  // the second address
  // End this probe; `again` begins the next one, where that may be.
  std::function<Result<void>(std::optional<EndReason> failed)> again = {};
  std::function<void(std::optional<EndReason> failed)> end = {};
  probe::SntpRequest time = {};  // no servers: not asked
};

Result<void> refuse_unusable(const Call& call, const IpAddress& ip) {
  const bool own = call.services.facts.own_address == ip;
  if (!own && !ip.is_unspecified() && !ip.is_multicast()) return {};
  return Error{
      Code::invalid_argument,
      own ? ip.to_string() + " is our own address" : ip.to_string() + " is no peer's address",
      "a node does not probe itself",
      {"timectl diagnose node"}};
}

std::string because(const Error& error) {
  return error.message + (error.because.empty() ? "" : ": " + error.because);
}

Error used_up(const IpAddress& ip, Now now, Instant allowed) {
  const auto until =
      now.wall + std::chrono::duration_cast<std::chrono::milliseconds>(allowed - now.mono);
  return {Code::busy,
          "the attempts to reach " + ip.to_string() + " are used up until " + utc_text(until),
          "peers ban who connects too often; the ledger counts every attempt and probe"};
}

// Without a node: the stored dial state of a peer, as a node would use it.
class StoredState {
 public:
  StoredState(const Call& call, const IpAddress& ip)
      : database_(*call.services.database),
        policy_(call.services.config->policy.reconnect),
        now_(call.now) {
    memory_.ip = ip;
    facts_.masternode = call.services.whitelist->contains(ip);
  }
  // May it be probed now? Counted before it is made.
  Result<void> begin() {
    if (auto ok = load(); !ok) return ok;
    auto allowed = state_.probe_allowed(policy_, now_.mono);
    const auto& attempts = memory_.recent_attempts;
    const auto recent = std::ranges::count_if(
        attempts, [&](WallTime at) { return at <= now_.wall && now_.wall - at < 1h; });
    if (static_cast<std::size_t>(recent) >= policy_.probes_per_hour) {
      const auto since = now_.wall - *(attempts.end() - recent);
      allowed = std::max(allowed, now_.mono + 1h - since);
    }
    if (allowed > now_.mono) return used_up(memory_.ip, now_, allowed);
    state_.probed(now_.mono);
    return save();
  }
  Result<void> end(EndReason failed) {
    if (auto ok = load(); !ok) return ok;
    Random random(static_cast<std::uint64_t>(now_.wall.time_since_epoch().count()));
    state_.probe_failed(failed, facts_, policy_, random, now_.mono);
    return save();
  }

 private:
  Result<void> load() {
    const auto memories = store::load_peers(database_, store::kMaxPeerRows);
    if (!memories) return memories.error();
    const auto found = std::ranges::find(*memories, memory_.ip, &PeerMemory::ip);
    if (found != memories->end()) memory_ = *found;
    state_.restore(memory_, now_);
    return {};
  }
  Result<void> save() {
    state_.store_to(memory_, now_);
    return store::save_peers(database_, std::span(&memory_, 1), store::Durability::durable);
  }

  store::Database& database_;
  const ReconnectPolicy& policy_;
  Now now_;
  TargetFacts facts_ = {};
  PeerMemory memory_ = {};
  Reconnect state_ = {};
};

Result<void> count_attempt(const Call& call, const IpAddress& ip) {
  return StoredState(call, ip).begin();
}

Result<void> begin_on_node(Services& services, const IpAddress& ip) {
  auto begun = services.node->begin_probe(ip, services.now());
  if (services.pump) services.pump();  // the attempt is stored before it is made
  return begun;
}

void end_on_node(Services& services, const IpAddress& ip, std::optional<EndReason> failed) {
  services.node->end_probe(ip, services.now(), failed);
  if (services.pump) services.pump();
}

// May it be probed now? Counted when it may.
Result<void> begin(const Call& call, const IpAddress& ip, bool force, const ProbeTools& tools) {
  const auto& services = call.services;
  if (!tools.probe) return Error{Code::internal, "this build cannot probe"};
  // A connection of the node's own, whatever its stage: it knows best.
  if (services.node != nullptr && services.node->peer(ip, call.now) &&
      services.node->peer(ip, call.now)->direction && !services.node->connected(ip)) {
    return begin_on_node(call.services, ip);
  }
  if (services.node != nullptr && services.node->connected(ip)) {
    return Error{Code::busy, "a session with it is up",
                 "it answers for itself, and a second connection would end it"};
  }
  const auto foreign =
      tools.foreign_session ? tools.foreign_session(ip, services.config->p2p_port()) : "";
  if (!foreign.empty() && !force) {
    return Error{Code::busy, "another process of this host is connected with it (" + foreign + ")",
                 "peers know each other by address: a probe would end that session"};
  }
  if (services.node == nullptr) return count_attempt(call, ip);
  return begin_on_node(call.services, ip);
}

// From another thread: on the node's thread, with its answer.
Result<void> on_node(const std::function<void(std::function<void()>)>& post,
                     std::function<Result<void>()> work) {
  auto done = std::make_shared<std::promise<Result<void>>>();
  auto answer = done->get_future();
  post([work = std::move(work), done] { done->set_value(work()); });
  if (answer.wait_for(kNodeAnswers) != std::future_status::ready) {
    return Error{Code::busy, "the node is busy"};
  }
  return answer.get();
}

void plan_end(const Call& call, const IpAddress& ip, Plan& plan) {
  auto& services = call.services;
  if (services.node == nullptr) {
    // The job of a command without a node runs on the thread that made it.
    const auto end = [&services, ip, actor = call.actor](std::optional<EndReason> failed) {
      const json::value nothing;
      if (!failed) return Result<void>();
      return StoredState({services, nothing, actor, services.now()}, ip).end(*failed);
    };
    // A failure to store it is what begin() will meet at the next probe.
    plan.end = [end](std::optional<EndReason> failed) { (void)end(failed); };
    plan.again = [&services, ip, actor = call.actor,
                  end](std::optional<EndReason> failed) -> Result<void> {
      if (auto ended = end(failed); !ended) return ended;
      const json::value nothing;
      return count_attempt({services, nothing, actor, services.now()}, ip);
    };
    return;
  }
  auto post = services.post;
  if (!post) post = [](const std::function<void()>& work) { work(); };  // there is only one thread
  plan.end = [&services, post, ip](std::optional<EndReason> failed) {
    post([&services, ip, failed] { end_on_node(services, ip, failed); });
  };
  plan.again = [&services, post, ip](std::optional<EndReason> failed) -> Result<void> {
    return on_node(post, [&services, ip, failed]() -> Result<void> {
      end_on_node(services, ip, failed);
      return begin_on_node(services, ip);
    });
  };
}

void plan_probe(const Call& call, const control::DiagnosePeerRequest& request, const IpAddress& ip,
                Plan& plan) {
  const auto& config = *call.services.config;
  if (auto usable = refuse_unusable(call, ip); !usable) {
    plan.not_probed = because(usable.error());
    return;
  }
  plan.rpc.peer = ip;
  plan.rpc.port = static_cast<std::uint16_t>(config.p2p_port() + 1);  // protocol 1.1
  plan.rpc.us = call.services.facts.own_address;
  if (!config.node.listen.is_unspecified() && net::can_bind(config.node.listen)) {
    plan.rpc.source = config.node.listen;  // as the node's own dials
  }
  plan.from = request.from;
  auto began = begin(call, ip, request.force_probe, plan.tools);
  if (!began) {
    plan.not_probed =
        began.error().message + (began.error().because.empty() ? "" : ": " + began.error().because);
    return;
  }
  auto& probe = plan.probe.emplace();
  probe.peer = ip;
  probe.port = config.p2p_port();
  probe.network = config.network.name;
  probe.source = plan.rpc.source;
  probe.commit_count = config.policy.commit_count;
  probe.frame_limit = config.policy.transport.frame_limit;
  if (const auto& sync = plan.facts.node.sync; sync && sync->height && sync->tip_hash) {
    probe.own_height = sync->height;
    probe.own_tip_hash = *sync->tip_hash;
  }
  plan_end(call, ip, plan);
}

// A second look from another address, where the first one did not get through.
void look_from_elsewhere(Plan& plan, Instant began, const std::stop_token& stop) {
  auto& facts = *plan.facts.peer->probe;
  const bool through = facts.handshake && facts.handshake->outcome == diagnose::Outcome::ok;
  if (!plan.from || !plan.tools.knock || through || stop.stop_requested()) return;
  const auto left = kWhole - (plan.now().mono - began);
  if (left < kLeastKnock) return;
  if (auto ok = plan.again(diagnose::end_of(facts)); !ok) {
    plan.not_probed = "not from " + plan.from->to_string() + ": " + because(ok.error());
    return;
  }
  auto request = *plan.probe;
  request.source = plan.from;
  request.total = left;
  facts.elsewhere = plan.tools.knock(request, stop);
}

void probe_now(Plan& plan, Instant began, const std::stop_token& stop) {
  // Whatever happens, the node may dial it again afterwards; a second end is nothing to it.
  struct End {
    explicit End(Plan& of) : plan(of) {}
    End(const End&) = delete;
    End& operator=(const End&) = delete;
    ~End() {
      const auto& probe = plan.facts.peer->probe;
      plan.end(probe && !probe->elsewhere ? diagnose::end_of(*probe) : std::nullopt);
    }
    Plan& plan;
  };
  const End end(plan);
  plan.probe->total = kWhole - (plan.now().mono - began);
  plan.facts.peer->probe = plan.tools.probe(*plan.probe, stop);
  look_from_elsewhere(plan, began, stop);
}

// All questions at once: the slowest of them is how long it takes.
void ask(Plan& plan, const std::stop_token& stop) {
  const auto began = plan.now().mono;
  std::future<diagnose::RpcFacts> rpc;
  std::future<diagnose::ClockFacts> clock;
  if (plan.facts.peer && plan.tools.ask_rpc && !plan.rpc.peer.is_unspecified()) {
    rpc = std::async(std::launch::async,
                     [&plan, &stop] { return plan.tools.ask_rpc(plan.rpc, stop); });
  }
  if (plan.tools.ask_time_servers && !plan.time.servers.empty()) {
    clock = std::async(std::launch::async, [&plan, &stop, known = plan.facts.node.clock]() mutable {
      plan.tools.ask_time_servers(plan.time, stop, known);
      return known;
    });
  }
  if (plan.probe) probe_now(plan, began, stop);
  if (rpc.valid()) plan.facts.peer->rpc = rpc.get();
  if (clock.valid()) plan.facts.node.clock = clock.get();
}

Result<Plan> plan_for(const Call& call, bool ask_time_servers) {
  auto node = gather_node_facts(call);
  if (!node) return node.error();
  Plan plan;
  plan.facts.node = std::move(*node);
  plan.tools = call.services.probes;
  plan.now = call.services.now;
  if (ask_time_servers) plan.time.servers = call.services.config->node.time_servers;
  return plan;
}

// Beside the node where somebody is to be asked, else at once.
template <class Make>
control::Reply answer(Plan plan, Make make) {
  const bool asks = !plan.time.servers.empty() || plan.probe || !plan.rpc.peer.is_unspecified();
  if (!asks) return {make(plan)};
  control::Reply reply;
  reply.job = [plan = std::make_shared<Plan>(std::move(plan)), make](const std::stop_token& stop) {
    ask(*plan, stop);
    return make(*plan);
  };
  return reply;
}

Result<json::value> peer_answer(Plan& plan) {
  auto reply = diagnose::make_peer_reply(std::move(plan.facts));
  reply.not_probed = plan.not_probed;
  return to_json(reply);
}

Result<void> check_source(const std::optional<IpAddress>& from) {
  if (!from || net::can_bind(*from)) return {};
  return Error{Code::invalid_argument,
               from->to_string() + " is no address of this machine",
               "a probe can leave from the machine's own addresses only",
               {"ip -brief address"}};
}

control::Reply diagnose_one(const Call& call, bool probe) {
  const auto request = read_params<control::DiagnosePeerRequest>(call);
  if (!request) return {request.error()};
  const auto ip = resolve_peer(call, request->peer);
  if (!ip) return {ip.error()};
  if (auto ok = check_source(request->from); !ok) return {ok.error()};
  auto plan = plan_for(call, request->time_servers);
  if (!plan) return {plan.error()};
  auto facts = gather_peer_facts(call, *ip);
  if (!facts) return {facts.error()};
  plan->facts.peer = std::move(*facts);
  if (probe) plan_probe(call, *request, *ip, *plan);
  return answer(std::move(*plan), peer_answer);
}

}  // namespace

control::Reply diagnose_peer(const Call& call) {
  return diagnose_one(call, false);
}

control::Reply diagnose_probe(const Call& call) {
  return diagnose_one(call, true);
}

control::Reply diagnose_node(const Call& call) {
  const auto request = read_params<control::DiagnoseRequest>(call);
  if (!request) return {request.error()};
  auto plan = plan_for(call, request->time_servers);
  if (!plan) return {plan.error()};
  return answer(std::move(*plan), [](Plan& known) -> Result<json::value> {
    return to_json(diagnose::make_node_reply(std::move(known.facts)));
  });
}

control::Reply diagnose_everything(const Call& call) {
  const auto request = read_params<control::DiagnoseRequest>(call);
  if (!request) return {request.error()};
  auto plan = plan_for(call, request->time_servers);
  if (!plan) return {plan.error()};
  auto peers = gather_masternode_facts(call);
  if (!peers) return {peers.error()};
  std::optional<std::uint64_t> connected;
  if (call.services.node != nullptr)
    connected = call.services.node->masternodes(call.now).connected;
  return answer(std::move(*plan),
                [peers = std::move(*peers), connected](const Plan& known) -> Result<json::value> {
                  diagnose::DiagnoseAllReply reply;
                  static_cast<diagnose::DiagnosisReply&>(reply) =
                      diagnose::make_reply(diagnose::diagnose_all(known.facts.node, peers));
                  reply.masternodes = peers.size();
                  reply.connected = connected;
                  return to_json(reply);
                });
}

}  // namespace timectl
