#pragma once
// Methods on a real database in a directory that goes away, with or without a real Node (no
// network behind it), and a clock that the test moves.

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "daemon/core/json.h"
#include "daemon/methods.h"
#include "store/api_table.h"
#include "store/peer_history.h"
#include "store/peers_table.h"
#include "store/whitelist_table.h"
#include "tests/control/lab.h"

namespace timectl::test {

class MethodsTest : public ::testing::Test {
 protected:
  MethodsTest() : whitelist_(100) {
    auto lock = store::StateLock::try_acquire(dir_.path(), "methods_test");
    EXPECT_TRUE(lock);
    auto opened = store::Database::open(std::move(*lock), store::OpenMode::read_write);
    EXPECT_TRUE(opened) << opened.error().message;
    database_.emplace(std::move(*opened));
    actor_.uid = ::getuid();
    actor_.user = "alice";
    actor_.via = "socket";
    make();
  }

  void make() {
    Services services;
    services.config = &config_;
    services.database = &*database_;
    services.whitelist = &whitelist_;
    services.bans = &bans_;
    services.list = &list_;
    services.node = node_.get();
    services.now = [this] { return now_; };
    services.pump = [this] { ++pumped_; };
    services.stop = [this] { stopped_ = true; };
    services.reload = [this]() -> Result<void> { return reload_; };
    services.access.node_uid = ::getuid();
    services.access.socket_group = 4242;
    services.facts.pid = 77;
    methods_ = std::make_unique<Methods>(std::move(services));
  }
  void with_node(NodeMode mode = NodeMode::active) {
    NodeOptions options;
    options.mode = mode;
    node_ = std::make_unique<Node>(options, whitelist_, bans_);
    make();
    methods_->services().facts.mode = mode;
    methods_->services().facts.started = now_.mono;
    node_->start(now_);
  }
  // Connects a peer as the shell would report it: by the node's own dial where it makes one, else
  // inbound.
  void connect(const IpAddress& ip) {
    node_->tick(now_);
    for (auto& command : node_->take_commands()) {
      if (const auto* dial = std::get_if<Dial>(&command)) dials_[dial->ip] = dial->connection;
    }
    const auto here = IpAddress::v4(127, 0, 0, 1);
    auto id = node_->next_connection();
    if (const auto dial = dials_.find(ip); dial != dials_.end()) {
      id = dial->second;
      node_->on_dial_progress(id, DialStage::tcp_connected, here, now_);
      node_->on_dial_progress(id, DialStage::tls_done, here, now_);
    } else {
      ASSERT_EQ(node_->on_inbound(id, ip, here, now_).verdict, Admit::accept);
    }
    node_->on_ready(id, {1, 2344}, now_);
    ASSERT_TRUE(node_->connected(ip));
  }

  Result<json::value> call(const std::string& name, const json::value& params = nullptr) {
    return methods_->call(name, params, actor_);
  }
  json::value good(const std::string& name, const json::value& params = nullptr) {
    auto result = call(name, params);
    EXPECT_TRUE(result) << name << ": " << result.error().message << " " << result.error().because;
    return result ? *result : json::value();
  }
  Error bad(const std::string& name, const json::value& params = nullptr) {
    auto result = call(name, params);
    EXPECT_FALSE(result) << name << ": " << json::serialize(*result);
    return result ? Error{} : result.error();
  }
  json::value add(std::initializer_list<const char*> ips, const std::string& reason = "") {
    json::array list;
    for (const auto* ip : ips) list.emplace_back(ip);
    return good("whitelist.add", json::object{{"ips", list}, {"reason", reason}});
  }
  [[nodiscard]] std::vector<WhitelistEntry> stored() const {
    return store::load_whitelist(const_cast<store::Database&>(*database_)).value();
  }
  [[nodiscard]] std::vector<store::AuditRow> audit() const {
    return store::list_audit(const_cast<store::Database&>(*database_), {}).value();
  }

  TempDir dir_;
  config::Config config_;
  std::optional<store::Database> database_;
  Whitelist whitelist_;
  Bans bans_;
  ListMemory list_;
  std::unique_ptr<Node> node_;
  std::map<IpAddress, ConnectionId> dials_;
  Now now_{Instant{} + std::chrono::hours(1), WallTime{} + std::chrono::hours(24 * 365 * 56)};
  control::Actor actor_;
  int pumped_ = 0;
  bool stopped_ = false;
  Result<void> reload_;
  std::unique_ptr<Methods> methods_;
};

}  // namespace timectl::test
