#pragma once
// Counters: what happened since the node started, as numbers that only grow, for /metrics. Fed by
// the composition root with the same typed events, session records and notices from which the log,
// the history and the alerts derive, before anything is left out for being too much. Each is by a
// word of an enum, so their number is fixed and no stranger's address can add one. Deterministic.

#include <array>
#include <boost/describe/enumerators.hpp>
#include <cstdint>

#include "daemon/core/alerts.h"
#include "daemon/core/events.h"
#include "daemon/core/reflect.h"
#include "daemon/core/time.h"
#include "daemon/core/vocabulary.h"

namespace timectl::observe {

// Who a figure is about: a masternode is whitelisted (requirements).
enum class PeerRole : std::uint8_t { masternode, regular };
BOOST_DESCRIBE_ENUM(PeerRole, masternode, regular)

// A number for each word of an enum whose values count up from 0.
template <class Word>
class Tally {
 public:
  void add(Word word, std::uint64_t count = 1) { counts_.at(index(word)) += count; }
  [[nodiscard]] std::uint64_t operator[](Word word) const { return counts_.at(index(word)); }

 private:
  [[nodiscard]] static std::size_t index(Word word) { return static_cast<std::size_t>(word); }
  std::array<std::uint64_t,
             boost::mp11::mp_size<boost::describe::describe_enumerators<Word>>::value>
      counts_{};
};

class Counters {
 public:
  void on_event(const Event& event);
  void on_session(const SessionRecord& session);
  void on_notice(const AlertNotice& notice);
  // The loop came to work that was due so long ago; nothing where it was in time.
  void on_late(Duration late);

  [[nodiscard]] const Tally<EventKind>& events() const { return events_; }
  [[nodiscard]] const Tally<EndReason>& sessions_ended(PeerRole role) const;
  [[nodiscard]] const Tally<EndReason>& dial_failures(PeerRole role) const;
  // Of sessions that have ended, in bytes.
  [[nodiscard]] const Tally<PeerRole>& received() const { return received_; }
  [[nodiscard]] const Tally<PeerRole>& sent() const { return sent_; }
  [[nodiscard]] const Tally<NoticeKind>& notices(AlertRule rule) const;
  [[nodiscard]] Duration late() const { return late_; }

 private:
  template <class Word>
  using ByRole = std::array<Tally<Word>, 2>;

  Tally<EventKind> events_;
  ByRole<EndReason> sessions_ended_;
  ByRole<EndReason> dial_failures_;
  Tally<PeerRole> received_;
  Tally<PeerRole> sent_;
  std::array<Tally<NoticeKind>,
             boost::mp11::mp_size<boost::describe::describe_enumerators<AlertRule>>::value>
      notices_;
  Duration late_ = {};
};

}  // namespace timectl::observe
