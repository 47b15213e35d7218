// The second half of Visit: what is said and heard once the peer has acknowledged us.
#include <algorithm>

#include "daemon/core/events.h"
#include "daemon/net/answers.h"
#include "daemon/probe/random_number.h"
#include "daemon/probe/visit.h"

namespace timectl::probe {
namespace {

using diagnose::Outcome;

constexpr std::size_t kShownDigits = 16;  // of a hash, in a sentence

std::int64_t unix_time(const Now& now) {
  return std::chrono::floor<std::chrono::seconds>(now.wall).time_since_epoch().count();
}

std::string shown(const wire::Hash32& hash) {
  return wire::to_hex(hash).substr(0, kShownDigits);
}

std::optional<wire::Hash32> hash_from(std::string_view hex) {
  const auto bytes = wire::from_hex(hex);
  wire::Hash32 hash{};
  if (!bytes || bytes->size() != hash.size()) return std::nullopt;
  std::copy(bytes->begin(), bytes->end(), hash.begin());
  if (hash == wire::Hash32{}) return std::nullopt;
  return hash;
}

}  // namespace

void Visit::say(wire::OutgoingMessage message) {
  if (!guard_.allows(message, waiter_.now().mono)) return;
  const auto frame = wire::write_frame(std::move(message));
  out_.insert(out_.end(), frame.begin(), frame.end());
}

void Visit::ping() {
  Ping& sent = pings_.emplace_back();
  sent.nonce = random_number();
  sent.at = waiter_.now();
  wire::msg::Ping message;
  message.nonce = sent.nonce;
  message.timestamp = unix_time(sent.at);
  message.height = request_.own_height;
  say(message);
}

void Visit::on_talk(const wire::Message& message) {
  const bool list = std::holds_alternative<wire::msg::PeerExchange>(message) ||
                    std::holds_alternative<wire::msg::PeersResponse>(message);
  if (frames_behind_ack_ == 1 && list) {
    hinted_ = true;
    facts_.handshake->detail = "a list of other peers right behind its Ack: it has too many";
  }
  if (const auto* theirs = std::get_if<wire::msg::Ping>(&message)) {
    on_ping(*theirs);
  } else if (const auto* pong = std::get_if<wire::msg::Pong>(&message)) {
    on_pong(*pong);
  } else if (const auto* tip = std::get_if<wire::msg::ChainTipResponse>(&message)) {
    on_tip(*tip);
  } else if (const auto* genesis = std::get_if<wire::msg::GenesisHashResponse>(&message)) {
    on_genesis(*genesis);
  } else if (const auto* handshake = std::get_if<wire::msg::Handshake>(&message)) {
    on_late_handshake(*handshake);
  } else if (const auto* alert = std::get_if<wire::msg::ForkAlert>(&message)) {
    if (!net::rejection(*alert)) return;
    facts_.notice = printable(alert->message);
    refused(EndReason::rejected_notice, "it rejected us: " + facts_.notice);
  } else if (!answer(message)) {
    if (auto reply = net::answer_to(message, network_)) say(*std::move(reply));
  }
}

// What a node with a verified chain says of it (protocol 7.2); silence where we have none.
bool Visit::answer(const wire::Message& message) {
  const auto hash = hash_from(request_.own_tip_hash);
  if (std::holds_alternative<wire::msg::GetChainTip>(message)) {
    if (request_.own_height && hash) {
      wire::msg::ChainTipResponse tip;
      tip.height = *request_.own_height;
      tip.hash = *hash;
      say(tip);
    }
    return true;
  }
  if (std::holds_alternative<wire::msg::GetBlockHeight>(message)) {
    if (request_.own_height) {
      wire::msg::BlockHeightResponse height;
      height.height = *request_.own_height;
      say(height);
    }
    return true;
  }
  return false;
}

void Visit::on_ping(const wire::msg::Ping& theirs) {
  wire::msg::Pong pong;
  pong.nonce = theirs.nonce;
  pong.timestamp = unix_time(waiter_.now());
  pong.height = request_.own_height;
  say(pong);
  if (theirs.height && !facts_.tip) facts_.tip_height = theirs.height;
}

void Visit::on_pong(const wire::msg::Pong& pong) {
  const auto sent = std::find_if(pings_.begin(), pings_.end(), [&](const Ping& one) {
    return one.nonce == pong.nonce && !one.answered;
  });
  if (sent == pings_.end()) return;
  sent->answered = true;
  const Now now = waiter_.now();
  facts_.rtt_ms.push_back(seconds(now.mono - sent->at.mono) * 1e3);
  clock_.on_pong(pong.timestamp, sent->at.wall, now.wall);
  if (pong.height && !facts_.tip) facts_.tip_height = pong.height;
  auto sorted = facts_.rtt_ms;
  std::sort(sorted.begin(), sorted.end());
  facts_.ping = {Outcome::ok, sorted[sorted.size() / 2], ""};
  if (pings_.size() < request_.pings) ping();
}

void Visit::on_tip(const wire::msg::ChainTipResponse& tip) {
  if (facts_.tip) return;
  facts_.tip_height = tip.height;
  const bool unknown = tip.hash == wire::Hash32{};
  facts_.tip = layer(Outcome::ok, "height " + std::to_string(tip.height) + ", hash " +
                                      (unknown ? "unknown to itself" : shown(tip.hash)));
}

void Visit::on_genesis(const wire::msg::GenesisHashResponse& genesis) {
  if (facts_.genesis) return;
  facts_.genesis_hash = wire::to_hex(genesis.hash);
  if (genesis.hash == wire::Hash32{}) {  // protocol 5.20
    facts_.genesis = layer(Outcome::ok, "it has none yet");
  } else if (genesis.hash == network_.genesis_hash) {
    facts_.genesis = layer(Outcome::ok, "");
  } else {
    over_ = true;
    facts_.genesis = layer(Outcome::mismatch, "its genesis is " + shown(genesis.hash) + ", ours " +
                                                  shown(network_.genesis_hash));
  }
}

// The acceptor's own Handshake follows its Ack.
void Visit::on_late_handshake(const wire::msg::Handshake& handshake) {
  const bool known = handshake_.hello().commit_count.has_value();
  if (!known) facts_.magic = wire::to_hex(handshake.magic);
  const auto step = handshake_.on_late_handshake(handshake);
  if (step.verdict == net::Handshake::Verdict::close) refused(step.reason, step.detail);
}

}  // namespace timectl::probe
