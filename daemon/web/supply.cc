#include "daemon/web/supply.h"

#include <utility>

namespace timectl::web {

void Supply::ask(Duration now, Take take) {
  if (text_ && now - made_at_ < kFresh) return take(text_);
  text_.reset();
  const bool under_way = !waiting_.empty();
  waiting_.push_back(std::move(take));
  if (under_way) return;
  asked_at_ = now;
  question_();
}

void Supply::arrived(std::string text, Duration now) {
  text_ = std::make_shared<const std::string>(std::move(text));
  made_at_ = now;
  give(text_);
}

void Supply::tick(Duration now) {
  if (!waiting_.empty() && now - asked_at_ >= kPatience) give(nullptr);
  if (text_ && now - made_at_ >= kFresh) text_.reset();
}

void Supply::give(const Buffer& text) {
  for (const auto& take : std::exchange(waiting_, {})) take(text);
}

}  // namespace timectl::web
