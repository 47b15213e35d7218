#pragma once
// The addresses of time servers that have names. getaddrinfo() cannot be interrupted, so each name
// is looked up in a detached thread that outlives a round which has run out of time, and ends when
// the resolver does (half a minute at most by resolv.conf's defaults); no more than 16 of them live
// at once. getaddrinfo_a() keeps such a thread, too, and its memory besides. Used by sntp.cc alone.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "daemon/net/tcp.h"

namespace timectl::probe {

class NameLookup {
 public:
  // Begins at once; `names` and their ports in the order of the answers.
  explicit NameLookup(const std::vector<std::pair<std::string, std::uint16_t>>& names);

  [[nodiscard]] int fd() const;  // readable when an answer has come; take() makes it unreadable
  struct Found {
    std::size_t name = 0;  // by its place
    net::Endpoint at = {};
  };
  [[nodiscard]] std::vector<Found> take();
  [[nodiscard]] bool done() const;  // every lookup has ended

 private:
  struct Shared;
  std::shared_ptr<Shared> shared_;
};

}  // namespace timectl::probe
