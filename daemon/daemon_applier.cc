#include "daemon/daemon_applier.h"

#include <utility>

namespace timectl {
namespace {

// Far below the 20 ms that the loop may stand still, with room for one slow row.
constexpr Duration kSlice = std::chrono::milliseconds(3);
constexpr std::size_t kFew = 20;  // changes that are done at once

}  // namespace

Applier::~Applier() = default;

void Applier::step(const std::function<bool()>& enough) {
  const auto work = work_;
  auto done = work->writer.work(enough);
  if (done && !*done) return;
  work_.reset();
  work->done(done ? Result<control::json::value>(nullptr) : done.error());
}

// By a timer that is due at once, not by post(): so the sockets are looked at before each slice.
void Applier::go_on() {
  turn_.expires_after(Duration::zero());
  turn_.async_wait([this, weak = std::weak_ptr(work_)](const boost::system::error_code& cancelled) {
    const auto work = weak.lock();
    if (cancelled || !work || work != work_) return;  // settled meanwhile
    const auto until = services_.now().mono + kSlice;
    step([&] { return services_.now().mono >= until; });
    if (work_ == work) go_on();
  });
}

void Applier::apply(ChangeSet set, control::Answer done) {
  while (work_) settle();  // whoever is answered may have begun the next change
  const bool few = set.changes.size() <= kFew;
  work_ = std::make_shared<Work>(services_, std::move(set), std::move(done));
  if (few) return settle();
  go_on();
}

void Applier::settle() {
  if (work_) step([] { return false; });
}

}  // namespace timectl
