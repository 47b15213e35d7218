#pragma once
// The last link of an alert's way in a test: a plain HTTP server that answers 200 to every POST
// and keeps its body.

#include <atomic>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "tests/monitoring/tool_process.h"

namespace timectl::monitoring {

class WebhookReceiver {
 public:
  explicit WebhookReceiver(const std::string& address);
  ~WebhookReceiver();
  WebhookReceiver(const WebhookReceiver&) = delete;
  WebhookReceiver& operator=(const WebhookReceiver&) = delete;

  [[nodiscard]] const Place& place() const { return place_; }
  [[nodiscard]] std::vector<std::string> bodies() const;

 private:
  void serve();
  void take(int fd);

  int listener_ = -1;
  Place place_;
  mutable std::mutex mutex_;
  std::vector<std::string> bodies_;
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

}  // namespace timectl::monitoring
