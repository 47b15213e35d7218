#include "daemon/probe/rpc_reply.h"

#include <algorithm>
#include <boost/json/parser.hpp>
#include <charconv>
#include <new>

#include "daemon/core/events.h"

namespace timectl::probe {
namespace {

// Its own answers are four deep.
constexpr std::size_t kMaxDepth = 16;

}  // namespace

// Boost.JSON gives keys back with another alignment than it asked for: every block has the
// greatest.
void* JsonBudget::do_allocate(std::size_t bytes, std::size_t alignment) {
  TIMECTL_CHECK(alignment <= __STDCPP_DEFAULT_NEW_ALIGNMENT__);
  if (bytes > left_) throw std::bad_alloc();
  void* block = ::operator new(bytes);
  left_ -= bytes;
  return block;
}

void JsonBudget::do_deallocate(void* block, std::size_t bytes, std::size_t) {
  left_ += bytes;
  ::operator delete(block);
}

RpcReply parse_rpc_reply(std::string_view body, JsonBudget& budget) {
  boost::json::parse_options options;
  options.max_depth = kMaxDepth;
  RpcReply reply;
  try {
    // A parser of its own, because json::parse() keeps its stack outside of the budget.
    boost::json::parser parser(&budget, options);
    parser.reset(&budget);
    boost::system::error_code failed;
    parser.write(body.data(), body.size(), failed);
    if (failed) return reply;
    reply.document.emplace(parser.release());
    const auto* object = reply.document->if_object();
    if (object == nullptr) return reply;
    if (const auto* error = object->if_contains("error"); error && error->is_object()) {
      const auto* code = error->get_object().if_contains("code");
      const auto* message = error->get_object().if_contains("message");
      reply.kind = RpcReply::Kind::error;
      if (code != nullptr && code->is_int64()) reply.code = code->get_int64();
      if (message != nullptr && message->is_string()) {
        reply.message = printable(std::string_view(message->get_string()));
      }
    } else if (const auto* result = object->if_contains("result")) {
      reply.kind = RpcReply::Kind::result;
      reply.result = result;
    }
  } catch (const std::bad_alloc&) {
    return {};  // an answer that unfolds so far is none
  }
  return reply;
}

bool read_rpc_answer(std::string_view method, std::string_view body, const RpcRequest& request,
                     WallTime now, diagnose::RpcFacts& facts) {
  JsonBudget budget(kJsonBudget);
  const auto reply = parse_rpc_reply(body, budget);
  if (reply.kind == RpcReply::Kind::no_json) return false;
  if (reply.kind == RpcReply::Kind::error) return true;
  return read_rpc_result(method, *reply.result, request, now, facts);
}

std::optional<IpAddress> listed_address(std::string_view text) {
  constexpr std::size_t kLongest = 64;
  if (text.size() > kLongest) return std::nullopt;
  if (text.starts_with('[')) {
    text = text.substr(1, text.find(']') - 1);
  } else if (std::count(text.begin(), text.end(), ':') == 1) {
    text = text.substr(0, text.find(':'));
  }
  const auto ip = IpAddress::parse(text);
  if (!ip) return std::nullopt;
  return *ip;
}

bool in_subnet(const IpAddress& ip, std::string_view cidr) {
  const auto slash = cidr.find('/');
  if (slash == std::string_view::npos) return false;
  const auto network = listed_address(cidr.substr(0, slash));
  if (!network || network->is_v4() != ip.is_v4()) return false;
  unsigned bits = 0;
  const auto* end = cidr.data() + cidr.size();
  const auto parsed = std::from_chars(cidr.data() + slash + 1, end, bits);
  const unsigned most = ip.is_v4() ? 32 : 128;
  if (parsed.ec != std::errc{} || parsed.ptr != end || bits > most) return false;
  unsigned left = bits + (128 - most);
  for (std::size_t i = 0; left > 0; ++i) {
    const unsigned here = std::min(left, 8U);
    const auto mask = static_cast<std::uint8_t>(0xff00U >> here);
    if (((ip.bytes()[i] ^ network->bytes()[i]) & mask) != 0) return false;
    left -= here;
  }
  return true;
}

}  // namespace timectl::probe
