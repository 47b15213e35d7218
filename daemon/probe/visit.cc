#include "daemon/probe/visit.h"

#include <algorithm>
#include <utility>

#include "daemon/core/events.h"
#include "daemon/wire/codec.h"

namespace timectl::probe {
namespace {

using diagnose::LayerFacts;
using diagnose::Outcome;

// What is of interest here is shorter; the rest is counted and skipped.
constexpr std::size_t kLargestDecoded = 65'536;
constexpr std::size_t kPublicKeys = 256;  // as in a session: each costs a curve test
constexpr double kMillisecond = 1e-3;

struct Ending {
  LinkEnd end;
  Outcome outcome;
};
constexpr auto kEndings = std::to_array<Ending>({
    {LinkEnd::done, Outcome::ok},
    {LinkEnd::timed_out, Outcome::silent},
    {LinkEnd::stopped, Outcome::failed},
    {LinkEnd::refused, Outcome::refused},
    {LinkEnd::unreachable, Outcome::unreachable},
    {LinkEnd::closed, Outcome::closed},
    {LinkEnd::plaintext, Outcome::plaintext},
    {LinkEnd::failed, Outcome::failed},
});

Outcome outcome_of(LinkEnd end) {
  const auto* row =
      std::find_if(kEndings.begin(), kEndings.end(), [&](const Ending& e) { return e.end == end; });
  return row == kEndings.end() ? Outcome::failed : row->outcome;
}

const wire::NetworkParams& params_of(Network network) {
  return wire::params_of(network == Network::mainnet ? wire::Network::mainnet
                                                     : wire::Network::testnet);
}

}  // namespace

Visit::Visit(const ProbeRequest& request, const Waiter& waiter)
    : request_(request),
      waiter_(waiter),
      network_(params_of(request.network)),
      ends_(waiter.now().mono + request.total),
      since_(waiter.now().mono),
      link_(waiter),
      handshake_(Direction::out, {&network_, request.commit_count, request.min_commit_count}),
      reader_(static_cast<std::uint32_t>(
          std::min<std::size_t>(request.frame_limit, wire::max_frame_size))) {
  facts_.at = waiter.now().wall;
  facts_.from = request.source;
}

Instant Visit::within(Duration span) const {
  return std::min(waiter_.now().mono + span, ends_);
}

LayerFacts Visit::layer(Outcome outcome, const std::string& detail) const {
  const double ms = seconds(waiter_.now().mono - since_) / kMillisecond;
  return {outcome, ms, printable(detail)};
}

bool Visit::connect() {
  const IpAddress from = request_.source.value_or(IpAddress());
  const auto step =
      link_.connect({request_.peer, request_.port}, from, within(request_.connect_timeout));
  const bool silent = step.end == LinkEnd::timed_out;
  facts_.tcp = layer(silent ? Outcome::timed_out : outcome_of(step.end), step.detail);
  if (step.end != LinkEnd::done) return false;
  if (const auto local = link_.local(); !local.is_unspecified()) facts_.from = local;
  return true;
}

bool Visit::secure() {
  const net::TlsContext tls;
  since_ = waiter_.now().mono;
  const auto step = link_.secure(tls, within(request_.tls_timeout));
  const bool silent = step.end == LinkEnd::timed_out;
  facts_.tls = layer(
      outcome_of(step.end),
      silent ? "no ServerHello in " + human_duration(waiter_.now().mono - since_) : step.detail);
  facts_.first_bytes = step.first_bytes;
  spoken_ = step.end == LinkEnd::done;
  return spoken_;
}

bool Visit::shake_hands() {
  since_ = waiter_.now().mono;
  const Instant until = within(request_.ack_timeout);
  for (auto& message : handshake_.start().replies) say(std::move(message));
  LinkStep step;
  while (!ready_ && !over_ && step.end == LinkEnd::done) step = receive(until);
  if (ready_ || over_) return !over_;
  over_ = true;
  const auto others = facts_.other_frames;
  std::string heard = others == 0   ? "not a single frame came"
                      : others == 1 ? "another frame came"
                                    : std::to_string(others) + " other frames came";
  std::string what = step.end == LinkEnd::timed_out
                         ? "no Ack in " + human_duration(waiter_.now().mono - since_)
                         : step.detail;
  facts_.handshake = layer(outcome_of(step.end), what + "; " + heard);
  return false;
}

// Sends what there is to say and takes what there is to read, once.
LinkStep Visit::receive(Instant until) {
  if (!out_.empty()) {
    const auto bytes = std::exchange(out_, {});
    if (LinkStep step = link_.write(bytes, until); step.end != LinkEnd::done) return step;
  }
  LinkStep step = link_.read(chunk_, until);
  if (step.end != LinkEnd::done) return step;
  reader_.feed(std::span(chunk_).first(step.bytes));
  while (const auto payload = reader_.next()) {
    if (!over_) take_frame(*payload);
  }
  if (reader_.too_large() && !over_) {
    over_ = true;
    hostile_ = true;
    facts_.frame_length = reader_.announced();
    auto& open = ready_ ? *first_open_layer() : facts_.handshake;
    open = layer(Outcome::too_large,
                 "it announced a frame of " + std::to_string(reader_.announced()) + " bytes");
  }
  return step;
}

void Visit::take_frame(wire::Bytes payload) {
  wire::DecodeOptions options;
  options.commit_count = handshake_.hello().commit_count.value_or(wire::current_commit);
  options.max_public_keys = kPublicKeys;
  if (payload.size() > kLargestDecoded) {
    if (!ready_) judge(nullptr);
    return;
  }
  const auto decoded = wire::decode(payload, arena_, options);
  if (!ready_) {
    judge(decoded ? &decoded->message : nullptr);
  } else if (decoded) {
    ++frames_behind_ack_;
    on_talk(decoded->message);
  }
}

void Visit::judge(const wire::Message* message) {
  if (message == nullptr) {
    ++facts_.other_frames;
    return;
  }
  if (const auto* handshake = std::get_if<wire::msg::Handshake>(message)) {
    facts_.magic = wire::to_hex(handshake->magic);
  }
  const auto step = handshake_.on_message(*message);
  if (step.verdict == net::Handshake::Verdict::close) {
    if (const auto* alert = std::get_if<wire::msg::ForkAlert>(message)) {
      facts_.notice = printable(alert->message);
      return refused(EndReason::rejected_notice, step.detail);
    }
    return refused(step.reason, step.detail);
  }
  if (step.verdict == net::Handshake::Verdict::ready) {
    ready_ = true;
    facts_.other_frames = 0;
    facts_.handshake = layer(Outcome::ok, "");
  } else if (!std::holds_alternative<wire::msg::Handshake>(*message)) {
    ++facts_.other_frames;
  }
}

void Visit::refused(EndReason reason, const std::string& detail) {
  constexpr auto kOutcomes = std::to_array<std::pair<EndReason, Outcome>>({
      {EndReason::wrong_magic, Outcome::wrong_magic},
      {EndReason::old_protocol, Outcome::old_protocol},
      {EndReason::old_commit, Outcome::old_commit},
      {EndReason::rejected_notice, Outcome::rejected},
  });
  over_ = true;
  const auto* row = std::find_if(kOutcomes.begin(), kOutcomes.end(),
                                 [&](const auto& known) { return known.first == reason; });
  const auto outcome = row == kOutcomes.end() ? Outcome::failed : row->second;
  const auto ms = facts_.handshake ? facts_.handshake->ms : layer(outcome, "").ms;
  facts_.handshake = {outcome, ms, printable(detail)};
}

void Visit::talk() {
  since_ = waiter_.now().mono;
  const Instant until = within(request_.ping_timeout);
  if (request_.pings > 0) ping();
  say(wire::msg::GetGenesisHash{});
  say(wire::msg::GetChainTip{});
  LinkStep step;
  while (!over_ && !all_answered() && step.end == LinkEnd::done) step = receive(until);
  if (!over_ && step.end != LinkEnd::done) unfinished(step);
  facts_.clock_seconds = clock_.seconds_ahead();
}

bool Visit::all_answered() const {
  return facts_.rtt_ms.size() >= request_.pings && facts_.tip && facts_.genesis;
}

std::optional<LayerFacts>* Visit::first_open_layer() {
  if (request_.pings > 0 && !facts_.ping) return &facts_.ping;
  return facts_.tip ? &facts_.genesis : &facts_.tip;
}

// The connection or the time is over before all was answered.
void Visit::unfinished(const LinkStep& step) {
  over_ = true;
  if (facts_.ping && facts_.rtt_ms.size() < request_.pings) {
    facts_.ping->detail = std::to_string(facts_.rtt_ms.size()) + " of " +
                          std::to_string(pings_.size()) + " pings were answered";
  }
  if (step.end != LinkEnd::timed_out) {
    const bool redirected = step.end == LinkEnd::closed && hinted_;
    if (redirected) {
      facts_.handshake->outcome = Outcome::redirected;
      facts_.handshake->detail = "Ack, a list of other peers, " + step.detail;
    } else {
      auto& open = *first_open_layer();
      if (!open) open = layer(outcome_of(step.end), step.detail);
    }
    return;
  }
  if (request_.pings > 0) missing(facts_.ping, "no pong");
  missing(facts_.tip, "no answer to GetChainTip");
  missing(facts_.genesis, "no answer to GetGenesisHash");
}

void Visit::missing(std::optional<LayerFacts>& open, const char* what) {
  if (open) return;
  open = layer(Outcome::silent, what + (" in " + human_duration(waiter_.now().mono - since_)));
}

void Visit::end() {
  if (!spoken_ || hostile_) return link_.cut();
  const Instant until = within(request_.close_timeout);
  // The pong that its last ping is owed; whether it still takes it changes nothing.
  if (ready_ && !out_.empty()) (void)link_.write(out_, until);
  link_.finish(until);
}

}  // namespace timectl::probe
