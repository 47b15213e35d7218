#include "daemon/chain/coordinator.h"

#include <algorithm>

#include "daemon/chain/coordinator_state.h"
#include "daemon/wire/network_params.h"

namespace timectl::chain {
namespace {

constexpr std::size_t kHashesKept = 4096;  // of the best chain, looked up before
constexpr std::size_t kKeysKept = 1024;    // of producers
constexpr Duration kHintDelay = 5s;        // a block needs about so long after its proposal
constexpr Duration kAccuseAgain = 1min;    // for blocks that nobody asked for
constexpr Duration kQuietRestart = 60s;    // a sync that starts again so soon is the same one

}  // namespace

std::string blocks_text(Height count) {
  std::string digits = std::to_string(count);
  for (std::size_t at = digits.size(); at > 3; at -= 3) digits.insert(at - 3, ",");
  return digits + (count == 1 ? " block" : " blocks");
}

Coordinator::State::State(CoordinatorOptions given, const ChainView& view, Now at)
    : options(std::move(given)),
      chain(view),
      now(at),
      truth(options.policy.truth),
      plan(options.policy.plan, view.tip().block.height, options.seed, at.mono,
           [this](const IpAddress& ip) { return options.masternode(ip); }),
      tip(view.tip()) {
  plan.set_poorly(options.poorly);
  anchor = tip.block.height;
  company_changed = at.mono;
  upkeep.emplace_back(DropStagedJob{});  // what a crash left
  if (options.paused) plan.on_paused(true, at.mono);
  fork = options.open_fork;
  fork_said = fork.has_value();
  if (fork) {  // whether it needs a word is found anew
    fork->needs_consent = false;
    fork->needs_because.clear();
    soon();
  }
}

Height Coordinator::State::expected() const {
  const auto unix = std::chrono::floor<std::chrono::seconds>(now.wall).time_since_epoch().count();
  return wire::expected_height(options.network, unix);
}

std::optional<wire::Hash32> Coordinator::State::best_hash(Height height) const {
  if (height > tip.block.height) return std::nullopt;
  if (height == tip.block.height) return tip.block.hash;
  const auto known = hashes.find(height);
  if (known != hashes.end()) return known->second;
  const auto found = chain.hash_at(height);
  if (!found) return std::nullopt;
  if (hashes.size() >= kHashesKept) hashes.clear();
  hashes.emplace(height, *found);
  return found;
}

ChainFacts Coordinator::State::best_facts() const {
  return {expected(), Tip{tip.block.height, tip.block.hash},
          [this](Height height) { return best_hash(height); },
          [this](const IpAddress& ip) { return masternode(ip); }};
}

ChainFacts Coordinator::State::building_facts() const {
  ChainFacts facts = best_facts();
  if (!building) return facts;
  facts.own = Tip{building->tip.block.height, building->tip.block.hash};
  facts.own_hash = [this](Height height) -> std::optional<wire::Hash32> {
    if (height <= building->ancestor) return best_hash(height);
    const Height index = height - building->ancestor - 1;
    // The first block is known before it is there: it is what names the branch.
    if (index == 0) return building->first_hash;
    if (index >= building->hashes.size()) return std::nullopt;
    return building->hashes[static_cast<std::size_t>(index)];
  };
  return facts;
}

Coordinator::State::Peer* Coordinator::State::find(const IpAddress& ip) {
  const auto at = peers.find(ip);
  return at == peers.end() ? nullptr : &at->second;
}

void Coordinator::State::say(EventKind kind, Severity severity, std::string detail,
                             const std::optional<IpAddress>& peer) {
  Event event;
  event.at = now.wall;
  event.kind = kind;
  event.severity = severity;
  event.peer = peer;
  event.whitelisted = peer && masternode(*peer);
  event.detail = std::move(detail);
  commands.emplace_back(RecordEvent{std::move(event)});
}

void Coordinator::State::soon() {
  const Instant at = now.mono + options.policy.settle;
  evaluate_at = std::min(evaluate_at.value_or(at), at);
}

void Coordinator::State::news(const SyncChanged& changed) {
  // Where nobody may be asked any more, the plan has no target of its own.
  const Height target = std::max(changed.target, belief.best.height);
  const std::string where =
      "at " + std::to_string(changed.height) + " of " + std::to_string(target);
  stalled = changed.news == SyncNews::stalled;
  if (changed.news == SyncNews::started) {
    sync_quiet = sync_ended_at && now.mono - *sync_ended_at < kQuietRestart;
    sync_began = {now.mono, changed.height};
    if (sync_quiet) return;
    say(EventKind::sync_started, Severity::notice,
        where + ", " + blocks_text(target - std::min(target, changed.height)) + " to fetch");
  } else if (changed.news == SyncNews::stalled) {
    say(EventKind::sync_stalled, Severity::warning, where + ": no block came for a minute");
  } else {
    sync_ended_at = now.mono;
    if (std::exchange(sync_quiet, false) || !sync_began) return;
    const Height got = changed.height - std::min(changed.height, sync_began->second);
    say(EventKind::sync_ended, Severity::notice,
        "at height " + std::to_string(changed.height) + ", " + blocks_text(got) + " in " +
            human_duration(now.mono - sync_began->first));
  }
}

void Coordinator::State::dropped(const DropSource& drop) {
  if (drop.reason == DropReason::wrong_range) {
    commands.emplace_back(
        Accuse{drop.peer, ViolationKind::wrong_blocks,
               "asked for blocks from height " + std::to_string(drop.at) + " on"});
  }
  Peer* peer = find(drop.peer);
  if (peer != nullptr && drop.reason == DropReason::other_branch) peer->suspected = true;
  if (peer != nullptr && drop.reason == DropReason::stalled) ++peer->owed;
  soon();
}

void Coordinator::State::drain() {
  for (auto& command : plan.take_commands()) {
    if (const auto* request = std::get_if<RequestBlocks>(&command)) {
      commands.emplace_back(AskBlocks{request->peer, request->first, request->last});
      pin(request->last, request->peer);
    } else if (const auto* verify = std::get_if<VerifyBlocks>(&command)) {
      wanted = *verify;
      widen_pin(verify->last);
    } else if (const auto* discard = std::get_if<DiscardBlocks>(&command)) {
      held.erase(discard->first);
      if (wanted && wanted->first == discard->first) wanted.reset();
      if (verifying && verifying->first == discard->first) verifying->stale = true;
    } else if (const auto* drop = std::get_if<DropSource>(&command)) {
      dropped(*drop);
    } else if (const auto* changed = std::get_if<SyncChanged>(&command)) {
      news(*changed);
    } else {
      for (const auto& [ip, peer] : peers) commands.emplace_back(AskTip{ip});
      soon();
    }
  }
  start_jobs();
}

Coordinator::Coordinator(CoordinatorOptions options, const ChainView& chain, Now now)
    : state_(std::make_unique<State>(std::move(options), chain, now)) {}
Coordinator::~Coordinator() = default;

void Coordinator::on_connected(const IpAddress& ip, Now now) {
  auto& s = *state_;
  s.now = now;
  if (s.peers.size() >= s.options.policy.truth.max_peers && s.find(ip) == nullptr) return;
  s.peers[ip] = s.returning(ip);
  s.truth.on_connected(ip, now.mono);
  s.commands.emplace_back(AskTip{ip});
  s.soon();
}

void Coordinator::on_left(const IpAddress& ip, Now now) {
  auto& s = *state_;
  s.now = now;
  if (!s.leaving(ip)) return;
  s.unpin(ip);
  s.truth.on_left(ip, now.mono);
  s.plan.on_left(ip, now.mono);
  s.soon();
  s.drain();
}

void Coordinator::on_height(const IpAddress& ip, ClaimSource source, Height height, Now now) {
  auto& s = *state_;
  s.now = now;
  auto* peer = s.find(ip);
  if (peer == nullptr) return;
  if (peer->claim != height) s.soon();
  peer->claim = height;
  s.truth.on_height(ip, source, height, now.mono);
}

void Coordinator::on_tip(const IpAddress& ip, const Tip& tip, Now now) {
  auto& s = *state_;
  s.now = now;
  auto* peer = s.find(ip);
  if (peer == nullptr) return;
  if (peer->claim != tip.height || s.truth.reported(ip, tip.height) != tip.hash) s.soon();
  peer->claim = tip.height;
  s.truth.on_tip(ip, tip, now.mono);
}

void Coordinator::on_hash(const IpAddress& ip, Height height,
                          const std::optional<wire::Hash32>& hash, Now now) {
  auto& s = *state_;
  s.now = now;
  auto* peer = s.find(ip);
  if (peer == nullptr) return;
  peer->silent_since.reset();
  // What a search asks about is old, and would crowd out what the truth is told of tips; but what
  // was reported otherwise before is news.
  const auto ours = s.best_hash(height);
  const bool searched = peer->search && ours && peer->search->on_answer(height, hash, *ours);
  const bool pinned = s.on_pin(ip, height, hash);
  const bool says = hash && *hash != wire::Hash32{} && peer->claim && height <= *peer->claim;
  if (says && ((!searched && !pinned) || s.truth.reported(ip, height))) {
    s.truth.on_hash(ip, {height, *hash}, now.mono);
    s.soon();
  }
  if (searched) {
    peer->asked_at.reset();
    s.ask_on(ip, *peer);
  }
  if (pinned) s.start_jobs();
}

void Coordinator::on_blocks(const IpAddress& ip, BlockBatch batch, Now now) {
  auto& s = *state_;
  s.now = now;
  auto* peer = s.find(ip);
  if (peer == nullptr) return;
  if (!awaits_blocks(ip)) {
    if (peer->owed > 0) {
      --peer->owed;  // asked for, and too late
    } else {
      on_unasked(ip, batch.heights.size(), now);
    }
    return;
  }
  const auto use = s.plan.on_blocks(ip, batch.heights, batch.payload.size(), now.mono);
  if (use == Use::keep) {
    const Height first = batch.heights.front();
    if (!s.pins.contains(batch.heights.back())) s.pin(batch.heights.back(), ip);
    s.held[first] = {ip, std::make_shared<const BlockBatch>(std::move(batch))};
  }
  s.drain();
}

bool Coordinator::awaits_blocks(const IpAddress& ip) const {
  const auto asked = state_->plan.asked();
  return std::binary_search(asked.begin(), asked.end(), ip);
}

void Coordinator::on_unasked(const IpAddress& ip, std::size_t blocks, Now now) {
  auto& s = *state_;
  s.now = now;
  auto* peer = s.find(ip);
  if (peer == nullptr) return;
  if (peer->accused_at && now.mono - *peer->accused_at < kAccuseAgain) return;
  peer->accused_at = now.mono;
  s.commands.emplace_back(
      Accuse{ip, ViolationKind::unasked_blocks, blocks_text(blocks) + " in one message"});
}

void Coordinator::on_hint(Now now) {
  auto& s = *state_;
  s.now = now;
  s.plan.on_hint(now.mono);
  if (s.hint_poll_at || now.mono - s.hint_polled_at < kHintDelay * 2) return;
  s.hint_poll_at = now.mono + kHintDelay;
}

void Coordinator::on_keys(std::span<const std::pair<std::string, wire::Hash32>> keys) {
  auto& s = *state_;
  const auto known = [&](const auto& key) {
    const auto at = s.keys->find(key.first);
    return at != s.keys->end() && at->second == key.second;
  };
  if (std::all_of(keys.begin(), keys.end(), known)) return;
  auto changed = std::make_shared<ProducerKeys>(*s.keys);  // the one in a job stays as it is
  for (const auto& [leader, key] : keys) {
    if (changed->size() >= kKeysKept && !changed->contains(leader)) continue;
    (*changed)[leader] = key;
  }
  s.keys = std::move(changed);
}

void Coordinator::set_policy(const CoordinatorPolicy& policy, Now now) {
  auto& s = *state_;
  s.now = now;
  s.options.policy = policy;
  s.truth.set_policy(policy.truth);
  s.plan.set_policy(policy.plan, now.mono);
  s.soon();
  s.drain();
}

void Coordinator::on_whitelist_changed(Now now) {
  state_->now = now;
  state_->soon();
}

void Coordinator::pause(bool paused, Now now) {
  auto& s = *state_;
  s.now = now;
  if (s.plan.paused() == paused) return;
  s.commands.emplace_back(SavePaused{paused});
  s.plan.on_paused(paused, now.mono);
  s.drain();
}

void Coordinator::tick(Now now) {
  auto& s = *state_;
  s.now = now;
  if (now.mono >= s.plan.next_tick()) s.plan.tick(now.mono);
  if (s.hint_poll_at && now.mono >= *s.hint_poll_at) {
    s.hint_poll_at.reset();
    s.hint_polled_at = now.mono;
    for (const auto& [ip, peer] : s.peers) {
      if (s.masternode(ip)) s.commands.emplace_back(AskTip{ip});
    }
  }
  s.expire_questions();
  s.expire_pin();
  if (s.retry_at && now.mono >= *s.retry_at) s.retry_at.reset();
  s.drain();
  if (s.evaluate_at && now.mono >= *s.evaluate_at) s.evaluate();
}

Instant Coordinator::next_tick() const {
  const auto& s = *state_;
  Instant next = s.plan.next_tick();
  for (const auto& due : {s.evaluate_at, s.hint_poll_at, s.retry_at, s.pin_due()}) {
    if (due) next = std::min(next, *due);
  }
  for (const auto& [ip, peer] : s.peers) {
    if (peer.asked_at) next = std::min(next, *peer.asked_at + s.options.policy.question_timeout);
  }
  return next;
}

std::vector<ChainCommand> Coordinator::take_commands() {
  return std::exchange(state_->commands, {});
}

std::optional<Tip> Coordinator::tip_to_tell(Now now) const {
  auto& s = *state_;
  s.now = now;
  if (s.tip.block.height == 0) return std::nullopt;
  return chain::tip_to_tell(Tip{s.tip.block.height, s.tip.block.hash}, s.expected());
}

void Coordinator::check_invariants() const {
  const auto& s = *state_;
  std::size_t blocks = 0;
  std::size_t bytes = 0;
  for (const auto& [first, one] : s.held) {
    TIMECTL_CHECK(one.batch->heights.front() == first);
    blocks += one.batch->heights.size();
    bytes += one.batch->payload.size();
  }
  TIMECTL_CHECK(blocks == s.plan.buffered_blocks());
  const auto& plan = s.options.policy.plan;
  TIMECTL_CHECK(s.pins.size() <= 2 * (plan.buffer_blocks + plan.batch));
  TIMECTL_CHECK(bytes == s.plan.buffered_bytes());
  TIMECTL_CHECK(!s.verifying || s.running.has_value());
  TIMECTL_CHECK(!s.building ||
                s.building->hashes.size() == s.building->tip.block.height - s.building->ancestor);
  TIMECTL_CHECK(s.verifying ||
                s.plan.height() == (s.building ? s.building->tip : s.tip).block.height);
}

}  // namespace timectl::chain
