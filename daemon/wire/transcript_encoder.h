// What `timectl wire encode` does, without the files: JSON lines in the form of TranscriptDecoder
// come in pieces of any size and go out as frames.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/wire/arena.h"
#include "daemon/wire/codec.h"

namespace timectl::wire {

class TranscriptEncoder {
 public:
  explicit TranscriptEncoder(std::uint32_t commit_count = current_commit)
      : commit_count_(commit_count) {}

  struct Output {
    std::vector<std::uint8_t> frames;
    std::vector<std::string> errors;  // "line 3: fields.height lacks ..."; for people
  };

  // Any part of the text. A line wants "variant" (a name) or "variant_index", and "fields";
  // "trailing_hex" is appended to the payload; other keys ("blocks", "txids", a vector's "name")
  // are what decode adds and are not read. Empty lines are skipped. A line may have 64 MiB.
  [[nodiscard]] Output feed(std::string_view chunk);

  // The end of the text: the last line needs no newline.
  [[nodiscard]] Output finish();

  // Whether any line gave no frame.
  [[nodiscard]] bool failed() const { return failed_; }

 private:
  void end_line(Output& output);
  // Empty, or what is wrong with the line.
  std::string encode_line(std::vector<std::uint8_t>& frames);

  std::uint32_t commit_count_;
  Arena arena_;
  std::string line_;
  std::uint64_t line_number_ = 0;
  bool overlong_ = false;
  bool failed_ = false;
};

}  // namespace timectl::wire
