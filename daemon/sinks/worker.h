#pragma once
// Worker: the thread of one sink. It sends one parcel after the other, so a sink that hangs holds
// up nobody else. Made, asked and destroyed by the node's thread; `done` is called in the worker's
// thread and has to hand the report over. Destroying it ends what is under way within a second or
// two; finished() says that it can be destroyed without waiting.

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "daemon/sinks/send.h"

namespace timectl::sinks {

class Worker {
 public:
  using Done = std::function<void(SendReport)>;

  explicit Worker(Done done);  // throws std::system_error where no thread is to be had
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // One at a time: `done` comes before the next.
  void start(std::shared_ptr<const SinkTarget> target, Messages messages, WallTime now);
  void stop();  // what is under way ends soon
  [[nodiscard]] bool finished() const { return finished_; }

 private:
  struct Job {
    std::shared_ptr<const SinkTarget> target;
    Messages messages;
    WallTime now;
  };
  void run(const std::stop_token& stop);

  Done done_;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::optional<Job> job_;
  std::atomic<bool> finished_ = false;
  std::jthread thread_;  // last: it ends before what it uses
};

}  // namespace timectl::sinks
