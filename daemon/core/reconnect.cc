#include "daemon/core/reconnect.h"

#include <algorithm>
#include <array>

#include "daemon/core/reflect.h"

namespace timectl {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kOrdinary = "the gaps double up to their cap";
constexpr std::string_view kUnclean = "the peer may still hold our dead connection";
constexpr std::string_view kAfterTcp = "peers count failures after TCP and ban for them";
constexpr std::string_view kRejected = "the peer bans for 4 hours after a rejection";
constexpr std::string_view kParked = "until the config changes or `timectl peer connect` says so";
constexpr std::string_view kOwn = "our own doing, nothing to wait for";

constexpr auto kOutcomes = std::to_array<OutcomeRow>({
    {EndReason::closed_by_peer, Ladder::ordinary, kOrdinary},
    {EndReason::refused, Ladder::ordinary, kOrdinary},
    {EndReason::timed_out, Ladder::ordinary, kOrdinary},
    {EndReason::no_route, Ladder::ordinary, kOrdinary},
    {EndReason::unresponsive, Ladder::unclean, kUnclean},
    {EndReason::transport_dead, Ladder::unclean, kUnclean},
    {EndReason::closed_before_tls, Ladder::after_tcp, kAfterTcp},
    {EndReason::tls_failed, Ladder::after_tcp, kAfterTcp},
    {EndReason::no_handshake, Ladder::after_tcp, kAfterTcp},
    // Ends that we chose because of what the peer sent: it will do so again if we come at once.
    {EndReason::frame_too_large, Ladder::after_tcp, kAfterTcp},
    {EndReason::flood, Ladder::after_tcp, kAfterTcp},
    {EndReason::slow, Ladder::after_tcp, kAfterTcp},
    {EndReason::protocol_error, Ladder::after_tcp, kAfterTcp},
    {EndReason::rejected_notice, Ladder::rejected, kRejected},
    {EndReason::old_protocol, Ladder::rejected, kRejected},
    {EndReason::old_commit, Ladder::rejected, kRejected},
    {EndReason::wrong_magic, Ladder::parked, kParked},
    {EndReason::wrong_genesis, Ladder::parked, kParked},
    {EndReason::self_connection, Ladder::parked, kParked},
    {EndReason::closed_by_operator, Ladder::none, kOwn},
    {EndReason::superseded, Ladder::none, kOwn},
    {EndReason::duplicate, Ladder::none, kOwn},
    {EndReason::banned, Ladder::none, kOwn},
    {EndReason::evicted, Ladder::none, kOwn},
    {EndReason::shutdown, Ladder::none, kOwn},
});

Duration doubled(Duration first, Duration cap, std::size_t times) {
  Duration gap = first;
  for (std::size_t i = 0; i < times && gap < cap; ++i) gap *= 2;
  return std::min(gap, cap);
}

void forget_before(std::deque<Instant>& times, Instant limit, std::size_t most) {
  while (!times.empty() && (times.front() <= limit || times.size() > most)) times.pop_front();
}

Instant to_mono(WallTime at, Now now) {
  return now.mono + std::chrono::duration_cast<Duration>(at - now.wall);
}
WallTime to_wall(Instant at, Now now) {
  return now.wall + std::chrono::duration_cast<std::chrono::milliseconds>(at - now.mono);
}

}  // namespace

std::span<const OutcomeRow> outcome_table() {
  return kOutcomes;
}

const OutcomeRow& outcome_row(EndReason reason) {
  for (const auto& row : kOutcomes) {
    if (row.reason == reason) return row;
  }
  check_failed("every EndReason has an outcome", __FILE__, __LINE__);
}

Duration nominal_gap(Ladder ladder, std::size_t attempt, const TargetFacts& facts,
                     const ReconnectPolicy& policy) {
  // 150 s, 5 min, 15 min, 1 h as multiples of the first gap, so that tests can scale them.
  constexpr std::array<int, 4> kEarlyClose = {1, 2, 6, 24};
  switch (ladder) {
    case Ladder::none:
    case Ladder::parked:
      return Duration::zero();
    case Ladder::unclean:
      if (!(facts.masternode && facts.trusts_us)) return policy.unclean_delay;
      [[fallthrough]];
    case Ladder::ordinary:
      return facts.masternode
                 ? doubled(policy.masternode_first_delay, policy.masternode_max_delay, attempt)
                 : doubled(policy.regular_first_delay, policy.regular_max_delay, attempt);
    case Ladder::after_tcp:
      return policy.early_close_first_delay *
             kEarlyClose[std::min(attempt, kEarlyClose.size() - 1)];
    case Ladder::rejected:
      return attempt == 0 ? policy.rejected_first_delay : policy.rejected_delay;
  }
  check_failed("every Ladder has gaps", __FILE__, __LINE__);
}

std::size_t& Reconnect::counter(Ladder ladder) {
  if (ladder == Ladder::after_tcp) return after_tcp_;
  return ladder == Ladder::rejected ? rejected_ : ordinary_;
}

