#pragma once
// The JSON-RPC envelope of a peer's answer, within a budget of memory, and the forms in which its
// rows name addresses and networks. rpc.cc sorts answers by it, rpc_answers.cc reads the results.

#include <boost/json/memory_resource.hpp>
#include <boost/json/value.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/core/ip_address.h"
#include "daemon/probe/rpc.h"

namespace timectl::probe {

// Counts what a document takes, and refuses more: two bytes of a hostile answer can become 24.
// Derived because Boost.JSON takes its memory through a base class.
class JsonBudget final : public boost::json::memory_resource {
 public:
  explicit JsonBudget(std::size_t most) : left_(most) {}

 private:
  void* do_allocate(std::size_t bytes, std::size_t alignment) override;
  void do_deallocate(void* block, std::size_t bytes, std::size_t alignment) override;
  [[nodiscard]] bool do_is_equal(const memory_resource& other) const noexcept override {
    return this == &other;
  }
  std::size_t left_;
};

inline constexpr std::size_t kJsonBudget = 33'554'432;  // bytes, of one answer

struct RpcReply {
  enum class Kind : std::uint8_t { result, error, no_json };
  Kind kind = Kind::no_json;
  // Moved only: an assignment would copy it out of the budget.
  std::optional<boost::json::value> document = {};
  const boost::json::value* result = nullptr;  // in `document`, of result
  std::int64_t code = 0;                       // of error
  std::string message = {};                    // of error, printable
};

// `budget` must outlive the reply.
[[nodiscard]] RpcReply parse_rpc_reply(std::string_view body, JsonBudget& budget);

// False: another shape than the method's.
[[nodiscard]] bool read_rpc_result(std::string_view method, const boost::json::value& result,
                                   const RpcRequest& request, WallTime now,
                                   diagnose::RpcFacts& facts);

// "1.2.3.4", "1.2.3.4:24000", "::1", "[::1]:24000"; v4 in v6 is v4.
[[nodiscard]] std::optional<IpAddress> listed_address(std::string_view text);
// Whether "ADDRESS/BITS" holds `ip`.
[[nodiscard]] bool in_subnet(const IpAddress& ip, std::string_view cidr);

}  // namespace timectl::probe
