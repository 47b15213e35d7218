#pragma once
// The board: what the page shows now, as texts by key, with the order in which they changed. Each
// stream (session.h) has a cursor, the version up to which it has been told, and asks for the next
// frame; so a client that reads slowly gets the newest value of each key once, and costs a number.
//
// Promises: bounded in keys and bytes; a frame of at most about kFrameBytes (one value may be
// larger), made once for all who are equally far.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace timectl::web {

using Buffer = std::shared_ptr<const std::string>;

class Board {
 public:
  static constexpr std::size_t kMostKeys = 4096;  // 500 masternodes, 500 alerts, 100 events
  static constexpr std::size_t kMostBytes = 16 * 1024 * 1024;
  static constexpr std::size_t kFrameBytes = 64 * 1024;
  static constexpr std::size_t kMostDropped = 1024;  // remembered keys that are gone
  static constexpr std::size_t kMostFrames = 32;     // kept for others who are equally far

  // `json` is one line. False: the board is full, and the key is not on it (any more).
  bool set(std::string_view key, std::string json);
  void drop(std::string_view key);
  // Drops every key that begins with `prefix` and whose rest `keep` does not want.
  void drop_others(std::string_view prefix, const std::function<bool(std::string_view rest)>& keep);

  [[nodiscard]] std::uint64_t version() const { return version_; }
  [[nodiscard]] std::size_t size() const { return items_.size() - dropped_; }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }
  [[nodiscard]] std::vector<std::string> keys(std::string_view prefix) const;  // in order
  [[nodiscard]] std::optional<std::string> value(std::string_view key) const;

  struct Frame {
    Buffer text;               // server-sent events; null: nothing is new
    std::uint64_t cursor = 0;  // after it
  };
  // What follows the cursor; 0 is a client that has nothing. None: the cursor is older than what is
  // remembered of dropped keys, so that the client must begin anew.
  [[nodiscard]] std::optional<Frame> next(std::uint64_t cursor);

 private:
  struct Item {
    std::uint64_t version = 0;
    std::optional<std::string> json = {};  // none: dropped
  };
  using Items = std::map<std::string, Item, std::less<>>;

  void drop_item(Items::iterator item);
  void changed(Items::iterator item);
  void forget_dropped();

  Items items_;
  std::map<std::uint64_t, Items::iterator> order_;
  std::map<std::uint64_t, Frame> frames_;  // by the cursor before; of this version of the board
  std::uint64_t version_ = 0;
  std::uint64_t forgotten_ = 0;  // the newest drop that is not remembered any more
  std::size_t dropped_ = 0;
  std::size_t bytes_ = 0;
};

// One event of a stream: "event: NAME", "data: JSON".
[[nodiscard]] std::string stream_event(std::string_view name, std::string_view json);

}  // namespace timectl::web
