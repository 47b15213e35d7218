#include "tests/support/script_answers.h"

#include "daemon/wire/codec.h"

namespace timectl::test {
namespace {

std::int64_t peer_clock(const Script& script) {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now).count();
  std::int64_t sum = 0;
  // The ends of the range are worth sending, too.
  return __builtin_add_overflow(seconds, script.clock, &sum) ? script.clock : sum;
}

}  // namespace

std::vector<std::uint8_t> hello_frame(const Script& script, const wire::NetworkParams& params) {
  wire::msg::Handshake handshake;
  handshake.magic = script.magic.value_or(params.magic);
  handshake.protocol_version = script.proto.value_or(wire::protocol_version);
  handshake.network = params.name;
  handshake.commit_count = script.commit.value_or(wire::current_commit);
  return frame_of(handshake);
}

std::vector<std::uint8_t> first_ping_frame(const Script& script) {
  wire::msg::Ping ping;
  ping.nonce = 4711;
  ping.timestamp = peer_clock(script);
  ping.height = script.height;
  return frame_of(ping);
}

std::optional<std::vector<std::uint8_t>> answer_frame(const Script& script,
                                                      const wire::NetworkParams& params,
                                                      const wire::Message& message,
                                                      std::chrono::milliseconds age) {
  if (const auto* ping = std::get_if<wire::msg::Ping>(&message)) {
    if (script.drop_pongs && age < script.drop_pongs_for) return std::nullopt;
    wire::msg::Pong pong;
    pong.nonce = ping->nonce;
    pong.timestamp = peer_clock(script);
    pong.height = script.height;
    return frame_of(pong);
  }
  if (std::holds_alternative<wire::msg::GetGenesisHash>(message)) {
    wire::msg::GenesisHashResponse response;
    response.hash = script.genesis.value_or(params.genesis_hash);
    return frame_of(response);
  }
  if (std::holds_alternative<wire::msg::GetChainTip>(message) && script.tip) {
    wire::msg::ChainTipResponse response;
    response.height = script.height.value_or(0);
    response.hash = *script.tip;
    return frame_of(response);
  }
  if (const auto* asked = std::get_if<wire::msg::GetBlockHash>(&message)) {
    wire::msg::BlockHashResponse response;
    response.height = asked->height;
    const auto known = script.hash_at.find(asked->height);
    if (known != script.hash_at.end()) response.hash = known->second;
    return frame_of(response);
  }
  return std::nullopt;
}

}  // namespace timectl::test
