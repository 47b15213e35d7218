// What /metrics says of the process, and what it says where it cannot be made.
#include "daemon/metrics_source.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <thread>

namespace timectl {
namespace {

TEST(MetricsSource, FiguresOfTheProcessAreThoseOfTheKernel) {
  const auto before = process_figures();
  ASSERT_TRUE(before.cpu_seconds && before.resident_bytes);
  ASSERT_TRUE(before.descriptors && before.descriptors_limit);
  EXPECT_GT(*before.resident_bytes, 1'000'000U);
  EXPECT_GT(*before.descriptors_limit, *before.descriptors);
  const int more = ::dup(0);
  const auto after = process_figures();
  ::close(more);
  EXPECT_EQ(*after.descriptors, *before.descriptors + 1);
  EXPECT_GE(*after.cpu_seconds, *before.cpu_seconds);
}

TEST(MetricsSource, TextIsMadeInAnotherThreadOfWhatWasGathered) {
  observe::Counters counters;
  counters.on_event({.kind = EventKind::node_started});
  std::function<std::string()> make;
  {
    control::OverviewReply view;
    view.version = "1.2.3";
    make = metrics_source(std::move(view), counters, 500);
  }
  counters.on_event({.kind = EventKind::node_started});  // later than the question
  std::string text;
  std::thread([&] { text = make(); }).join();
  EXPECT_NE(text.find("version=\"1.2.3\""), std::string::npos);
  EXPECT_NE(text.find("timectl_events_total{kind=\"node_started\"} 1\n"), std::string::npos);
  EXPECT_NE(text.find("\nprocess_open_fds "), std::string::npos);
}

TEST(MetricsSource, WithoutAnOverviewThereIsNoText) {
  const auto text =
      metrics_source(Error{Code::internal, "no overview", "a test"}, observe::Counters(), 500)();
  EXPECT_EQ(text, "");
}

}  // namespace
}  // namespace timectl
