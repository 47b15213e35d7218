#pragma once
// Alerts: which conditions are worth telling, and when. The keeper (daemon/alert_keeper.h) gives it
// all that holds now at each evaluation; it says what to tell, once each, and what to store. An
// alert is its rule and its object, never its text. Deterministic: no clock, no database.
//
// A condition that holds for its rule's `hold` fires; one that is gone for `clear` is resolved. It
// may come and go: what it held adds up until it was gone for `clear`, and a gap takes away its
// share of that, so that no rhythm of a connection keeps an alert from being told. It is told when
// it fires and when it is resolved, and a resolution only of what was told. One that fires for the
// third time within an hour flaps: that is told once, and its end only after it was quiet for
// kFlapClear. One that follows from another alert that fires (`behind`) waits until that is
// resolved, and then has its whole hold time anew; where the other is pending it waits to be told
// in its place for the other's hold time, and no longer. What is about the node as a whole always
// finds room. A silence keeps the state and tells nothing that is new; an acknowledged alert is not
// repeated. What load() restores is neither told again nor forgotten.

#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>
#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "daemon/core/alert_rules.h"
#include "daemon/core/result.h"
#include "daemon/core/time.h"

namespace timectl {

// What holds now. `object`: an address or a height; empty where the rule is about the node.
struct AlertCondition {
  AlertRule rule = AlertRule::database_unwritable;
  std::string object = {};
  std::string text = {};               // the sentence for people; may change at any time
  std::optional<WallTime> since = {};  // where it is known
  std::string brief = {};              // a clause for the summary of `status`; may be empty
  std::string label = {};              // of the object, where the operator gave it one
};

// One evaluation: of each rule in `known` everything that holds. What is not known stays as it is.
struct AlertLook {
  std::vector<AlertCondition> holding = {};
  AlertRules known = AlertRules::all();
  AlertRules disabled = {};  // alerts.disabled_rules: nothing is raised, what is open is resolved
  // What is no longer there to be watched (a peer that left the whitelist), and the sentence that
  // says so: what is open of it is resolved at once.
  std::map<std::pair<AlertRule, std::string>, std::string> moot = {};
};

// The same without what follows from another of them, in the same order: for those who show what
// holds now.
[[nodiscard]] std::vector<AlertCondition> without_consequences(std::vector<AlertCondition> all);

enum class AlertState : std::uint8_t { pending, firing, resolved };
BOOST_DESCRIBE_ENUM(AlertState, pending, firing, resolved)

struct Alert {
  std::uint64_t id = 0;  // ascending, of each firing its own; 0: pending
  AlertRule rule = AlertRule::database_unwritable;
  std::string object = {};
  AlertState state = AlertState::pending;
  std::string text = {};
  WallTime since = {};  // the condition began
  std::optional<WallTime> fired_at = {};
  std::optional<WallTime> cleared_at = {};  // the condition is gone, its end is not said yet
  std::optional<WallTime> resolved_at = {};
  std::optional<WallTime> told_at = {};     // last; none: nobody was told, so nor will be the end
  std::uint64_t firings = 0;                // since flap_since
  std::optional<WallTime> flap_since = {};  // the first firing of the hour that is counted
  bool flapping = false;
  std::string acked_by = {};
  std::optional<WallTime> acked_at = {};
  std::string label = {};  // the object's; not stored, the next look brings it back
  friend bool operator==(const Alert&, const Alert&) = default;
};
BOOST_DESCRIBE_STRUCT(Alert, (),
                      (id, rule, object, state, text, since, fired_at, cleared_at, resolved_at,
                       told_at, firings, flap_since, flapping, acked_by, acked_at))

// Of a rule, or of one object of it. A later one for the same takes its place.
struct AlertSilence {
  AlertRule rule = AlertRule::database_unwritable;
  std::optional<std::string> object = {};
  std::string by = {};
  std::string why = {};
  WallTime from = {};
  WallTime until = {};
  friend bool operator==(const AlertSilence&, const AlertSilence&) = default;
};
BOOST_DESCRIBE_STRUCT(AlertSilence, (), (rule, object, by, why, from, until))

enum class NoticeKind : std::uint8_t { fired, resolved, repeated, flapping };
BOOST_DESCRIBE_ENUM(NoticeKind, fired, resolved, repeated, flapping)

// What the sinks are to tell: the alert as it was then.
struct AlertNotice {
  NoticeKind kind = NoticeKind::fired;
  Alert alert = {};
  std::string moot = {};  // resolved because there is nothing to watch any more: the sentence
};

class Alerts {
 public:
  // Of single peers, as many as the whitelist has entries; what is about the node comes on top: a
  // few dozen, its rules, its sinks and its forks.
  static constexpr std::size_t kMaxOpen = 10'000;
  static constexpr std::size_t kMaxResolved = 1000;  // kept to be shown
  static constexpr std::size_t kMaxSilences = 1000;
  static constexpr std::uint64_t kFlapFirings = 3;  // the third firing within...
  static constexpr Duration kFlapWindow = std::chrono::hours(1);
  static constexpr Duration kFlapClear = std::chrono::minutes(15);

