// Coordinator: what the last block of a batch must be, by the word of the masternodes that have it.
// It pins all blocks of the batch, because each names the one before it: without it, one masternode
// that tells the network's hashes and serves made up blocks, or one altered block, would be found
// out only when it stands on our chain, and a long one could not be taken back (Y3).
#include <algorithm>

#include "daemon/chain/coordinator_state.h"

namespace timectl::chain {
namespace {

constexpr std::size_t kVoters = 15;  // masternodes asked about one height
constexpr Duration kPatience = 3s;   // for their answers; most come in one round trip
constexpr Duration kAskAgain = 20s;  // where they do not agree
constexpr Duration kPinAge = 1min;   // an older word is asked for again

}  // namespace

// Whether somebody is waited for. Who has answered no such question for a long time is not: it can
// keep silent on purpose.
bool Coordinator::State::silence_in(const Pin& pin) const {
  return std::any_of(pin.words.begin(), pin.words.end(), [&](const auto& word) {
    const auto at = peers.find(word.first);
    const bool mute =
        at == peers.end() ||
        (at->second.silent_since && now.mono - *at->second.silent_since >= options.policy.patience);
    return !word.second && !mute;
  });
}

// Asked together with the blocks, so that it costs no time. `server` is asked anew each time: its
// word and its blocks must be of one moment, because it may go over to another branch.
void Coordinator::State::pin(Height last, const std::optional<IpAddress>& server) {
  const auto known = pins.find(last);
  if (known != pins.end()) known->second.server = server;
  if (known != pins.end() && now.mono - known->second.asked_at < kPinAge) {
    const auto word = server ? known->second.words.find(*server) : known->second.words.end();
    if (word == known->second.words.end() || !word->second) return;
    word->second.reset();
    commands.emplace_back(AskHash{*server, last});
    return;
  }
  pins[last] = {now.mono, {}, server};
  ask_words(last);
}

// Before its batch is verified: who has come, or has told its height, since then counts as much.
void Coordinator::State::widen_pin(Height last) {
  const auto at = pins.find(last);
  if (at == pins.end() || at->second.words.size() >= options.policy.truth.witnesses) return;
  const std::size_t before = at->second.words.size();
  ask_words(last);
  if (at->second.words.size() > before) at->second.asked_at = now.mono;
}

void Coordinator::State::ask_words(Height last) {
  Pin& pin = pins.at(last);
  const Height plausible = expected() + options.policy.truth.clock_tolerance;
  for (const auto& [ip, peer] : peers) {
    if (pin.words.size() >= kVoters) break;
    // Who has not said yet how high it stands says so now.
    const bool may_have = !peer.claim || (*peer.claim >= last && *peer.claim <= plausible);
    const bool member = !building || (peer.found && peer.found->end == ForkEnd::forked &&
                                      peer.found->first_hash == building->first_hash);
    if (!masternode(ip) || !may_have || !member) continue;
    if (!pin.words.try_emplace(ip).second) continue;
    commands.emplace_back(AskHash{ip, last});
  }
}

void Coordinator::State::unpin(const IpAddress& ip) {
  for (auto& [height, pin] : pins) {
    const auto at = pin.words.find(ip);
    if (at != pin.words.end() && !at->second) pin.words.erase(at);
  }
}

// Whether a pin asked for it. Who has no such block says nothing about it.
bool Coordinator::State::on_pin(const IpAddress& ip, Height height,
                                const std::optional<wire::Hash32>& hash) {
  const auto at = pins.find(height);
  if (at == pins.end()) return false;
  const auto word = at->second.words.find(ip);
  if (word == at->second.words.end() || word->second) return false;
  if (hash && *hash != wire::Hash32{}) {
    word->second = *hash;
  } else {
    at->second.words.erase(word);
  }
  return true;
}

// More than half of those asked; or, where some keep silent, more than say anything else. One alone
// pins nothing and hinders nothing: whether it is enough is decided by claim_of().
Coordinator::State::PinWord Coordinator::State::word_on(Height last) const {
  const auto at = pins.find(last);
  if (at == pins.end()) return {true, {}};
  std::map<wire::Hash32, std::size_t> votes;
  for (const auto& [ip, word] : at->second.words) {
    if (word) ++votes[*word];
  }
  std::size_t most = 0;
  std::size_t second = 0;
  wire::Hash32 hash{};
  for (const auto& [one, count] : votes) {
    second = std::max(second, std::min(most, count));
    if (count <= most) continue;
    most = count;
    hash = one;
  }
  const bool enough = most >= options.policy.truth.least_witnesses;
  if (enough && most * 2 > at->second.words.size()) return {true, hash};
  const Duration waited = now.mono - at->second.asked_at;
  const bool silence = silence_in(at->second);
  if (silence && waited < kPatience) return {false, {}};
  if (enough && most > second) return {true, hash};
  // Without two that say the same: what can be taken back need not wait for longer.
  if (silence && waited < options.policy.question_timeout) return {false, {}};
  if (building) return {true, {}};  // its end must be what is believed
  if (last <= anchor + options.policy.fork.max_reorganisation) return {true, {}};
  // Beyond that one word is enough only where nobody else could have any.
  return {votes.size() <= 1 && !silence && alone_is_enough(), {}};
}

std::optional<Instant> Coordinator::State::pin_due() const {
  const auto at = wanted ? pins.find(wanted->last) : pins.end();
  if (at == pins.end() || word_on(wanted->last).ready) return std::nullopt;
  for (const Duration step : {kPatience, options.policy.question_timeout}) {
    if (now.mono < at->second.asked_at + step) return at->second.asked_at + step;
  }
  return at->second.asked_at + kAskAgain;
}

void Coordinator::State::expire_pin() {
  const auto at = wanted ? pins.find(wanted->last) : pins.end();
  if (at == pins.end()) return;
  if (now.mono - at->second.asked_at < options.policy.question_timeout) return;
  for (const auto& [ip, word] : at->second.words) {
    Peer* peer = find(ip);
    if (peer != nullptr && !word && !peer->silent_since) peer->silent_since = at->second.asked_at;
  }
  if (word_on(wanted->last).ready || now.mono - at->second.asked_at < kAskAgain) return;
  const Height last = at->first;
  pins.erase(at);
  pin(last, std::nullopt);
}

// Who disagrees about the block that is waited for; empty where nobody does.
std::string Coordinator::State::disagreement() const {
  const auto at = wanted ? pins.find(wanted->last) : pins.end();
  if (at == pins.end() || word_on(wanted->last).ready) return {};
  std::map<wire::Hash32, std::string> sides;
  for (const auto& [ip, word] : at->second.words) {
    if (!word) continue;
    auto& side = sides[*word];
    side += (side.empty() ? "" : ", ") + ip.to_string();
  }
  if (sides.empty())
    return "no masternode has told its block " + std::to_string(at->first) + " yet";
  if (sides.size() == 1) {
    return "only " + sides.begin()->second + " has told its block " + std::to_string(at->first) +
           ", and others may have another";
  }
  std::string text = "masternodes disagree about block " + std::to_string(at->first) + ":";
  for (const auto& [hash, side] : sides) {
    text += (text.back() == ':' ? " " : " against ") + side;
  }
  return text;
}

}  // namespace timectl::chain