std::size_t Reconnect::attempts() const {
  return const_cast<Reconnect*>(this)->counter(ladder_);
}

void Reconnect::dialled(Instant now) {
  ++dials_;
  ledger_.push_back(now);
  forget_before(ledger_, now - 1h, kLedger);
  next_.reset();
  passive_ = false;
  held_by_operator_ = false;
}

void Reconnect::probed(Instant now) {
  ledger_.push_back(now);
  forget_before(ledger_, now - 1h, kLedger);
}

void Reconnect::probe_failed(EndReason reason, const TargetFacts& facts,
                             const ReconnectPolicy& policy, Random& random, Instant now) {
  const Ladder ladder = outcome_row(reason).ladder;
  if (ladder != Ladder::after_tcp && ladder != Ladder::rejected) return;
  if (held_by_operator(now) || parked()) {  // that stays; their count goes on all the same
    if (ladder == Ladder::after_tcp) {
      after_tcp_failures_.push_back(now);
      forget_before(after_tcp_failures_, now - 1h, kAfterTcp);
    }
    return;
  }
  const auto scheduled = next_;
  const Ladder before = ladder_;
  (void)failed(reason, facts, policy, random, now);
  if (scheduled && next_ && *scheduled > *next_) {
    next_ = scheduled;
    ladder_ = before;
  }
}

Instant Reconnect::probe_allowed(const ReconnectPolicy& policy, Instant now) const {
  const Instant allowed = ledger_allows(policy, now);
  return ladder_ == Ladder::rejected && hard(now) ? std::max(allowed, *next_) : allowed;
}

void Reconnect::connected() {
  dials_ = 0;
  next_.reset();
  passive_ = false;
  held_by_operator_ = false;
  if (parked()) {  // it is of our network after all: do not park it again at the next start
    ladder_ = Ladder::none;
    last_reason_.reset();
  }
}

void Reconnect::release() {
  next_.reset();
  passive_ = false;
  held_by_operator_ = false;
  ladder_ = Ladder::none;
}

void Reconnect::forgive(Instant now) {
  if (parked() || hard(now)) return;
  ordinary_ = 0;
  exhausted_ = false;
  passive_ = false;
  next_.reset();
}

void Reconnect::stay_away_until(Instant until) {
  last_reason_ = EndReason::closed_by_operator;
  ladder_ = Ladder::none;
  next_ = until;
  passive_ = false;
  held_by_operator_ = true;
}

bool Reconnect::hard(Instant now) const {
  if (parked()) return true;
  if (!next_ || *next_ <= now) return false;
  return held_by_operator_ || (ladder_ != Ladder::ordinary && ladder_ != Ladder::none);
}

Reconnect::Verdict Reconnect::failed(EndReason reason, const TargetFacts& facts,
                                     const ReconnectPolicy& policy, Random& random, Instant now) {
  if (facts.session && *facts.session >= policy.stable_after) {
    ordinary_ = after_tcp_ = rejected_ = 0;
    exhausted_ = false;
  }
  const Ladder ladder = outcome_row(reason).ladder;
  last_reason_ = reason;
  if (ladder == Ladder::none) {
    // Nothing was learned: what was scheduled stays; a session that we ended starts at the foot.
    if (!next_) ladder_ = Ladder::none;
    return {};
  }
  Verdict verdict;
  ladder_ = ladder;
  passive_ = false;
  held_by_operator_ = false;
  held_by_budget_ = false;
  if (ladder == Ladder::parked) {
    next_.reset();
    verdict.parked = true;
    return verdict;
  }
  std::size_t& count = counter(ladder);
  Duration gap = nominal_gap(ladder, count, facts, policy);
  // An unclean loss waits once, then "as above": it does not climb the ordinary ladder itself.
  if (ladder != Ladder::unclean || (facts.masternode && facts.trusts_us)) ++count;
  if (ladder == Ladder::unclean && facts.masternode && facts.trusts_us) ladder_ = Ladder::ordinary;
  if (ladder == Ladder::after_tcp) {
    after_tcp_failures_.push_back(now);
    forget_before(after_tcp_failures_, now - 1h, kAfterTcp);
  }
  if (facts.wait_passively && facts.session && policy.passive_wait > gap &&
      ladder_ == Ladder::ordinary) {
    gap = policy.passive_wait;
    verdict.passive = passive_ = true;
  }
  const std::size_t most = facts.masternode ? policy.masternode_attempts : policy.regular_attempts;
  if (ladder_ == Ladder::ordinary && ordinary_ > most) {
    verdict.exhausted = !exhausted_;
    exhausted_ = true;
    if (facts.masternode) {  // never given up: goes on with the pass (R2, R4)
      next_.reset();
      return verdict;
    }
    gap = policy.regular_forget_for;
    ordinary_ = 0;
  }
  verdict.gap = gap;
  double factor = 1;
  if (gap >= policy.jitter_from && !passive_) {
    // The long gaps outlast a ban or a dead slot over there: they may only become longer.
    const double swing = ladder_ == Ladder::ordinary ? 2 * random.unit() - 1 : random.unit();
    factor += policy.jitter * swing;
  }
  next_ = now + Duration(static_cast<Duration::rep>(static_cast<double>(gap.count()) * factor));
  const Instant allowed = budget_allows(policy, *next_);
  held_by_budget_ = allowed > *next_;
  if (held_by_budget_) passive_ = verdict.passive = false;  // it is not the peer that we wait for
  next_ = allowed;
  return verdict;
}