  // What was stored: firing and resolved ones. Before the first evaluation.
  void load(std::vector<Alert> alerts, std::vector<AlertSilence> silences, Now now);
  void evaluate(const AlertLook& look, Now now);

  // To be told, oldest first, each once.
  [[nodiscard]] std::vector<AlertNotice> take_notices() { return std::exchange(notices_, {}); }
  // To be stored: those that changed since saved(), and the ids of those that are forgotten.
  struct Unsaved {
    std::vector<Alert> alerts = {};
    std::vector<std::uint64_t> forgotten = {};
  };
  [[nodiscard]] Unsaved unsaved() const;
  void saved() { dirty_.clear(), forgotten_.clear(); }

  // An operator's word is planned, stored and then put. Errors: not_found (no such id),
  // invalid_argument (resolved already).
  [[nodiscard]] Result<Alert> plan_acknowledge(std::uint64_t id, const std::string& by,
                                               WallTime at) const;
  // invalid_argument: there are kMaxSilences of them, or it is over before it begins.
  [[nodiscard]] Result<void> check_silence(const AlertSilence& silence) const;
  void put_acknowledged(const Alert& planned);  // does nothing where it was resolved meanwhile
  void put_silence(const AlertSilence& silence);

  // Open ones by rule and object, the pending ones, too; then resolved ones, the newest first.
  [[nodiscard]] std::vector<Alert> open() const;
  [[nodiscard]] std::vector<Alert> resolved() const;
  // Those of open() without a copy: they may be thousands.
  template <class Visit>
  void each_open(Visit&& visit) const {
    for (const auto& [key, entry] : open_) visit(entry.alert);
  }
  [[nodiscard]] const Alert* find(AlertRule rule, const std::string& object) const;
  [[nodiscard]] const AlertSilence* silence_of(AlertRule rule, const std::string& object,
                                               WallTime at) const;
  // The alert that fires and hides this one, none where it is said.
  [[nodiscard]] const Alert* cause_of(AlertRule rule, const std::string& object) const;
  [[nodiscard]] std::vector<AlertSilence> silences() const;  // also those that are over
  // Conditions of the last evaluation for which there was no room.
  [[nodiscard]] std::size_t left_out() const { return left_out_; }

 private:
  using Key = std::pair<AlertRule, std::string>;
  struct Entry {
    Alert alert = {};
    Instant since = {};  // pending: last counted; firing: last told
    Duration held = {};  // pending: what counts for the hold time
    Instant clear = {};  // where it is cleared: from here
    bool holds = false;  // at the last evaluation
  };
  struct SilenceKey {
    AlertRule rule;
    std::optional<std::string> object;
    auto operator<=>(const SilenceKey&) const = default;
  };
  struct Flap {
    WallTime since;
    std::uint64_t firings = 0;
  };

  // What may hide the alerts of one rule, decided once for all of them.
  struct Causes {
    const Alert* firing = nullptr;       // about the node
    Duration wait = {};                  // the hold time of one that is pending
    std::vector<AlertRule> single = {};  // rules about the same object
    [[nodiscard]] bool none() const { return firing == nullptr && single.empty(); }
  };
  [[nodiscard]] Causes causes_of(AlertRule rule) const;
  [[nodiscard]] const Alert* hiding(const Causes& causes, const std::string& object) const;
  static void count(Entry& entry, Now now);
  void take(const AlertCondition& condition, Now now);
  // False: it is forgotten.
  [[nodiscard]] bool step_pending(Entry& entry, const Causes& causes, bool known, Now now);
  // `moot`: it is over at once, and why.
  [[nodiscard]] bool step_firing(Entry& entry, bool known, const std::string& moot, Now now);
  void fire(Entry& entry, Now now);
  void remind(Entry& entry, Now now);
  void resolve(Entry& entry, const std::string& moot, Now now);
  void tell(NoticeKind kind, Entry& entry, Now now, std::string moot = "");
  void keep_resolved(Alert alert);
  void forget_flaps(WallTime now);

  std::map<Key, Entry> open_;
  std::map<std::uint64_t, Alert> resolved_;
  std::map<SilenceKey, AlertSilence> silences_;
  std::map<Key, Flap> flaps_;  // of the last hour
  std::map<std::uint64_t, Alert> dirty_;
  std::vector<std::uint64_t> forgotten_;
  std::vector<AlertNotice> notices_;
  std::uint64_t next_id_ = 1;
  std::size_t left_out_ = 0;
};

}  // namespace timectl
