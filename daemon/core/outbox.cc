#include "daemon/core/outbox.h"

#include <algorithm>
#include <utility>

#include "daemon/core/events.h"
#include "daemon/core/reflect.h"

namespace timectl {
namespace {

constexpr std::size_t kMaxSaid = 100;  // sentences of one turn

std::string name_of_alert(const AlertMessage& message) {
  return std::string(name_of(message.rule)) + (message.object.empty() ? "" : " " + message.object) +
         " (alert " + std::to_string(message.alert) + ", " + std::string(name_of(message.kind)) +
         ")";
}

// Of those that wait: a digest alone, and what is before the next digest as usual.
std::size_t parcel_size(const std::vector<MessagePointer>& waiting, std::size_t most) {
  std::size_t size = 0;
  while (size < waiting.size() && size < most) {
    const auto run = alike_from(waiting, size);
    if (run >= kDigestFrom) return size == 0 ? run : size;
    size += run;
  }
  return std::min(size, most);
}

}  // namespace

void Outbox::load(Stored stored) {
  for (auto& message : stored.messages) {
    next_ = std::max(next_, message.number + 1);
    messages_.push_back(std::make_shared<const AlertMessage>(std::move(message)));
  }
  for (auto& sink : stored.sinks) {
    next_ = std::max(next_, sink.done + 1);
    auto name = sink.name;
    loaded_.insert_or_assign(std::move(name), std::move(sink));
  }
  for (auto& delivery : stored.deliveries) {
    next_ = std::max(next_, delivery.number + 1);
    auto sink = delivery.sink;
    deliveries_[delivery.alert].insert_or_assign(std::move(sink), std::move(delivery));
  }
  stored_ = next_ - 1;
}

void Outbox::set_sinks(std::vector<SinkChoice> sinks, Now now) {
  auto before = std::exchange(sinks_, {});
  auto loaded = std::exchange(loaded_, {});
  for (auto& choice : sinks) {
    const auto name = choice.name;
    auto& sink = sinks_[name];
    if (const auto known = before.find(name); known != before.end()) {
      const auto every = known->second.choice.every;
      sink = std::move(known->second);
      if (every != choice.every) sink.beat = now.mono;
      // Whoever changed the configuration wants to know whether it helped.
      sink.due = std::min(sink.due, now.mono);
      before.erase(known);
    } else if (const auto stored = loaded.find(name); stored != loaded.end()) {
      sink.state = std::move(stored->second);
      sink.due = now.mono;
      if (sink.state.next_at) {
        // By a clock that was set meanwhile it might be years.
        const auto wait =
            std::clamp<Duration>(*sink.state.next_at - now.wall, Duration{0}, kLongestWish);
        sink.due += wait;
      }
      sink.beat = sink.due;
      loaded.erase(stored);
      sink.choice = choice;
      for (auto at = after(sink.state.done); at != messages_.end(); ++at) {
        if (wants(sink, **at)) wait_for(sink, **at);
      }
    } else {
      sink.state.name = name;
      sink.state.done = next_ - 1;
      sink.due = sink.beat = now.mono;
      dirty_sinks_.insert(name);
      new_sinks_.push_back(name);
    }
    sink.choice = std::move(choice);
    gone_sinks_.erase(name);
  }
  for (const auto& [name, sink] : before) {
    const auto lost = std::count_if(after(sink.state.done), messages_.cend(),
                                    [&](const auto& message) { return wants(sink, *message); });
    tell_lost(name, static_cast<std::size_t>(lost), "");
    gone_sinks_.insert(name);
  }
  for (const auto& [name, state] : loaded) {  // which of them it wanted went with it
    tell_lost(name, static_cast<std::size_t>(messages_.cend() - after(state.done)), "up to ");
    gone_sinks_.insert(name);
  }
  for (const auto& name : gone_sinks_) {
    dirty_sinks_.erase(name);
    for (auto& [alert, deliveries] : deliveries_) deliveries.erase(name);
    std::erase_if(dirty_deliveries_, [&](const auto& key) { return key.second == name; });
  }
  drop_done();
}

void Outbox::tell_lost(const std::string& name, std::size_t count, const std::string& how_many) {
  if (count == 0 || said_.size() >= kMaxSaid) return;
  said_.push_back("alert sink " + name + " is no longer configured: " + how_many +
                  std::to_string(count) + " " + (count == 1 ? "message" : "messages") +
                  " that waited for it " + (count == 1 ? "is" : "are") +
                  " lost; `timectl alerts` shows what is open");
}

bool Outbox::wants(const Sink& sink, const AlertMessage& message) {
  if (!message.to.empty() && message.to != sink.choice.name) return false;
  return sink.choice.messages && message.severity <= sink.choice.mildest &&
         sink.choice.rules.contains(message.rule);
}

std::deque<MessagePointer>::const_iterator Outbox::after(std::uint64_t number) const {
  return std::upper_bound(messages_.begin(), messages_.end(), number,
                          [](std::uint64_t n, const auto& message) { return n < message->number; });
}

// Not to be stored: that the message is there says that it waits.
void Outbox::wait_for(const Sink& sink, const AlertMessage& message) {
  const auto& name = sink.choice.name;
  deliveries_[message.alert].insert_or_assign(
      name, SinkDelivery{
                .alert = message.alert, .sink = name, .number = message.number, .at = message.at});
  dirty_deliveries_.erase({message.alert, name});
}

void Outbox::put(AlertMessage message, Now now) {
  const bool wanted = std::any_of(sinks_.begin(), sinks_.end(),
                                  [&](const auto& sink) { return wants(sink.second, message); });
  if (!wanted) return;
  message.number = next_++;
  for (const auto& [name, sink] : sinks_) {
    if (wants(sink, message)) wait_for(sink, message);
  }
  messages_.push_back(std::make_shared<const AlertMessage>(std::move(message)));
  bound(now);
}

void Outbox::forget_alert(std::uint64_t alert) {
  if (deliveries_.erase(alert) == 0) return;
  dirty_deliveries_.erase(dirty_deliveries_.lower_bound({alert, ""}),
                          dirty_deliveries_.lower_bound({alert + 1, ""}));
  forgotten_.push_back(alert);
}

void Outbox::fill(Sink& sink, bool unsaved, Parcel& parcel) {
  auto at = after(sink.state.done);
  // What it does not want is behind it without a word.
  for (; at != messages_.end() && !wants(sink, **at); ++at) {
    sink.state.done = (*at)->number;
    dirty_sinks_.insert(sink.state.name);
  }
  const bool alone = sink.state.done < sink.alone_until;
  const std::size_t most = alone ? 1 : std::max<std::size_t>(sink.choice.batch, 1);
  const bool digests = sink.choice.digests && !alone;
  parcel.messages = next_for(sink, unsaved, digests ? std::max(most, kMaxDigest) : most);
  if (digests) parcel.messages.resize(parcel_size(parcel.messages, most));
}

std::vector<MessagePointer> Outbox::next_for(const Sink& sink, bool unsaved,
                                             std::size_t most) const {
  std::vector<MessagePointer> next;
  for (auto at = after(sink.state.done); at != messages_.end() && next.size() < most; ++at) {
    if ((*at)->number > stored_ && !unsaved) break;
    if (wants(sink, **at)) next.push_back(*at);
  }
  return next;
}

std::vector<Parcel> Outbox::take_due(Now now, bool unsaved) {
  std::vector<Parcel> parcels;
  for (auto& [name, sink] : sinks_) {
    if (sink.busy || now.mono < sink.due) continue;
    Parcel parcel{name, {}};
    fill(sink, unsaved, parcel);
    const bool beat = sink.choice.every > Duration{0} && now.mono >= sink.beat;
    if (parcel.messages.empty() && !beat) continue;
    sink.busy = true;
    sink.sent = parcel.messages;
    parcels.push_back(std::move(parcel));
  }
  drop_done();
  return parcels;
}

void Outbox::take_done(Sink& sink, DeliveryState state, const std::string& error, Now now) {
  for (const auto& message : sink.sent) {
    sink.state.done = std::max(sink.state.done, message->number);
    const auto alert = deliveries_.find(message->alert);
    if (alert == deliveries_.end()) continue;
    const auto delivery = alert->second.find(sink.state.name);
    // A later message about the same alert waits behind this one.
    if (delivery == alert->second.end() || delivery->second.number != message->number) continue;
    delivery->second.state = state;
    delivery->second.at = now.wall;
    delivery->second.attempts = sink.state.attempts + 1;
    delivery->second.error = error;
    dirty_deliveries_.insert({message->alert, sink.state.name});
  }
}

void Outbox::give_up(Sink& sink, const AlertMessage& message, const std::string& why, Now now) {
  ++sink.state.given_up;
  if (said_.size() < kMaxSaid) {
    said_.push_back("alert sink " + sink.state.name + ": " + name_of_alert(message) +
                    " is given up: " + why);
  }
  sink.sent = {std::make_shared<const AlertMessage>(message)};
  dirty_sinks_.insert(sink.state.name);
  take_done(sink, DeliveryState::failed, why, now);
}

void Outbox::count_failure(Sink& sink, const SendOutcome& outcome, Now now) {
  auto& state = sink.state;
  state.error = printable(outcome.error, kMaxError);
  if (!state.failing_since) {
    state.failing_since = now.wall;
    if (said_.size() < kMaxSaid) {
      said_.push_back("alert sink " + state.name + " fails: " + state.error +
                      "; it is tried again, nothing is lost");
    }
  }
  // 2^8 s is more than the longest wait.
  const auto doublings = std::min<std::uint64_t>(state.attempts, 9);
  ++state.attempts;
  auto wait = std::min<Duration>(kFirstWait * (1LL << doublings), kLongestWait);
  const double by = 1 + kJitter * (2 * random_.unit() - 1);
  wait = Duration(static_cast<Duration::rep>(static_cast<double>(wait.count()) * by));
  if (sink.choice.every > Duration{0}) wait = std::min(wait, sink.choice.every);
  if (outcome.retry_after) wait = std::max(wait, std::min(*outcome.retry_after, kLongestWish));
  sink.due = now.mono + wait;
  sink.beat = sink.due;
  state.next_at = now.wall + std::chrono::duration_cast<std::chrono::milliseconds>(wait);
  dirty_sinks_.insert(state.name);
}

void Outbox::on_outcome(const std::string& name, const SendOutcome& outcome, Now now) {
  const auto found = sinks_.find(name);
  if (found == sinks_.end() || !found->second.busy) return;  // it is gone meanwhile
  auto& sink = found->second;
  auto& state = sink.state;
  sink.busy = false;
  if (outcome.result == SendResult::interrupted) return sink.sent.clear();
  if (outcome.result == SendResult::delivered) {
    if (state.failing_since && said_.size() < kMaxSaid) {
      said_.push_back("alert sink " + name + " works again after " +
                      human_duration(now.wall - *state.failing_since));
    }
    // That a sign of life was heard is no news.
    if (!sink.sent.empty() || state.failing_since) dirty_sinks_.insert(name);
    take_done(sink, DeliveryState::delivered, "", now);
    state.attempts = state.given_up = sink.refusals = 0;
    state.failing_since.reset();
    state.next_at.reset();
    state.error.clear();
    sink.due = now.mono;
    // Messages do not put it off: a receiver of both wants to hear of the others.
    if (sink.sent.empty()) sink.beat = now.mono + sink.choice.every;
    sink.sent.clear();
    return drop_done();
  }
  const auto sent = std::exchange(sink.sent, {});
  const bool refused = outcome.result == SendResult::refused && !sent.empty();
  if (refused && sent.size() > 1) {
    sink.alone_until = sent.back()->number;  // to find which
    sink.refusals = 0;
  } else if (refused && ++sink.refusals >= kRefusals) {
    give_up(sink, *sent.front(), printable(outcome.error, kMaxError), now);
    sink.sent.clear();
    sink.refusals = 0;
    drop_done();
  }
  count_failure(sink, outcome, now);
}

void Outbox::drop_done() {
  std::uint64_t done = next_ - 1;
  for (const auto& [name, sink] : sinks_) {
    if (sink.choice.messages) done = std::min(done, sink.state.done);
  }
  while (!messages_.empty() && messages_.front()->number <= done) messages_.pop_front();
}

// The newest are worth more than the oldest, of which the log and the history have each anyway.
void Outbox::bound(Now now) {
  while (messages_.size() > kMaxWaiting) {
    const auto oldest = messages_.front();
    messages_.pop_front();
    for (auto& [name, sink] : sinks_) {
      if (sink.state.done >= oldest->number) continue;
      if (!wants(sink, *oldest)) {
        sink.state.done = oldest->number;
        continue;
      }
      const auto sent = std::exchange(sink.sent, {});
      const auto said = said_.size();
      give_up(sink, *oldest, "more than " + std::to_string(kMaxWaiting) + " wait", now);
      if (sink.state.given_up > 1) said_.resize(said);  // the first is told, the others counted
      sink.sent = sent;
    }
  }
}

Outbox::Changes Outbox::unsaved() const {
  Changes changes;
  for (auto at = after(stored_); at != messages_.end(); ++at) changes.messages.push_back(*at);
  changes.done = messages_.empty() ? next_ - 1 : messages_.front()->number - 1;
  for (const auto& name : dirty_sinks_) {
    if (const auto sink = sinks_.find(name); sink != sinks_.end()) {
      changes.sinks.push_back(sink->second.state);
    }
  }
  changes.gone_sinks.assign(gone_sinks_.begin(), gone_sinks_.end());
  for (const auto& [alert, name] : dirty_deliveries_) {
    const auto of_alert = deliveries_.find(alert);
    if (of_alert == deliveries_.end()) continue;
    const auto delivery = of_alert->second.find(name);
    if (delivery != of_alert->second.end()) changes.deliveries.push_back(delivery->second);
  }
  changes.forgotten = forgotten_;
  return changes;
}

void Outbox::saved() {
  stored_ = next_ - 1;
  dirty_sinks_.clear();
  gone_sinks_.clear();
  dirty_deliveries_.clear();
  forgotten_.clear();
}

std::vector<SinkDelivery> Outbox::deliveries_of(std::uint64_t alert) const {
  std::vector<SinkDelivery> found;
  const auto of_alert = deliveries_.find(alert);
  if (of_alert == deliveries_.end()) return found;
  for (const auto& [name, delivery] : of_alert->second) {
    auto shown = delivery;
    const auto sink = sinks_.find(name);
    if (shown.state == DeliveryState::waiting && sink != sinks_.end()) {
      shown.attempts = sink->second.state.attempts;
      shown.error = sink->second.state.error;
    }
    found.push_back(std::move(shown));
  }
  return found;
}

std::optional<Outbox::SinkView> Outbox::sink(const std::string& name) const {
  const auto found = sinks_.find(name);
  if (found == sinks_.end()) return std::nullopt;
  SinkView view{found->second.state, 0};
  for (auto at = after(view.state.done); at != messages_.end(); ++at) {
    if (wants(found->second, **at)) ++view.waiting;
  }
  return view;
}

std::vector<Outbox::SinkView> Outbox::failing() const {
  std::vector<SinkView> views;
  for (const auto& [name, known] : sinks_) {
    if (known.state.failing_since) views.push_back(*sink(name));
  }
  return views;
}

}  // namespace timectl
