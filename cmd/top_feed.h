#pragma once
// What `timectl top` knows of the node, kept fresh over two control connections, because a stream
// takes no further request: one for questions (the overview every interval, the history every
// minute, one at a time), one for the events as they come. It never waits for an answer: the caller
// polls descriptors() until next(). A node that goes away is tried again with a growing gap, while
// what was known stays, with the outage beside it.

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "cmd/client.h"
#include "cmd/top_state.h"

namespace timectl::cmd {

class TopFeed {
 public:
  static constexpr Duration kHistoryEvery = std::chrono::seconds(60);
  static constexpr Duration kSlow = std::chrono::seconds(3);  // then the screen says so
  static constexpr Duration kFirstRetry = std::chrono::milliseconds(500);
  static constexpr Duration kLastRetry = std::chrono::seconds(8);
  // Of a try to connect, during which no key is heard.
  static constexpr Duration kConnect = std::chrono::seconds(1);
  static constexpr std::uint64_t kEventsAtFirst = 100;

  // Waits for the first overview, up to the route's timeout. Errors as find_node, or the node's.
  [[nodiscard]] static Result<TopFeed> open(Route route, Duration interval, Now now);

  // The same of one moment, with history and events.
  [[nodiscard]] static Result<TopData> once(const Route& route, Now now);

  [[nodiscard]] const TopData& data() const { return data_; }
  // To be polled for reading; -1: none.
  [[nodiscard]] std::array<int, 2> descriptors() const;
  [[nodiscard]] Instant next() const;  // on_time() has something to do then
  void on_time(Now now);
  void on_readable(Now now);  // takes what has come

 private:
  struct Question {
    std::uint64_t id = 0;  // 0: none is out
    Instant asked = {};
    Instant due = {};  // to be asked
  };
  TopFeed(Route route, Duration interval) : route_(std::move(route)), interval_(interval) {}
  void greet(Client asking, Client listening, Now now);
  void reconnect(Now now);
  void lose(const Error& error, Now now);
  void put(Question& question, std::string_view method, const json::value& request, Now now);
  void hear_from(std::optional<Client>& client, void (TopFeed::*take)(Client::Heard, Now), Now now);
  void take_answer(Client::Heard heard, Now now);
  void take_news(Client::Heard heard, Now now);
  void take_overview(const json::value& data, Now now);
  void take_events(const json::value& recorded);
  void take_event(const json::value& event);

  Route route_;
  Duration interval_;
  std::optional<Client> client_;  // both or neither
  std::optional<Client> stream_;
  TopData data_;
  Question overview_;
  Question history_;
  std::uint64_t follow_ = 0;  // the id of events.follow
  std::uint64_t last_event_ = 0;
  WallTime answered_ = {};
  Instant retry_ = {};
  Duration gap_ = kFirstRetry;
};

}  // namespace timectl::cmd
