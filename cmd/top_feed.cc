#include "cmd/top_feed.h"

#include <algorithm>
#include <utility>

#include "cmd/ask.h"

namespace timectl::cmd {
namespace {

// Of what comes at one go: a flood of events does not keep the keys waiting.
constexpr std::size_t kMostAtOnce = 500;

std::string because_of(const Error& error) {
  return error.because.empty() ? error.message : error.message + ": " + error.because;
}

}  // namespace

Result<TopFeed> TopFeed::open(Route route, Duration interval, Now now) {
  auto client = find_node(route);
  if (!client) return client.error();
  auto stream = find_node(route);
  if (!stream) return stream.error();
  TopFeed feed(std::move(route), interval);
  const auto overview =
      client->call("overview", to_json(control::OverviewRequest{}), feed.route_.timeout);
  if (!overview) return overview.error();
  auto view = read_answer<control::OverviewReply>(*overview);
  if (!view) return view.error();
  feed.greet(std::move(*client), std::move(*stream), now);
  if (feed.client_) feed.take_overview(*overview, now);
  return feed;
}

Result<TopData> TopFeed::once(const Route& route, Now now) {
  auto feed = open(route, std::chrono::seconds(1), now);
  if (!feed) return feed.error();
  auto client = find_node(route);
  if (!client) return client.error();
  const auto history =
      client->call("overview.history", to_json(control::OverviewHistoryRequest{}), route.timeout);
  if (!history) return history.error();
  control::EventsRequest request;
  request.limit = kEventsAtFirst;
  const auto events = client->call("events.list", to_json(request), route.timeout);
  if (!events) return events.error();
  auto view = read_answer<control::OverviewHistory>(*history);
  if (!view) return view.error();
  feed->data_.history = std::move(*view);
  feed->take_events(*events);
  return std::move(feed->data_);
}

// Asks for everything anew: what was missed meanwhile is in the answers.
void TopFeed::greet(Client asking, Client listening, Now now) {
  client_.emplace(std::move(asking));
  stream_.emplace(std::move(listening));
  overview_ = {.due = now.mono};
  history_ = {.due = now.mono};
  control::EventsRequest request;
  request.limit = kEventsAtFirst;
  const auto asked = stream_->ask("events.follow", to_json(request), kConnect);
  if (!asked) return lose(asked.error(), now);
  follow_ = *asked;
}

std::array<int, 2> TopFeed::descriptors() const {
  return {client_ ? client_->descriptor() : -1, stream_ ? stream_->descriptor() : -1};
}

Instant TopFeed::next() const {
  if (!client_) return retry_;
  const auto& out = overview_.id != 0 ? overview_ : history_;
  if (out.id == 0) return std::min(overview_.due, history_.due);
  return out.asked + (data_.outage ? route_.timeout : std::min(kSlow, route_.timeout));
}

void TopFeed::on_time(Now now) {
  if (!client_) {
    if (now.mono >= retry_) reconnect(now);
    return;
  }
  const auto& out = overview_.id != 0 ? overview_ : history_;
  if (out.id != 0) {
    const auto waited = now.mono - out.asked;
    if (waited >= route_.timeout) {
      return lose({Code::timed_out, "the node takes requests and does not answer"}, now);
    }
    if (waited >= kSlow && !data_.outage) data_.outage = {answered_, "the node is slow", {}};
  } else if (now.mono >= overview_.due) {
    put(overview_, "overview", to_json(control::OverviewRequest{}), now);
  } else if (now.mono >= history_.due) {
    put(history_, "overview.history", to_json(control::OverviewHistoryRequest{}), now);
  }
}

void TopFeed::put(Question& question, std::string_view method, const json::value& request,
                  Now now) {
  const auto asked = client_->ask(method, request, kConnect);
  if (!asked) return lose(asked.error(), now);
  question.id = *asked;
  question.asked = now.mono;
}

void TopFeed::reconnect(Now now) {
  auto route = route_;
  route.timeout = std::min(route.timeout, kConnect);
  auto asking = find_node(route);
  if (!asking) return lose(asking.error(), now);
  auto listening = find_node(route);
  if (!listening) return lose(listening.error(), now);
  greet(std::move(*asking), std::move(*listening), now);
}

void TopFeed::lose(const Error& error, Now now) {
  client_.reset();
  stream_.reset();
  const auto gap = std::chrono::duration_cast<std::chrono::milliseconds>(gap_);
  retry_ = now.mono + gap_;
  data_.outage = {answered_, because_of(error), now.wall + gap};
  gap_ = std::min(gap_ * 2, kLastRetry);
}

void TopFeed::on_readable(Now now) {
  hear_from(client_, &TopFeed::take_answer, now);
  hear_from(stream_, &TopFeed::take_news, now);
}

void TopFeed::hear_from(std::optional<Client>& client, void (TopFeed::*take)(Client::Heard, Now),
                        Now now) {
  for (std::size_t i = 0; client && i < kMostAtOnce; ++i) {
    auto heard = client->hear();
    if (!heard) return lose(heard.error(), now);
    if (!*heard) return;
    (this->*take)(std::move(**heard), now);
  }
}

void TopFeed::take_answer(Client::Heard heard, Now now) {
  // A node whose database is busy has no history now: the rest is worth showing.
  if (heard.id != 0 && heard.id == history_.id) {
    history_ = {.due = now.mono + kHistoryEvery};
    data_.outage.reset();
    if (!heard.result) return;
    if (auto view = read_answer<control::OverviewHistory>(*heard.result)) {
      data_.history = std::move(*view);
    }
    return;
  }
  if (!heard.result) return lose(heard.result.error(), now);
  if (heard.id == overview_.id) take_overview(*heard.result, now);
}

void TopFeed::take_news(Client::Heard heard, Now now) {
  if (!heard.result) return lose(heard.result.error(), now);
  if (heard.id == follow_) return take_events(*heard.result);
  take_event(*heard.result);
}

void TopFeed::take_overview(const json::value& data, Now now) {
  auto view = read_answer<control::OverviewReply>(data);
  if (!view) return lose(view.error(), now);
  // From question to question: a slow node is not asked faster than it answers.
  const auto asked = overview_.id == 0 ? now.mono : overview_.asked;
  overview_ = {.due = std::max(asked + interval_, now.mono)};
  data_.overview = std::move(*view);
  data_.outage.reset();
  answered_ = now.wall;
  gap_ = kFirstRetry;
}

void TopFeed::take_events(const json::value& recorded) {
  data_.events.clear();
  if (const auto* rows = recorded.if_array()) {
    for (const auto& row : *rows) take_event(row);
  }
}

void TopFeed::take_event(const json::value& event) {
  auto read = read_answer<Event>(event);
  if (!read) return;  // of a later node, of a kind that this one has no word for
  data_.events.push_front({++last_event_, std::move(*read)});
  if (data_.events.size() > TopData::kMostEvents) data_.events.pop_back();
}

}  // namespace timectl::cmd
