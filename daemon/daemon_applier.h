#pragma once
// Applies large changes of the whitelist beside the node's loop: one transaction, written in slices
// of a few milliseconds with everything else in between, pongs first of all. Small ones are done at
// once. Made by the daemon; all calls come from its thread.

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <utility>

#include "daemon/change_set.h"
#include "daemon/methods.h"

namespace timectl {

class Applier {
 public:
  // `services` outlives it.
  Applier(boost::asio::io_context& io, Services& services) : services_(services), turn_(io) {}
  ~Applier();  // what is not committed is rolled back; nobody is answered any more
  Applier(const Applier&) = delete;
  Applier& operator=(const Applier&) = delete;

  // `done` is called once, when all is on disk and in force (a null value), or with the error that
  // left everything as it was.
  void apply(ChangeSet set, control::Answer done);
  // Finishes what is under way, at once: before anybody else reads or changes the whitelist.
  void settle();
  [[nodiscard]] bool busy() const { return work_ != nullptr; }

 private:
  struct Work {
    Work(Services& services, ChangeSet set, control::Answer answer)
        : writer(services, std::move(set)), done(std::move(answer)) {}
    ChangeWriter writer;
    control::Answer done;
  };
  void go_on();
  void step(const std::function<bool()>& enough);
  Services& services_;
  boost::asio::steady_timer turn_;
  std::shared_ptr<Work> work_;
};

}  // namespace timectl
