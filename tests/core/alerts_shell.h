#pragma once
// The engine of the alerts with a clock and a store of its own, for its tests.

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "daemon/core/alerts.h"

namespace timectl {

using namespace std::chrono_literals;
using enum AlertRule;

inline const std::string kPeer = "203.0.113.7";

inline AlertCondition down(const std::string& ip = kPeer) {
  return {.rule = masternode_down, .object = ip, .text = ip + " is not connected"};
}
inline AlertCondition about(AlertRule rule) {
  return {.rule = rule, .text = "text"};
}

struct AlertsTest : testing::Test {
  // Looks every second for `time`; what was told, in order.
  std::vector<AlertNotice> run(const std::vector<AlertCondition>& holding, Duration time) {
    std::vector<AlertNotice> told;
    for (Duration passed{}; passed < time; passed += 1s) {
      look.holding = holding;
      alerts.evaluate(look, now);
      for (auto& notice : alerts.take_notices()) told.push_back(std::move(notice));
      advance(1s);
    }
    return told;
  }
  void advance(Duration by) {
    now.mono += by;
    now.wall += std::chrono::duration_cast<std::chrono::milliseconds>(by);
  }
  static std::vector<NoticeKind> kinds(const std::vector<AlertNotice>& notices) {
    std::vector<NoticeKind> out;
    for (const auto& notice : notices) out.push_back(notice.kind);
    return out;
  }
  // What a store would hold: every row that was ever to be saved, less those forgotten.
  void save() {
    const auto unsaved = alerts.unsaved();
    for (const auto& alert : unsaved.alerts) stored[alert.id] = alert;
    for (const auto id : unsaved.forgotten) stored.erase(id);
    alerts.saved();
  }
  void restart(Duration away, bool clock_of_the_process_begins_anew = true) {
    save();
    const auto silences = alerts.silences();
    advance(away);
    if (clock_of_the_process_begins_anew) now.mono = Instant{} + 5s;
    std::vector<Alert> rows;
    for (const auto& [id, alert] : stored) rows.push_back(alert);
    alerts = Alerts();
    alerts.load(rows, silences, now);
  }

  Alerts alerts;
  AlertLook look;
  std::map<std::uint64_t, Alert> stored;
  Now now{Instant{} + 1h, WallTime{} + std::chrono::hours(24 * 365 * 56)};
};

using Kinds = std::vector<NoticeKind>;

}  // namespace timectl
