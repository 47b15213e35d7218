#include "daemon/sinks/worker.h"

#include <utility>

namespace timectl::sinks {

Worker::Worker(Done done)
    : done_(std::move(done)), thread_([this](const std::stop_token& stop) { run(stop); }) {}

void Worker::start(std::shared_ptr<const SinkTarget> target, Messages messages, WallTime now) {
  const std::lock_guard lock(mutex_);
  job_ = Job{std::move(target), std::move(messages), now};
  wake_.notify_one();
}

void Worker::stop() {
  thread_.request_stop();
}

void Worker::run(const std::stop_token& stop) {
  for (;;) {
    std::optional<Job> job;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, stop, [this] { return job_.has_value(); });
      job = std::exchange(job_, std::nullopt);
    }
    if (!job) break;  // stopped
    done_(stop.stop_requested() ? SendReport{{SendResult::interrupted, "the node stops"}}
                                : send(*job->target, job->messages, job->now, stop));
  }
  finished_ = true;
}

}  // namespace timectl::sinks
