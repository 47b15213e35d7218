#include "daemon/net/handshake.h"

#include <algorithm>
#include <cctype>

#include "daemon/core/events.h"

namespace timectl::net {
namespace {

using Step = Handshake::Step;
using Verdict = Handshake::Verdict;

Step closing(EndReason reason, std::string detail) {
  return {Verdict::close, reason, std::move(detail), {}};
}

// "testnet (54494d45)", or the bare magic of no network we know.
std::string named(const wire::Magic& magic) {
  const std::string digits = wire::to_hex(magic);
  for (const auto network : {wire::Network::mainnet, wire::Network::testnet}) {
    const auto& params = wire::params_of(network);
    if (params.magic == magic) return std::string(params.name) + " (" + digits + ")";
  }
  return "an unknown network (" + digits + ")";
}

bool mentions(const std::string& text, std::string_view word) {
  return text.find(word) != std::string::npos;
}

}  // namespace

std::optional<EndReason> rejection(const wire::msg::ForkAlert& alert) {
  const bool notice = alert.your_height == 0 && alert.consensus_height == 0 &&
                      alert.consensus_hash == wire::Hash32{};
  if (!notice) return std::nullopt;
  std::string text(alert.message.substr(0, 512));
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (mentions(text, "commit")) return EndReason::old_commit;
  if (mentions(text, "protocol")) return EndReason::old_protocol;
  return EndReason::rejected_notice;
}

wire::OutgoingMessage Handshake::ours() const {
  wire::msg::Handshake handshake;
  handshake.magic = terms_.network->magic;
  handshake.protocol_version = wire::protocol_version;
  handshake.network = terms_.network->name;
  handshake.commit_count = terms_.commit_count;
  return handshake;
}

Step Handshake::start() const {
  Step step;
  if (direction_ == Direction::out) step.replies.push_back(ours());
  return step;
}

Step Handshake::judge(const wire::msg::Handshake& handshake) {
  if (handshake.magic != terms_.network->magic) {
    return closing(EndReason::wrong_magic, "the peer is of " + named(handshake.magic) + ", we of " +
                                               named(terms_.network->magic));
  }
  if (handshake.protocol_version < wire::protocol_version) {
    return closing(EndReason::old_protocol,
                   "the peer's protocol version is " + std::to_string(handshake.protocol_version) +
                       ", we accept " + std::to_string(wire::protocol_version) + " and later");
  }
  if (handshake.commit_count < terms_.min_commit_count) {
    return closing(EndReason::old_commit,
                   "the peer's commit count is " + std::to_string(handshake.commit_count) +
                       ", we accept " + std::to_string(terms_.min_commit_count) + " and later");
  }
  hello_.protocol_version = handshake.protocol_version;
  hello_.commit_count = handshake.commit_count;
  return {};
}

Step Handshake::on_message(const wire::Message& message) {
  const bool first = !std::exchange(heard_, true);
  const auto* handshake = std::get_if<wire::msg::Handshake>(&message);
  if (direction_ == Direction::in) {
    if (handshake == nullptr || !first) {
      return closing(
          EndReason::no_handshake,
          "its first frame is " + std::string(wire::message_name(message)) + ", not a Handshake");
    }
    Step step = judge(*handshake);
    if (step.verdict == Verdict::close) return step;
    step.verdict = Verdict::ready;
    wire::msg::Ack ack;
    ack.message_type = "Handshake";
    step.replies.emplace_back(ack);
    step.replies.push_back(ours());
    return step;
  }
  if (handshake != nullptr) return hello_.commit_count ? Step{} : judge(*handshake);
  if (const auto* alert = std::get_if<wire::msg::ForkAlert>(&message)) {
    if (const auto reason = rejection(*alert)) {
      return closing(*reason, "it rejected us: " + printable(alert->message));
    }
  }
  if (!std::holds_alternative<wire::msg::Ack>(message)) return {};
  Step step;
  step.verdict = Verdict::ready;
  return step;
}

Step Handshake::on_undecodable() {
  const bool first = !std::exchange(heard_, true);
  if (direction_ == Direction::out || !first) return {};
  return closing(EndReason::no_handshake, "its first frame is no message");
}

Step Handshake::on_end(const std::string& how) const {
  if (heard_) {
    return closing(EndReason::closed_by_peer, how + " after frames, before the handshake was done");
  }
  return closing(EndReason::no_handshake, how + " without a word");
}

Step Handshake::on_timeout() const {
  const std::string what = direction_ == Direction::in ? "no Handshake" : "no Ack";
  return closing(EndReason::no_handshake,
                 what + " in time; " + (heard_ ? "other frames came" : "not a single frame came"));
}

Step Handshake::on_late_handshake(const wire::msg::Handshake& handshake) {
  if (hello_.commit_count) return {};
  return judge(handshake);
}

}  // namespace timectl::net
