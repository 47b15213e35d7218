// report, peer.score, whitelist.suggest: how peers and this node fared. All figures are those of
// the stored samples and scores; a running node adds the score as it is now.

#include <algorithm>
#include <memory>
#include <set>

#include "daemon/control/diagnose_api.h"
#include "daemon/core/suggest.h"
#include "daemon/methods_table.h"
#include "daemon/observe/report.h"
#include "store/samples.h"

namespace timectl {
namespace {

constexpr Duration kReported = 24h;      // where no period is named
constexpr std::size_t kForksRead = 200;  // the store keeps no more

bool is_own(const Services& services, const IpAddress& ip) {
  return services.facts.own_address == ip || services.config->node.external_address == ip;
}

std::optional<std::vector<ForkView>> forks_of(const Call& call) {
  const auto chain = sync_view(call);
  if (!chain || !chain->height) return {};
  auto forks = known_forks(call, kForksRead);
  if (!forks) return {};
  return std::move(*forks);
}

observe::ReportInput report_input(const Call& call, WallTime since) {
  observe::ReportInput input{.since = since, .until = call.now.wall};
  input.forks = forks_of(call);
  input.running = call.services.node != nullptr;
  for (const auto& [ip, entry] : call.services.whitelist->entries()) {
    if (is_own(call.services, ip)) continue;  // the API's list has us, too
    input.whitelisted.push_back(ip);
    if (!entry.label.empty()) input.labels.emplace_back(ip, entry.label);
  }
  return input;
}

std::optional<ScoreState> state_of(const std::vector<store::StoredScore>& scores,
                                   const IpAddress& ip) {
  const auto found = std::ranges::find(scores, ip, &store::StoredScore::ip);
  if (found == scores.end()) return {};
  return found->state;
}

Error never_noted(const IpAddress& ip) {
  return {Code::unknown_peer,
          "nothing was ever noted of " + ip.to_string(),
          "a peer has a score once it was connected, or was dialled for long",
          {"timectl peer list", "timectl peer show " + ip.to_string()}};
}

// Everybody who is kept out, and everybody who is a masternode already.
struct Excluded {
  std::set<IpAddress> whitelisted = {};
  std::set<IpAddress> blacklisted = {};
  Bans bans = {};

  [[nodiscard]] bool banned(const IpAddress& ip) const {
    return blacklisted.contains(ip) ||
           bans.in_force(ip, standing_of(false, BanImmunity::all)) != nullptr;
  }
};

Excluded excluded(const Call& call) {
  const auto& services = call.services;
  Excluded out;
  for (const auto& [ip, entry] : services.whitelist->entries()) out.whitelisted.insert(ip);
  if (services.facts.own_address) out.whitelisted.insert(*services.facts.own_address);
  for (const auto& [ip, line] : services.whitelist->blacklist()) out.blacklisted.insert(ip);
  out.bans = *services.bans;
  return out;
}

SuggestPolicy suggest_policy(const config::Config& config) {
  return {config.whitelist.suggest_after, config.whitelist.suggest_score,
          1 - config.policy.score.uptime.limit};
}

// One query for the candidates; one more for each that was there long enough.
Result<std::vector<SuggestFacts>> candidates(store::Database& database, const Excluded& out,
                                             const SuggestPolicy& rules, const ScorePolicy& policy,
                                             WallTime now, const std::stop_token& stop) {
  const auto from = now - std::chrono::duration_cast<WallTime::duration>(looked_back(rules));
  const auto samples = store::sum_peer_samples(database, from, now);
  if (!samples) return samples.error();
  const auto scores = store::load_scores(database);
  if (!scores) return scores.error();
  std::vector<SuggestFacts> peers;
  for (const auto& sample : *samples) {
    if (stop.stop_requested()) return Error{Code::interrupted, "the node is stopping"};
    SuggestFacts peer{.ip = sample.ip};
    peer.whitelisted = out.whitelisted.contains(sample.ip);
    peer.banned = out.banned(sample.ip);
    peer.connected_seconds = sample.connected_seconds;
    if (peer.whitelisted || peer.banned || peer.connected_seconds < seconds(rules.after)) continue;
    const auto node = store::sum_node_samples(database, std::max(sample.at, from), now);
    if (!node) return node.error();
    peer.observed_seconds = *node ? (*node)->seconds : 0;
    peer.disconnects = sample.disconnects;
    peer.pings = sample.pings;
    peer.missed_pongs = sample.missed_pongs;
    if (const auto state = state_of(*scores, sample.ip)) {
      peer.score = Score(*state).value(policy, now);
    }
    peers.push_back(peer);
  }
  return peers;
}

}  // namespace

control::Reply report(const Call& call) {
  const auto request = read_params<control::ReportRequest>(call);
  if (!request) return {request.error()};
  const auto since = request->since.value_or(
      call.now.wall - std::chrono::duration_cast<WallTime::duration>(kReported));
  if (auto ok = refuse_future(call, since); !ok) return {ok.error()};
  if (call.services.flush) call.services.flush();
  auto input = std::make_shared<observe::ReportInput>(report_input(call, since));
  return beside(call,
                [input](store::Database& database, const std::stop_token&) -> Result<json::value> {
                  auto peers = store::sum_peer_samples(database, input->since, input->until);
                  if (!peers) return peers.error();
                  auto node = store::sum_node_samples(database, input->since, input->until);
                  if (!node) return node.error();
                  input->peers = std::move(*peers);
                  input->node = *node;
                  return to_json(observe::make_report(*input));
                });
}

control::Reply peer_score(const Call& call) {
  const auto request = read_params<control::PeerRequest>(call);
  if (!request) return {request.error()};
  const auto ip = resolve_peer(call, request->peer);
  if (!ip) return {ip.error()};
  const auto& services = call.services;
  control::PeerScoreReply known;
  known.ip = *ip;
  if (const auto* entry = services.whitelist->find(*ip); entry != nullptr) {
    known.label = entry->label;
    known.whitelisted = true;
  }
  std::optional<ScoreView> live;
  if (services.node != nullptr) live = services.node->score(*ip, call.now);
  if (services.flush) services.flush();
  return beside(
      call,
      [known, live, now = call.now.wall, policy = services.config->policy.score](
          store::Database& database, const std::stop_token&) mutable -> Result<json::value> {
        const auto scores = store::load_scores(database);
        if (!scores) return scores.error();
        const auto state = state_of(*scores, known.ip);
        if (!state && !live && !known.whitelisted) return never_noted(known.ip);
        static_cast<ScoreView&>(known) =
            live ? *live : Score(state.value_or(ScoreState{})).view(policy, now);
        if (state) known.since = state->at;
        return to_json(known);
      });
}

control::Reply whitelist_suggest(const Call& call) {
  if (call.services.flush) call.services.flush();
  const auto& config = *call.services.config;
  auto out = std::make_shared<Excluded>(excluded(call));
  return beside(
      call,
      [out, rules = suggest_policy(config), policy = config.policy.score, now = call.now.wall](
          store::Database& database, const std::stop_token& stop) -> Result<json::value> {
        const auto peers = candidates(database, *out, rules, policy, now, stop);
        if (!peers) return peers.error();
        std::vector<control::SuggestionRow> rows;
        for (auto& row : suggest(*peers, rules)) {
          rows.push_back({row.ip, row.score, row.observed_days, row.uptime_ratio, row.disconnects,
                          std::move(row.because)});
        }
        return to_json(rows);
      });
}

}  // namespace timectl
