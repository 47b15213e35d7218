#include "daemon/sink_keeper.h"

#include <algorithm>
#include <system_error>
#include <utility>

#include "daemon/core/events.h"
#include "daemon/core/json.h"
#include "daemon/sink_targets.h"
#include "daemon/sinks/bodies.h"
#include "store/outbox_table.h"

namespace timectl {

SinkKeeper::SinkKeeper(store::Database& database, std::uint64_t seed, Ways ways)
    : database_(database), gate_(database), outbox_(seed), ways_(std::move(ways)) {}

// All are asked to end before the first is waited for.
SinkKeeper::~SinkKeeper() {
  *alive_ = false;
  stop();
}

Result<void> SinkKeeper::open() {
  auto stored = store::load_outbox(database_);
  if (!stored) return stored.error();
  outbox_.load(std::move(*stored));
  return {};
}

void SinkKeeper::configure(const config::Config& config, Now now) {
  identity_ = identity_of(config);
  std::vector<SinkChoice> choices;
  std::map<std::string, Sink> next;
  choices_.clear();
  for (const auto& sink : config.alerts.sinks) {
    auto choice = choice_of(sink);
    choices_[sink.name] = choice;
    choices.push_back(std::move(choice));
    auto& kept = next[sink.name];
    kept.target = std::make_shared<const sinks::SinkTarget>(target_of(sink, identity_));
    if (const auto before = sinks_.find(sink.name); before != sinks_.end()) {
      // An attempt at what was wrong is not waited for. Its worker goes below, its report counts:
      // only with it the next attempt begins, by a new worker.
      if (*before->second.target == *kept.target) kept.worker = std::move(before->second.worker);
      kept.worker_number = before->second.worker_number;
    }
    if (!kept.target->broken.empty()) {
      ways_.log(Severity::error, "alert sink " + sink.name + ": " + kept.target->broken);
    }
  }
  for (auto& [name, sink] : sinks_) {
    if (!sink.worker) continue;
    sink.worker->stop();
    retired_.push_back(std::move(sink.worker));
  }
  sinks_ = std::move(next);
  outbox_.set_sinks(std::move(choices), now);
}

// What the receiver shall believe now: all that was told and is not over.
std::vector<MessagePointer> SinkKeeper::firing(const std::string& sink, const Alerts& alerts,
                                               Now now) const {
  std::vector<MessagePointer> messages;
  const auto choice = choices_.find(sink);
  if (choice == choices_.end()) return messages;
  for (const auto& alert : alerts.open()) {
    if (alert.state != AlertState::firing || !alert.told_at) continue;
    auto message = message_of(alert, identity_, now.wall);
    const bool wanted =
        message.severity <= choice->second.mildest && choice->second.rules.contains(message.rule);
    if (wanted) messages.push_back(std::make_shared<const AlertMessage>(std::move(message)));
  }
  return messages;
}

// A sink that is new hears what is open already. An Alertmanager does so every minute anyway.
void SinkKeeper::catch_up(const Alerts& alerts, Now now) {
  for (const auto& name : outbox_.take_new_sinks()) {
    const auto sink = sinks_.find(name);
    if (sink == sinks_.end() || sink->second.target->kind == SinkKind::alertmanager) continue;
    for (const auto& told : firing(name, alerts, now)) {
      const auto had = outbox_.deliveries_of(told->alert);
      const bool silent = alerts.silence_of(told->rule, told->object, now.wall) != nullptr;
      if (silent || std::ranges::find(had, name, &SinkDelivery::sink) != had.end()) continue;
      auto message = *told;
      message.to = name;
      outbox_.put(std::move(message), now);
    }
  }
}

void SinkKeeper::write_log(const Parcel& parcel, Now now) {
  for (const auto& message : parcel.messages) {
    ways_.log(message->severity, "alert message: " + sinks::json_body({message}, now.wall));
  }
}

void SinkKeeper::begin(Parcel parcel, const Alerts& alerts, Now now) {
  const auto found = sinks_.find(parcel.sink);
  if (found == sinks_.end()) return;
  auto& sink = found->second;
  if (sink.target->kind == SinkKind::log) {
    write_log(parcel, now);
    return outbox_.on_outcome(parcel.sink, {}, now);
  }
  if (parcel.messages.empty() && sink.target->kind == SinkKind::alertmanager) {
    parcel.messages = firing(parcel.sink, alerts, now);
  }
  try {
    if (!sink.worker) {
      const auto number = ++workers_made_;
      sink.worker_number = number;
      sink.worker =
          std::make_unique<sinks::Worker>([this, name = parcel.sink, number, post = ways_.post,
                                           alive = alive_](sinks::SendReport report) {
            post([this, name, number, alive, report = std::move(report)] {
              if (*alive) take(name, number, report);
            });
          });
    }
    sink.worker->start(sink.target, std::move(parcel.messages), now.wall);
    ++under_way_;
  } catch (const std::system_error& failure) {
    outbox_.on_outcome(parcel.sink,
                       {SendResult::failed, std::string("no thread: ") + failure.what()}, now);
  }
}

// The next parcel follows at once: what waits is not left to the tick.
void SinkKeeper::take(const std::string& sink, std::uint64_t worker,
                      const sinks::SendReport& report) {
  --under_way_;
  const auto now = ways_.now();
  const auto found = sinks_.find(sink);
  const bool present = found != sinks_.end() && found->second.worker_number == worker;
  if (present) outbox_.on_outcome(sink, report.outcome, now);
  // The tick tries again, and says what is wrong with the database.
  if (alerts_ != nullptr) (void)run(*alerts_, now);
}

void SinkKeeper::tell() {
  for (const auto& line : outbox_.take_said()) ways_.log(Severity::warning, line);
}

Result<void> SinkKeeper::run(const Alerts& alerts, Now now) {
  alerts_ = &alerts;
  std::erase_if(retired_, [](const auto& worker) { return worker->finished(); });
  const bool unwritable = gate_.failure().has_value();
  if (!stopped_) {
    catch_up(alerts, now);
    for (auto& parcel : outbox_.take_due(now, unwritable)) begin(std::move(parcel), alerts, now);
  }
  tell();
  if (!gate_.open(now)) return {};
  auto done = store::save_outbox(database_, outbox_.unsaved());
  if (done) outbox_.saved();
  return gate_.take(std::move(done), now);
}

void SinkKeeper::stop() {
  stopped_ = true;
  for (auto& [name, sink] : sinks_) {
    if (sink.worker) sink.worker->stop();
  }
}

}  // namespace timectl
