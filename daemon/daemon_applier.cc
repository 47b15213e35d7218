#include "daemon/daemon_applier.h"

#include <boost/asio/post.hpp>
#include <utility>

namespace timectl {
namespace {

// Far below the 20 ms that the loop may stand still, with room for one slow row.
constexpr Duration kSlice = std::chrono::milliseconds(4);

}  // namespace

Applier::~Applier() = default;

void Applier::step(const std::function<bool()>& enough) {
  const auto work = work_;
  auto done = work->writer.work(enough);
  if (done && !*done) return;
  work_.reset();
  if (services_.flush) services_.flush();  // what waited for the transaction to end
  work->done(done ? Result<control::json::value>(nullptr) : done.error());
}

void Applier::go_on() {
  boost::asio::post(io_, [this, weak = std::weak_ptr(work_)] {
    const auto work = weak.lock();
    if (!work || work != work_) return;  // settled meanwhile
    const auto until = services_.now().mono + kSlice;
    step([&] { return services_.now().mono >= until; });
    if (work_ == work) go_on();
  });
}

void Applier::apply(ChangeSet set, control::Answer done) {
  while (work_) settle();  // whoever is answered may have begun the next change
  work_ = std::make_shared<Work>(services_, std::move(set), std::move(done));
  const auto work = work_;
  const auto until = services_.now().mono + kSlice;
  step([&] { return services_.now().mono >= until; });
  if (work_ == work) go_on();
}

void Applier::settle() {
  if (work_) step([] { return false; });
}

}  // namespace timectl
