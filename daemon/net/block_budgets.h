#pragma once
// What blocks cost beyond the budgets of TransportPolicy, which are for small talk: bytes that we
// asked for must not count as a flood, and an answer of 50 blocks must not count as a peer that
// does not read. Session keeps one of each and asks before it counts, answers or queues. Pure.
//
// Promises: a peer gets no more than one frame free for each GetBlocks that we sent, and only until
// the answer is there; of what we serve, one frame a peer is held and `limit` bytes over all peers.

#include <cstddef>

#include "daemon/core/time.h"

namespace timectl::net {

// The bytes of an answer that we wait for.
class AskedBytes {
 public:
  // A GetBlocks has left; its answer has at most `most` bytes. While another is outstanding it
  // gives nothing: the protocol has one answer at a time.
  void asked(std::size_t most, Instant now);
  void answered() { left_ = 0, outstanding_ = false; }
  // How many of these bytes nobody asked for.
  [[nodiscard]] std::size_t unasked(std::size_t bytes, Instant now);

 private:
  void forget_old(Instant now);

  bool outstanding_ = false;
  std::size_t left_ = 0;
  Instant since_{};
};

// What all sessions together hold of answers with blocks that have not left yet.
class ServedPool {
 public:
  explicit ServedPool(std::size_t limit) : limit_(limit) {}
  [[nodiscard]] bool room(std::size_t bytes) const { return bytes <= limit_ - held_; }
  [[nodiscard]] std::size_t held() const { return held_; }

 private:
  friend class ServedBytes;
  std::size_t limit_;
  std::size_t held_ = 0;
};

// One session's share of it: one answer at a time.
class ServedBytes {
 public:
  explicit ServedBytes(ServedPool& pool) : pool_(pool) {}
  ~ServedBytes() { sent(); }
  ServedBytes(const ServedBytes&) = delete;
  ServedBytes& operator=(const ServedBytes&) = delete;

  // Whether an answer of `most` bytes may be made.
  [[nodiscard]] bool room(std::size_t most) const { return held_ == 0 && pool_.room(most); }
  // Takes the room, where there is any.
  [[nodiscard]] bool hold(std::size_t bytes, Instant now);
  void sent();
  // It has had a minute: who asks for blocks and does not take them blocks others.
  [[nodiscard]] bool overdue(Instant now) const;

 private:
  ServedPool& pool_;
  std::size_t held_ = 0;
  Instant since_{};
};

}  // namespace timectl::net
