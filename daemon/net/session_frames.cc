// The second half of Session: bytes, frames and what they mean.
#include <algorithm>

#include "daemon/net/answers.h"
#include "daemon/net/chain_requests.h"
#include "daemon/net/facts.h"
#include "daemon/net/session.h"
#include "daemon/wire/codec.h"

namespace timectl::net {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

// The reference node sends at most 64 masternodes in a list; each costs a curve test.
constexpr std::size_t kPublicKeys = 256;
// Lists of peers: one each 10 s, a few at the start (faults.md, FT-P26).
constexpr Rate kLists{6, seconds(60)};
constexpr std::size_t kKilobyte = 1024;
// Frames are put together up to this size: about a segment.
constexpr std::size_t kGathered = 1400;

// `frames_per_second` on average, `frames_burst` at once.
Rate frame_rate(const TransportPolicy& policy) {
  const std::size_t rate = std::max<std::size_t>(policy.frames_per_second, 1);
  return {policy.frames_burst, Duration(policy.frames_burst * 1'000'000 / rate)};
}

}  // namespace

Io Session::read_some() {
  Io io = stream_->read(context_->chunk);
  if (io.state != IoState::done) return io;
  corked_ = true;
  take_bytes(std::span(context_->chunk).first(io.bytes));
  uncork();
  return io;
}

bool Session::within_byte_rate(std::size_t bytes, Instant now) {
  const Rate rate{context_->policy.transport.bytes_per_minute / kKilobyte, minutes(1)};
  for (uncounted_ += asked_.unasked(bytes, now); uncounted_ >= kKilobyte; uncounted_ -= kKilobyte) {
    if (!kilobytes_.take(rate, now)) return false;
  }
  return true;
}

void Session::take_bytes(std::span<const std::uint8_t> bytes) {
  const auto& policy = context_->policy.transport;
  traffic_.bytes_in += bytes.size();
  const Instant now = context_->now().mono;
  if (!within_byte_rate(bytes.size(), now)) {
    close(EndReason::flood, "over " + std::to_string(policy.bytes_per_minute) + " bytes a minute");
    return;
  }
  reader_.feed(bytes);
  while (!closing_) {
    const auto payload = reader_.next();
    if (!payload) break;
    frame_timed_ = false;
    if (!frames_.take(frame_rate(policy), now)) {
      close(EndReason::flood,
            "over " + std::to_string(policy.frames_per_second) + " frames a second");
      return;
    }
    take_frame(*payload);
  }
  if (closing_) return;
  if (reader_.too_large()) {
    close(EndReason::frame_too_large,
          "it announced a frame of " + std::to_string(reader_.announced()) + " bytes");
    return;
  }
  watch_frame(bytes.size());
  account_buffers();
}

void Session::account_buffers() {
  const std::size_t now = reader_.buffered();
  context_->receive_buffered += now - buffered_;
  buffered_ = now;
  if (context_->receive_buffered > context_->policy.transport.receive_buffers) {
    context_->relieve_buffers();
  }
}

// A frame that has begun must go on: after a grace, each further span of the same length has to
// bring its share, so that a header of 8 MiB and a trickle do not hold memory for ever.
void Session::watch_frame(std::size_t bytes) {
  if (phase_ != Phase::ready) return;
  if (!reader_.inside_frame()) {
    if (std::exchange(frame_timed_, false)) disarm();
    return;
  }
  progress_ += bytes;
  if (std::exchange(frame_timed_, true)) return;
  progress_ = SIZE_MAX / 2;  // the first span is the grace
  arm(context_->policy.transport.frame_grace);
}

void Session::check_frame_progress() {
  if (!frame_timed_ || !reader_.inside_frame()) return;
  const auto& policy = context_->policy.transport;
  const auto needed = static_cast<std::size_t>(static_cast<double>(policy.frame_min_rate) *
                                               timectl::seconds(policy.frame_grace));
  if (progress_ < needed) {
    close(EndReason::slow, "a frame of " + std::to_string(reader_.announced()) +
                               " bytes stalled: " + std::to_string(progress_) +
                               " bytes came in the last span");
    return;
  }
  progress_ = 0;
  arm(policy.frame_grace);
}

// Skipping them is the rule (protocol 2.5): newer peers have messages that we do not know, and an
// upgrade of the whole network may move the others. The Node judges how many there are.
void Session::count_undecodable(bool unknown) {
  ++(unknown ? traffic_.unknown_frames : traffic_.undecodable_frames);
}

void Session::take_frame(wire::Bytes payload) {
  wire::DecodeOptions options;
  options.commit_count = handshake_.hello().commit_count.value_or(wire::current_commit);
  options.max_public_keys = kPublicKeys;
  const auto decoded = wire::decode(payload, context_->arena, options);
  const bool judging = phase_ == Phase::handshake;
  if (!decoded) {
    const auto kind = decoded.error().kind;
    count_undecodable(kind == wire::DecodeErrorKind::unknown_variant ||
                      kind == wire::DecodeErrorKind::other_table);
    if (judging && !closing_) apply(handshake_.on_undecodable());
  } else if (judging) {
    apply(handshake_.on_message(decoded->message));
  } else if (phase_ == Phase::ready) {
    on_message(decoded->message, payload);
  }
}

