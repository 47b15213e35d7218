#pragma once
// Cuts a stream of bytes into lines, whatever stands in it: chunks of any size, LF or CR LF, no
// line end at all. A line over kMaxLine is handed on as its beginning, and the rest of it is
// dropped, so that memory stays bounded; both are counted. A line that lies whole in a chunk is
// not copied.

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace timectl::diagnose {

// The longest line that is read whole. timed's own are under 4 kB; journald's JSON of one is up to
// four times as long, with a kilobyte of fields.
inline constexpr std::size_t kMaxLine = 64UL * 1024;

class LineSplitter {
 public:
  // Calls on_line(line without its end, whether it was cut) for each line that ends in the chunk.
  template <class OnLine>
  void feed(std::string_view chunk, OnLine&& on_line) {
    while (!chunk.empty()) {
      const auto* end = static_cast<const char*>(std::memchr(chunk.data(), '\n', chunk.size()));
      const auto size =
          end == nullptr ? chunk.size() : static_cast<std::size_t>(end - chunk.data());
      const auto part = chunk.substr(0, size);
      if (end == nullptr) return keep(part);
      if (held_.empty() && !skipping_) {
        give(part, on_line);
      } else {
        keep(part);
        give_held(on_line);
      }
      chunk.remove_prefix(size + 1);
    }
  }
  // The end of the stream: a last line without an end is one, too.
  template <class OnLine>
  void finish(OnLine&& on_line) {
    if (!held_.empty()) give_held(on_line);
  }
  // What was read of an unfinished line belongs to a file that is gone.
  void forget() {
    held_.clear();
    skipping_ = false;
  }
  [[nodiscard]] bool unfinished() const { return !held_.empty(); }

 private:
  void keep(std::string_view part) {
    const auto room = kMaxLine + 1 - held_.size();  // one more, so that a cut line is seen as such
    held_.append(part.substr(0, room));
    skipping_ = held_.size() > kMaxLine;
  }
  template <class OnLine>
  void give_held(OnLine&& on_line) {
    give(held_, on_line);
    forget();
  }
  template <class OnLine>
  static void give(std::string_view line, OnLine&& on_line) {
    const bool cut = line.size() > kMaxLine;
    line = line.substr(0, kMaxLine);
    if (line.ends_with('\r')) line.remove_suffix(1);
    on_line(line, cut);
  }

  std::string held_;
  bool skipping_ = false;
};

}  // namespace timectl::diagnose
