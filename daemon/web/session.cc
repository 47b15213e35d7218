#include "daemon/web/session.h"

#include <utility>

#include "daemon/web/answer.h"

namespace timectl::web {
namespace {

constexpr std::string_view kJson = "application/json";
constexpr std::string_view kMetricsText = "text/plain; version=0.0.4; charset=utf-8";
constexpr std::string_view kEventStream = "text/event-stream; charset=utf-8";
constexpr std::string_view kBusy = "The node did not answer in time. Try again.\n";
constexpr std::string_view kTooMany = "Too many dashboards are open.\n";
constexpr std::size_t kMostDrained = 65'536;
constexpr Duration kDrain = std::chrono::seconds(2);

const Buffer& ready_frame() {
  static const Buffer kFrame = std::make_shared<const std::string>(stream_event("ready", "{}"));
  return kFrame;
}
const Buffer& alive_frame() {
  static const Buffer kFrame = std::make_shared<const std::string>(": alive\n\n");
  return kFrame;
}

}  // namespace

Session::Session(Hall& hall, std::shared_ptr<const Site> site, std::unique_ptr<Link> link)
    : hall_(hall),
      site_(std::move(site)),
      link_(std::move(link)),
      reader_(hall.limits.head_bytes) {}

void Session::start() {
  expect(hall_.limits.head);
  link_->handshake([self = shared_from_this()](Failure failed) {
    if (failed || self->stage_ != Stage::handshake) return self->close();
    self->stage_ = Stage::reading;
    self->expect(self->hall_.limits.head);
    self->read();
  });
}

void Session::read() {
  link_->read_some(input_, [self = shared_from_this()](Failure failed, std::size_t size) {
    self->on_read(failed, size);
  });
}

void Session::on_read(Failure failed, std::size_t size) {
  if (failed || stage_ == Stage::closed) return close();
  if (stage_ == Stage::streaming || stage_ == Stage::draining) {  // nothing is asked here any more
    drained_ += size;
    return drained_ > kMostDrained ? close() : read();
  }
  if (!reader_.begun()) expect(hall_.limits.head);
  advance(reader_.take({input_.data(), size}));
}

void Session::advance(HeadReader::State state) {
  if (state == HeadReader::State::more) return read();
  stage_ = Stage::answering;
  if (state == HeadReader::State::whole) return serve();
  keep_ = false;
  const Decision bad{.status = reader_.status(), .why = "This is no request that is understood."};
  send(plain_answer(bad, *site_, keep_, false), nullptr, {});
}

void Session::serve() {
  const auto head = reader_.head();
  const auto decision = decide(head, *site_, link_->local());
  keep_ = reader_.keep_alive() && !head.body && decision.status != 400;
  head_only_ = head.method == "HEAD";
  switch (decision.route) {
    case Route::asset:
      return send(asset_head(*decision.asset, keep_), nullptr,
                  head_only_ ? std::string_view() : decision.asset->body);
    case Route::stream:
      return begin_stream();
    case Route::overview:
    case Route::history:
    case Route::metrics:
      return serve_text(decision.route);
    case Route::refuse:
    case Route::enter:
    case Route::not_modified:
      return send(plain_answer(decision, *site_, keep_, head_only_), nullptr, {});
  }
}

void Session::serve_text(Route route) {
  expect(hall_.limits.write);
  hall_.ask(route, [weak = weak_from_this(), route](const Buffer& text) {
    const auto self = weak.lock();
    if (!self || self->stage_ != Stage::answering) return;
    AnswerHead head{.type = route == Route::metrics ? kMetricsText : kJson,
                    .keep_alive = self->keep_};
    const std::string_view body = text ? std::string_view(*text) : kBusy;
    if (!text) {
      head.status = 503;
      head.type = "text/plain; charset=utf-8";
    }
    head.length = body.size();
    self->send(head_text(head), text, self->head_only_ ? std::string_view() : body);
  });
}

void Session::begin_stream() {
  if (hall_.streams >= hall_.limits.streams) {
    const AnswerHead full{.status = 503,
                          .type = "text/plain; charset=utf-8",
                          .length = kTooMany.size(),
                          .keep_alive = keep_};
    return send(head_text(full), nullptr, head_only_ ? std::string_view() : kTooMany);
  }
  keep_ = false;
  // Proxies that collect an answer before they pass it on are asked not to.
  auto head =
      head_text({.type = kEventStream, .endless = true, .extra = "X-Accel-Buffering: no\r\n"});
  if (head_only_) return send(std::move(head), nullptr, {});
  stage_ = Stage::streaming;
  opened_ = last_sent_ = hall_.now;
  if (++hall_.streams == 1) {
    hall_.board_fresh = false;
    hall_.watched();
  }
  send(std::move(head), nullptr, {});
  read();  // only to notice that the client is gone
}

void Session::feed() {
  if (stage_ != Stage::streaming || writing_ || !hall_.board_fresh) return;
  auto frame = hall_.board.next(cursor_);
  if (!frame) return close();  // the browser comes again, and begins anew
  cursor_ = frame->cursor;
  if (!frame->text && !told_ready_) {
    told_ready_ = true;
    frame->text = ready_frame();
  }
  if (!frame->text) return;
  const std::string_view text = *frame->text;
  send({}, std::move(frame->text), text);
}

void Session::tick() {
  const bool streams = stage_ == Stage::streaming;
  if ((writing_ || !streams) && hall_.now >= deadline_) return close();
  if (!streams || writing_) return;
  if (!hall_.board_fresh && hall_.now - opened_ >= hall_.limits.first_board) {
    hall_.board_fresh = true;  // what there is: the node has other work
  }
  feed();
  if (!writing_ && hall_.now - last_sent_ >= hall_.limits.alive) {
    send({}, alive_frame(), *alive_frame());
  }
}

void Session::send(std::string head, Buffer owner, std::string_view body) {
  head_ = std::move(head);
  owner_ = std::move(owner);
  writing_ = true;
  last_sent_ = hall_.now;
  expect(hall_.limits.write);
  link_->write(head_, body, [self = shared_from_this()](Failure failed) { self->on_sent(failed); });
}

void Session::on_sent(Failure failed) {
  writing_ = false;
  owner_.reset();
  if (failed || stage_ == Stage::closed) return close();
  if (stage_ == Stage::streaming) return feed();
  if (!keep_) return drain();
  stage_ = Stage::reading;
  reader_.next();
  expect(reader_.begun() ? hall_.limits.head : hall_.limits.idle);
  advance(reader_.take({}));
}

// Closed at once, what the client still sends would make the kernel throw the answer away.
void Session::drain() {
  stage_ = Stage::draining;
  link_->end_output();
  expect(kDrain);
  read();
}

void Session::close() {
  if (stage_ == Stage::closed) return;
  if (stage_ == Stage::streaming) --hall_.streams;
  stage_ = Stage::closed;
  link_->close();
  hall_.closed(shared_from_this());
}

}  // namespace timectl::web