void Session::apply(Handshake::Step step) {
  for (auto& reply : step.replies) send(std::move(reply), Place::back);
  if (std::exchange(corked_, false)) {  // the Ack first, which the first ping must not overtake
    uncork();
    corked_ = true;
  }
  if (step.verdict == Handshake::Verdict::close) close(step.reason, std::move(step.detail));
  if (step.verdict == Handshake::Verdict::ready && !closing_) become_ready();
}

void Session::become_ready() {
  phase_ = Phase::ready;
  disarm();
  frame_timed_ = false;
  reader_.set_limit(static_cast<std::uint32_t>(context_->policy.transport.frame_limit));
  context_->gate.leave(id_);
  if (context_->detached) return;
  PeerHello hello = handshake_.hello();
  hello.protocol_version = std::max(hello.protocol_version, wire::protocol_version);
  context_->node.on_ready(id_, hello, context_->now());
  context_->run_commands();
  context_->settle(remote_);
}

void Session::on_message(const wire::Message& message, wire::Bytes payload) {
  if (context_->detached || answer_from_chain(message)) return;
  on_talk(message);
  context_->run_commands();
  tell_chain(message, payload);
}

void Session::on_talk(const wire::Message& message) {
  if (const auto* ping = std::get_if<wire::msg::Ping>(&message)) {
    on_ping(*ping);
  } else if (const auto* pong = std::get_if<wire::msg::Pong>(&message)) {
    const Now now = context_->now();
    context_->node.on_pong(id_, pong->nonce, pong->height, now);
    report_clock(pong->timestamp, now);
  } else if (const auto* handshake = std::get_if<wire::msg::Handshake>(&message)) {
    on_late_handshake(*handshake);
  } else if (const auto* tip = std::get_if<wire::msg::ChainTipResponse>(&message)) {
    context_->node.on_height(id_, tip->height, context_->now());
  } else if (const auto* genesis = std::get_if<wire::msg::GenesisHashResponse>(&message)) {
    // All zero: the peer has none yet (protocol 5.20).
    if (genesis->hash != wire::Hash32{} && genesis->hash != context_->network.genesis_hash) {
      context_->node.on_wrong_genesis(id_,
                                      "its genesis is " + wire::to_hex(genesis->hash) + ", ours " +
                                          wire::to_hex(context_->network.genesis_hash),
                                      context_->now());
    }
  } else if (const auto* warning = std::get_if<wire::msg::ConnectivityWarning>(&message)) {
    context_->node.on_unreachable_said(id_, std::string(warning->message), context_->now());
  } else if (auto answer = answer_to(message, context_->network)) {
    send(*std::move(answer), Place::back);
  } else {
    on_lists(message);
  }
}

// The pong leaves before anything that waits, and before the Node hears of it.
void Session::on_ping(const wire::msg::Ping& ping) {
  const auto& sent = context_->sent_nonces;
  if (ping.nonce != 0 && std::find(sent.begin(), sent.end(), ping.nonce) != sent.end()) {
    close(EndReason::self_connection, "our own ping came in");
    return;
  }
  const Now now = context_->now();
  wire::msg::Pong pong;
  pong.nonce = ping.nonce;
  pong.timestamp = std::chrono::floor<seconds>(now.wall).time_since_epoch().count();
  pong.height = own_height();
  send(pong, Place::front);
  report_clock(ping.timestamp, now);
  if (ping.height) context_->node.on_height(id_, *ping.height, now);
}

// What no clock shows (before 1970, after 9999) says nothing.
void Session::report_clock(std::int64_t stamp, Now now) {
  constexpr std::int64_t kLastSecond = 253'402'300'799;
  if (stamp <= 0 || stamp > kLastSecond) return;
  context_->node.on_clock(id_, WallTime(seconds(stamp)), now);
}

void Session::on_late_handshake(const wire::msg::Handshake& handshake) {
  const bool known = handshake_.hello().commit_count.has_value();
  apply(handshake_.on_late_handshake(handshake));
  if (known || closing_) return;
  context_->node.on_ready(id_, handshake_.hello(), context_->now());  // its version, known now
}

void Session::on_lists(const wire::Message& message) {
  const Now now = context_->now();
  const bool peers = std::holds_alternative<wire::msg::PeersResponse>(message) ||
                     std::holds_alternative<wire::msg::PeerExchange>(message);
  if (peers) {
    if (!lists_.take(kLists, now.mono)) return;
    const auto learned = learned_peers(message);
    if (!learned.empty()) context_->node.on_peers_learned(remote_, learned, now);
    return;
  }
  const auto claims = claimed_masternodes(message);
  if (!claims.empty()) context_->node.on_masternodes_claimed(remote_, claims, now);
}

