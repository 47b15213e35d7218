#include "daemon/chain_worker.h"

#include <utility>

namespace timectl {

ChainWorker::ChainWorker(store::ChainFile file, Post post)
    : file_(std::move(file)), post_(std::move(post)) {
  thread_ = std::jthread([this](const std::stop_token& stop) { work(stop); });
}

ChainWorker::~ChainWorker() {
  thread_.request_stop();
  thread_.join();
}

void ChainWorker::give(Task task) {
  {
    const std::lock_guard lock(mutex_);
    tasks_.push_back(std::move(task));
  }
  given_.notify_one();
}

void ChainWorker::work(const std::stop_token& stop) {
  wire::Arena arena;
  for (;;) {
    Task task;
    {
      std::unique_lock lock(mutex_);
      if (!given_.wait(lock, stop, [this] { return !tasks_.empty(); })) return;
      task = std::move(tasks_.front());
      tasks_.pop_front();
    }
    After after = task(file_, arena);
    if (after && !stop.stop_requested()) post_(std::move(after));
  }
}

}  // namespace timectl
