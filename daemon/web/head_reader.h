#pragma once
// Takes the bytes of one connection apart into heads of requests, by Boost.Beast's parser. Bounded:
// a head that is longer than the limit, or no HTTP, is a status to refuse it with. What follows a
// head (the next request of a client that does not wait) stays for the next one.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "daemon/web/request.h"

namespace timectl::web {

class HeadReader {
 public:
  explicit HeadReader(std::size_t limit);
  ~HeadReader();
  HeadReader(const HeadReader&) = delete;
  HeadReader& operator=(const HeadReader&) = delete;

  enum class State : std::uint8_t { more, whole, bad };
  // With the bytes that came; none: with what is there already.
  [[nodiscard]] State take(std::string_view bytes);
  [[nodiscard]] unsigned status() const { return status_; }  // of bad
  [[nodiscard]] bool begun() const { return !pending_.empty(); }

  // Of whole, until the next(): the head, and whether the client wants the connection to stay.
  [[nodiscard]] Head head() const;
  [[nodiscard]] bool keep_alive() const;
  void next();

 private:
  struct Parser;
  std::size_t limit_;
  std::string pending_;
  std::unique_ptr<Parser> parser_;
  unsigned status_ = 400;
};

}  // namespace timectl::web
