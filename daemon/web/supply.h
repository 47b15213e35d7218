#pragma once
// Texts that somebody else makes when they are asked for (the overview, the history, the metrics):
// at most one question is under way, those who ask meanwhile share its answer, and for a moment
// after it so do the others. Used by the server, which owns the thread and the time.

#include <functional>
#include <string>
#include <vector>

#include "daemon/core/time.h"
#include "daemon/web/board.h"

namespace timectl::web {

class Supply {
 public:
  using Take = std::function<void(const Buffer& text)>;  // null: there was no answer in time

  // `question` asks, and does not wait.
  explicit Supply(std::function<void()> question) : question_(std::move(question)) {}

  void ask(Duration now, Take take);
  void arrived(std::string text, Duration now);
  void tick(Duration now);  // gives up on a question that nobody answers

 private:
  static constexpr Duration kFresh = std::chrono::seconds(1);
  static constexpr Duration kPatience = std::chrono::seconds(5);  // a node that answers takes 0.1 s

  void give(const Buffer& text);

  std::function<void()> question_;
  std::vector<Take> waiting_;  // at most one for each connection
  Buffer text_;
  Duration made_at_{};
  Duration asked_at_{};
};

}  // namespace timectl::web
