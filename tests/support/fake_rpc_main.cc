// timectl_fake_rpc FILE ADDRESS:PORT: a peer's public RPC for end-to-end tests, until it is told to
// end (SIGTERM, SIGINT, or the end of who started it). FILE is JSON:
//   {"tls": false, "turns": ["limited", "html*2", "huge"], "answers": {"uptime": 259200, ...}}
// Without "answers" it is a healthy node at height 14000. Prints "ready PORT", and at the end one
// line for each request: its method.
#include <boost/json.hpp>
#include <charconv>
#include <cstdio>
#include <fstream>
#include <iterator>

#include "tests/support/fake_rpc.h"
#include "tests/support/wait_for_end.h"

namespace {

namespace json = boost::json;
using timectl::testing::FakeRpc;

int run(const json::object& file, const std::string& address, std::uint16_t port) {
  const auto* tls = file.if_contains("tls");
  FakeRpc rpc({address, port, tls != nullptr && tls->is_bool() && tls->get_bool()});
  if (const auto* answers = file.if_contains("answers"); answers && answers->is_object()) {
    for (const auto& [method, result] : answers->get_object()) {
      rpc.answer(std::string(method), json::serialize(result));
    }
  } else {
    rpc.healthy(14'000, 259'200);
  }
  if (const auto* turns = file.if_contains("turns"); turns && turns->is_array()) {
    for (const auto& turn : turns->get_array()) {
      if (turn.is_string() && rpc.next(turn.get_string().c_str())) continue;
      std::fprintf(stderr, "no such turn: %s\n", json::serialize(turn).c_str());
      return 64;
    }
  }
  std::printf("ready %u\n", rpc.port());
  std::fflush(stdout);
  timectl::testing::wait_for_end();
  for (const auto& method : rpc.methods()) std::printf("%s\n", method.c_str());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  timectl::testing::end_by_signal();
  const std::string at = argc == 3 ? argv[2] : "";
  const auto colon = at.rfind(':');
  std::uint16_t port = 0;
  const bool good =
      colon != std::string::npos &&
      std::from_chars(at.data() + colon + 1, at.data() + at.size(), port).ec == std::errc{};
  if (!good) {
    std::fputs("timectl_fake_rpc FILE ADDRESS:PORT\n", stderr);
    return 64;
  }
  std::ifstream stream(argv[1]);
  const std::string text{std::istreambuf_iterator<char>(stream), {}};
  boost::system::error_code failed;
  const auto file = json::parse(text, failed);
  if (failed || !file.is_object()) {
    std::fprintf(stderr, "%s is no JSON object\n", argv[1]);
    return 64;
  }
  try {
    return run(file.get_object(), at.substr(0, colon), port);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
