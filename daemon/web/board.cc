#include "daemon/web/board.h"

#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>
#include <boost/json/value.hpp>
#include <utility>

namespace timectl::web {
namespace {

std::string quoted(std::string_view text) {
  return boost::json::serialize(boost::json::string(text));
}

std::string item_event(std::string_view key, const std::optional<std::string>& json) {
  std::string data = "{\"key\":" + quoted(key);
  if (json) data.append(",\"value\":").append(*json);
  data.push_back('}');
  return stream_event(json ? "put" : "drop", data);
}

}  // namespace

std::string stream_event(std::string_view name, std::string_view json) {
  std::string text;
  text.reserve(name.size() + json.size() + 17);
  return text.append("event: ").append(name).append("\ndata: ").append(json).append("\n\n");
}

void Board::changed(Items::iterator item) {
  if (item->second.version != 0) order_.erase(item->second.version);
  item->second.version = ++version_;
  order_.emplace(version_, item);
  frames_.clear();
}

bool Board::set(std::string_view key, std::string json) {
  auto item = items_.find(key);
  const bool known = item != items_.end() && item->second.json;
  if (known && *item->second.json == json) return true;
  const auto before = known ? item->second.json->size() : 0;
  if ((!known && size() >= kMostKeys) || bytes_ - before + json.size() > kMostBytes) {
    if (known) drop_item(item);
    return false;
  }
  if (item == items_.end()) item = items_.emplace(std::string(key), Item{}).first;
  if (!known && item->second.version != 0) --dropped_;
  bytes_ += json.size() - before;
  item->second.json = std::move(json);
  changed(item);
  return true;
}

void Board::drop(std::string_view key) {
  const auto item = items_.find(key);
  if (item != items_.end() && item->second.json) drop_item(item);
}

void Board::drop_others(std::string_view prefix,
                        const std::function<bool(std::string_view rest)>& keep) {
  // By name: dropping one may also forget others that were dropped long ago.
  for (const auto& key : keys(prefix)) {
    if (!keep(std::string_view(key).substr(prefix.size()))) drop(key);
  }
}

void Board::drop_item(Items::iterator item) {
  bytes_ -= item->second.json->size();
  item->second.json.reset();
  ++dropped_;
  changed(item);
  if (dropped_ > kMostDropped) forget_dropped();
}

// Half of them at once: walking the order costs the size of the board.
void Board::forget_dropped() {
  for (auto it = order_.begin(); it != order_.end() && dropped_ > kMostDropped / 2;) {
    const auto item = it->second;
    if (item->second.json) {
      ++it;
      continue;
    }
    forgotten_ = it->first;
    it = order_.erase(it);
    items_.erase(item);
    --dropped_;
  }
}

std::vector<std::string> Board::keys(std::string_view prefix) const {
  std::vector<std::string> found;
  for (auto it = items_.lower_bound(prefix); it != items_.end(); ++it) {
    if (!it->first.starts_with(prefix)) break;
    if (it->second.json) found.push_back(it->first);
  }
  return found;
}

std::optional<std::string> Board::value(std::string_view key) const {
  const auto item = items_.find(key);
  return item == items_.end() ? std::nullopt : item->second.json;
}

std::optional<Board::Frame> Board::next(std::uint64_t cursor) {
  if (cursor != 0 && cursor < forgotten_) return std::nullopt;
  if (cursor >= version_) return Frame{nullptr, cursor};
  if (const auto made = frames_.find(cursor); made != frames_.end()) return made->second;
  std::string text;
  Frame frame{nullptr, cursor};
  for (auto it = order_.upper_bound(cursor); it != order_.end(); ++it) {
    const auto& [key, item] = *it->second;
    if (!text.empty() && item.json && text.size() + item.json->size() > kFrameBytes) break;
    frame.cursor = it->first;
    // Who has nothing yet need not be told of what is gone.
    if (item.json || cursor != 0) text += item_event(key, item.json);
  }
  if (!text.empty()) frame.text = std::make_shared<const std::string>(std::move(text));
  if (frames_.size() < kMostFrames) frames_.emplace(cursor, frame);
  return frame;
}

}  // namespace timectl::web
