#include "cmd/sync_progress.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "cmd/sync_verdict.h"
#include "cmd/table.h"

namespace timectl::cmd {
namespace {

constexpr std::string_view kRedraw = "\r\x1b[K";  // to the line's beginning, and clear it
constexpr std::size_t kWidestBar = 40;
constexpr std::size_t kNarrowestBar = 10;

// What a program wants to hear of; speed and time left change always.
auto news_of(const SyncStatusView& view) {
  return std::tuple(view.height, view.best_height, view.claimed_height, view.activity,
                    view.activity_because, view.forks, view.network_stalled, view.clock_doubted,
                    view.best_height ? std::string() : view.ground);
}

// What is wrong around us, behind the sentence.
std::string line_of(const SyncStatusView& view) {
  std::string line = sentence_of(view).text();
  if (view.forks > 0) line += view.forks == 1 ? "; a fork is open" : "; forks are open";
  if (view.network_stalled) line += "; the network stands still";
  if (view.clock_doubted) line += "; this machine's clock may be slow";
  return line;
}

// The same without what changes all the time: a reader of lines is not told the same twice.
std::string steady_line_of(SyncStatusView view) {
  view.blocks_per_minute.reset();
  view.eta_seconds.reset();
  return line_of(view);
}

// Of the whole chain; 100 % only when nothing is missing.
double share_of(const SyncStatusView& view) {
  const auto height = static_cast<double>(*view.height);
  const auto best = static_cast<double>(std::max<std::uint64_t>(*view.best_height, 1));
  return *view.height >= *view.best_height ? 1.0 : std::min(height / best, 0.999);
}

}  // namespace

void Pace::add(Instant at, std::uint64_t height) {
  if (!samples_.empty() && height < samples_.back().height) samples_.clear();
  samples_.push_back({at, height});
  while (samples_.size() > kMostSamples || samples_.front().at + kWindow < at) samples_.pop_front();
}

std::optional<double> Pace::blocks_per_minute() const {
  if (samples_.empty()) return {};
  const auto span = samples_.back().at - samples_.front().at;
  const auto blocks = samples_.back().height - samples_.front().height;
  if (span < kYoung || blocks == 0) return {};
  return static_cast<double>(blocks) * 60 / seconds(span);
}

void SyncWatch::on_status(const SyncStatusView& view, Now now) {
  changed_ = !seen_ || news_of(view) != news_of(view_);
  seen_ = true;
  view_ = view;
  if (!view.height) return;
  pace_.add(now.mono, *view.height);
  if (const auto pace = pace_.blocks_per_minute()) view_.blocks_per_minute = *pace;
  if (view_.blocks_per_minute && *view_.blocks_per_minute > 0 && view_.lag_blocks) {
    view_.eta_seconds = static_cast<double>(*view_.lag_blocks) * 60 / *view_.blocks_per_minute;
  }
}

std::string SyncWatch::bar_line(const Output& out) const {
  const std::size_t width = out.width() - 1;  // the last column would wrap
  if (verdict() != control::SyncVerdict::behind) {
    const auto sentence = sentence_of(view_);
    const auto line = cut(line_of(view_), width);
    if (!line.starts_with(sentence.head)) return line;
    return out.paint(sentence.paint, sentence.head) + line.substr(sentence.head.size());
  }
  const double share = share_of(view_);
  std::string text = fmt::format(" {:.1f} %  {} of {}", std::min(share * 100, 99.9),
                                 grouped(*view_.height), grouped(*view_.best_height));
  if (view_.activity == SyncActivity::syncing) {
    if (view_.blocks_per_minute) text += "  " + rate_text(*view_.blocks_per_minute);
    if (view_.eta_seconds) text += "  " + about(*view_.eta_seconds) + " left";
  } else {
    text += "  " + std::string(activity_row(view_.activity).phrase);
    if (!view_.activity_because.empty()) text += ": " + printable(view_.activity_because, 200);
  }
  constexpr std::size_t kBrackets = 2;
  text = cut(text, width - kBrackets - kNarrowestBar);
  const auto cells = std::min(width - kBrackets - display_width(text), kWidestBar);
  const auto full = static_cast<std::size_t>(share * static_cast<double>(cells));
  return "[" + out.paint(Paint::good, std::string(full, '#')) + std::string(cells - full, '.') +
         "]" + text;
}

std::string SyncWatch::next(const Output& out) {
  if (!seen_) return "";
  if (style_ == WatchStyle::terminal) {
    drawn_ = true;
    return std::string(kRedraw) + bar_line(out);
  }
  if (style_ == WatchStyle::json) return "";
  auto steady = steady_line_of(view_);
  if (steady == told_) return "";
  told_ = std::move(steady);
  return out.time(out.now().wall) + "  " + line_of(view_) + "\n";
}

std::string SyncWatch::end() const {
  return drawn_ ? "\n" : "";
}

}  // namespace timectl::cmd
