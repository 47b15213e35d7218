#pragma once
// ChainWorker: the thread that verifies and stores blocks, so that no pong waits for a hash or a
// disk. It owns the ChainFile that writes; tasks are done one after another, in the order given.
// What comes of them is posted to the network thread.

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

#include "daemon/wire/arena.h"
#include "store/chain_file.h"

namespace timectl {

class ChainWorker {
 public:
  // Runs on the worker's thread; what it returns, if anything, runs on the network's.
  using After = std::function<void()>;
  using Task = std::function<After(store::ChainFile& file, wire::Arena& arena)>;
  using Post = std::function<void(After)>;

  ChainWorker(store::ChainFile file, Post post);
  // Finishes the tasks that were given, without telling what came of them.
  ~ChainWorker();
  ChainWorker(const ChainWorker&) = delete;
  ChainWorker& operator=(const ChainWorker&) = delete;

  void give(Task task);

 private:
  void work(const std::stop_token& stop);

  store::ChainFile file_;
  Post post_;
  std::mutex mutex_;
  std::condition_variable_any given_;
  std::deque<Task> tasks_;
  std::jthread thread_;
};

}  // namespace timectl