// At most so many failures after TCP in an hour: with four of them in it, the next attempt (which
// may become the fifth) waits until the oldest is an hour old.
Instant Reconnect::budget_allows(const ReconnectPolicy& policy, Instant at) const {
  const std::size_t most =
      std::clamp<std::size_t>(policy.after_tcp_failures_per_hour, 1, kAfterTcp);
  if (after_tcp_failures_.size() < most) return at;
  return std::max(at, after_tcp_failures_[after_tcp_failures_.size() - most] + 1h);
}

Instant Reconnect::ledger_allows(const ReconnectPolicy& policy, Instant now) const {
  const std::size_t most = std::clamp<std::size_t>(policy.attempts_per_minute, 1, kLedger);
  Instant at = budget_allows(policy, now);
  if (ledger_.size() >= most) at = std::max(at, ledger_[ledger_.size() - most] + 60s);
  return at;
}

std::size_t Reconnect::attempts_within(Duration period, Instant now) const {
  return static_cast<std::size_t>(
      std::count_if(ledger_.begin(), ledger_.end(), [&](Instant at) { return at > now - period; }));
}

std::size_t dials_since_session(const PeerMemory& memory) {
  return static_cast<std::size_t>(std::ranges::count_if(
      memory.recent_attempts,
      [&](WallTime at) { return !memory.last_heard_at || at > *memory.last_heard_at; }));
}

void Reconnect::restore(const PeerMemory& memory, Now now) {
  // A wall clock that was set back must not make an attempt wait longer than any row does.
  constexpr Duration kLongest = 25h;
  for (const WallTime at : memory.recent_attempts) {
    ledger_.push_back(std::min(to_mono(at, now), now.mono));
  }
  dials_ = dials_since_session(memory);
  std::sort(ledger_.begin(), ledger_.end());
  forget_before(ledger_, now.mono - 1h, kLedger);
  last_reason_ = memory.last_reason;
  if (!memory.last_reason) return;
  ladder_ = outcome_row(*memory.last_reason).ladder;
  if (ladder_ == Ladder::parked) return;
  counter(ladder_) = static_cast<std::size_t>(std::min<std::uint64_t>(memory.attempts, 1000));
  if (ladder_ == Ladder::after_tcp) {
    const std::size_t failures = std::min(after_tcp_, ledger_.size());
    after_tcp_failures_.assign(ledger_.end() - static_cast<std::ptrdiff_t>(failures),
                               ledger_.end());
    forget_before(after_tcp_failures_, now.mono - 1h, kAfterTcp);
  }
  if (!memory.next_attempt_at) return;
  const Instant next = to_mono(*memory.next_attempt_at, now);
  // So far ahead is no gap of the ordinary ladder, but the day of R2 after its last attempt.
  constexpr Duration kForgotten = 1h;
  const bool ordinary = ladder_ == Ladder::ordinary || ladder_ == Ladder::none;
  held_by_operator_ = memory.last_reason == EndReason::closed_by_operator && next > now.mono;
  const bool forgets = ordinary && next < now.mono + kForgotten && !held_by_operator_;
  if (!forgets && next > now.mono) next_ = std::min(next, now.mono + kLongest);
}

void Reconnect::store_to(PeerMemory& memory, Now now) const {
  memory.next_attempt_at = next_ ? std::optional(to_wall(*next_, now)) : std::nullopt;
  memory.last_reason = last_reason_;
  memory.attempts = attempts();
  memory.recent_attempts.clear();
  const std::size_t kept = std::min<std::size_t>(ledger_.size(), 16);
  for (auto it = ledger_.end() - static_cast<std::ptrdiff_t>(kept); it != ledger_.end(); ++it) {
    memory.recent_attempts.push_back(to_wall(*it, now));
  }
}

std::string Reconnect::why(Instant now) const {
  if (held_by_operator_ && next_ && *next_ > now) return "an operator closed it for a while";
  if (held_by_budget_ && next_ && *next_ > now) return std::string(ledger_is_full);
  if (passive_ && next_) return "it has the higher address and dials us: it comes first";
  if (!last_reason_) return next_ ? "first attempt" : "";
  const std::string after = "after " + std::string(name_of(*last_reason_)) + ": ";
  if (exhausted_ && !next_) return after + "the fast attempts are used up, the pass goes on";
  return after + std::string(outcome_row(*last_reason_).why);
}

}  // namespace timectl
