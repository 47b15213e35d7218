#pragma once
// A change of the whitelist as one transaction with its audit rows, whoever makes it: an operator,
// the config, the API's list, expiry. ChangeWriter stores it and then puts it into memory and tells
// the node, in pieces as small as its caller wants: a node with thousands of changes goes on with
// its pings in between (daemon_applier.h), a command does it all at once.

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "daemon/core/result.h"
#include "daemon/core/whitelist.h"
#include "store/audit_log.h"

namespace timectl {

struct Services;

struct ChangeSet {
  store::AuditOrigin origin = {};
  std::vector<WhitelistChange> changes = {};
  std::string reason = {};  // of the audit rows; empty: each source's own
  // Of each row by itself; none: `reason`.
  std::function<std::string(const WhitelistChange&)> why = {};
  // In the same transaction, after the changes; none: nothing else.
  std::function<Result<void>(store::AuditScope&)> also = {};
  std::function<void()> stored = {};  // after the commit, before the whitelist is told
};

class ChangeWriter {
 public:
  // `services` outlives it.
  ChangeWriter(Services& services, ChangeSet set);
  ~ChangeWriter();

  // Works until `enough` says so, asked after each piece; true when all is done. Until the commit
  // an error means that nothing was changed; there is none after it.
  [[nodiscard]] Result<bool> work(const std::function<bool()>& enough);
  [[nodiscard]] Result<void> finish();  // all that is left

 private:
  [[nodiscard]] Result<void> write_one();
  [[nodiscard]] Result<void> commit();
  void tell_one();
  Services& services_;
  ChangeSet set_;
  std::unique_ptr<store::AuditedBatch> batch_;
  std::size_t written_ = 0;
  std::size_t told_ = 0;
  bool committed_ = false;
};

[[nodiscard]] bool has_effect(const WhitelistChange& change);

}  // namespace timectl