void Session::report_traffic() {
  const bool any = traffic_.bytes_in + traffic_.bytes_out + traffic_.unknown_frames +
                       traffic_.undecodable_frames >
                   0;
  if (!any || context_->detached) return;
  context_->node.on_traffic(id_, std::exchange(traffic_, Traffic{}), context_->now());
  context_->run_commands();
}

void Session::report_transport() {
  if (context_->detached) return;
  const auto facts = transport_facts(socket_.native_handle());
  if (facts) context_->node.on_transport(id_, *facts, context_->now());
}

void Session::ping(std::uint64_t nonce) {
  if (!ready() || !takes_blocks()) return;
  report_transport();
  context_->sent_nonces.at(context_->next_nonce) = nonce;
  context_->next_nonce = (context_->next_nonce + 1) % context_->sent_nonces.size();
  wire::msg::Ping ping;
  ping.nonce = nonce;
  ping.timestamp = std::chrono::floor<seconds>(context_->now().wall).time_since_epoch().count();
  ping.height = own_height();
  send(ping, Place::front);
}

void Session::ask(Question question) {
  if (!ready()) return;
  switch (question) {
    case Question::genesis_hash:
      send(wire::msg::GetGenesisHash{}, Place::back);
      break;
    case Question::peers:
      send(wire::msg::GetPeers{}, Place::back);
      break;
    case Question::masternodes:
      send(wire::msg::GetMasternodes{}, Place::back);
      break;
  }
}

bool Session::send(wire::OutgoingMessage message, Place place) {
  const Instant now = context_->now().mono;
  if (closing_ || !guard_.allows(message, now)) return false;
  const std::size_t size = message.frame().size();
  // Small ones are gathered with others; they cost what all small frames cost.
  const bool served = has_blocks(message.index()) && size > kGathered;
  if (served && !served_.hold(size, now)) return false;
  if (!served && queued_ + size > context_->policy.transport.send_queue) {
    close(EndReason::slow, "it does not read: " + std::to_string(queued_) + " bytes wait for it");
    return false;
  }
  if (asks_for_blocks(message.index())) {
    asked_.asked(context_->policy.transport.frame_limit + wire::frame_header_size, now);
  }
  auto at = queue_.end();
  if (place == Place::front) {
    at = queue_.begin();
    // A frame that has begun is finished first; OpenSSL may have begun one of which we know not.
    if (waiting_to_write_ && at != queue_.end()) ++at;
  }
  queue_.insert(at, Outgoing{write_frame(std::move(message)), served});
  if (!served) queued_ += size;
  if (!waiting_to_write_ && !corked_) flush();
  return true;
}

// The small frames that have gathered become one: a record and a segment for all of them.
void Session::uncork() {
  corked_ = false;
  if (waiting_to_write_ || abrupt_ || queue_.empty()) return;
  auto& first = queue_.front().frame;
  for (auto next = std::next(queue_.begin());
       next != queue_.end() && first.size() + next->frame.size() <= kGathered;
       next = queue_.erase(next)) {
    first.insert(first.end(), next->frame.begin(), next->frame.end());
  }
  flush();
}

void Session::flush() {
  while (!queue_.empty()) {
    const auto& frame = queue_.front().frame;
    const Io io = stream_->write(std::span(frame).subspan(written_));
    if (io.state == IoState::want_write || io.state == IoState::want_read) {
      wait_writable();
      return;
    }
    if (io.state != IoState::done) {
      lost(io);
      return;
    }
    written_ += io.bytes;
    traffic_.bytes_out += io.bytes;
    if (written_ < frame.size()) continue;
    if (queue_.front().served) {
      served_.sent();
    } else {
      queued_ -= frame.size();
    }
    written_ = 0;
    queue_.pop_front();
  }
}

void Session::wait_writable() {
  waiting_to_write_ = true;
  socket_.async_wait(boost::asio::posix::stream_descriptor::wait_write,
                     [self = shared_from_this()](const boost::system::error_code& error) {
                       self->waiting_to_write_ = false;
                       if (error || self->closing_) return;
                       self->flush();
                       self->report_traffic();
                     });
}

// The connection is over without our doing: by the peer, or because the kernel gave it up.
void Session::lost(const Io& io) {
  abrupt_ = true;
  if (phase_ == Phase::handshake && io.error == 0) {
    apply(handshake_.on_end(io.failure));
    return;
  }
  const bool tls_fault = io.state == IoState::failed && io.error == 0;
  if (tls_fault) {
    close(EndReason::protocol_error, "TLS: " + io.failure);
  } else if (phase_ == Phase::handshake && loss_reason(io.error) == EndReason::closed_by_peer) {
    apply(handshake_.on_end(io.failure));
  } else {
    std::string detail = io.failure;
    report_transport();
    if (loss_reason(io.error) == EndReason::transport_dead) {
      detail += "; " + tcp_evidence(socket_.native_handle());
    }
    close(loss_reason(io.error), std::move(detail));
  }
}

}  // namespace timectl::net
