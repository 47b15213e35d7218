// Requests of the web server: whatever comes, at any chunking, nothing is shown without the token,
// to another method than GET and HEAD, or under a name that is not the node's; the answer that a
// refusal gets holds nothing of the request.
#include <array>

#include "daemon/web/answer.h"
#include "daemon/web/head_reader.h"
#include "tests/fuzz/fuzz.h"

namespace timectl::web {

using timectl::fuzz::require;

namespace {

constexpr std::size_t kLimit = 1024;
constexpr std::array<Asset, 2> kAssets{
    {{"/", "text/html", "\"1\"", "page"}, {"/app.js", "text/javascript", "\"2\"", "script"}}};

// Short, so that a fuzzer finds it.
Site site() {
  return {.token = "t0k3n", .hosts = {"own"}, .assets = kAssets, .metrics = true};
}

void check(const Head& head, const std::string& stream) {
  static const auto kSite = site();
  const auto decision = decide(head, kSite);
  const bool refused = decision.route == Route::refuse;
  require(refused == (decision.status >= 400), "a refusal is an error, and the reverse");
  require(refused != decision.why.empty(), "a refusal says why");
  if (refused) {
    const auto answer = plain_answer(decision, kSite, true, false);
    require(answer.find(kSite.token) == std::string::npos, "no refusal has the token");
    require(answer.find(decision.why) != std::string::npos, "the words are the decision's");
    return;
  }
  require(stream.find(kSite.token) != std::string::npos, "nothing without the token");
  require(head.method == "GET" || head.method == "HEAD", "it only shows");
  require(head.hosts == 1 && is_own_host(head.host, kSite), "nothing under another name");
  require(!head.body && head.target.size() <= kLongestTarget, "no body, no long target");
  require((decision.asset != nullptr) ==
              (decision.route == Route::asset || decision.route == Route::not_modified),
          "a file where there is one");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::size_t chunk = std::size_t{data[0]} + 1;
  const std::string stream(reinterpret_cast<const char*>(data) + 1, size - 1);
  HeadReader reader(kLimit);
  for (std::size_t at = 0; at < stream.size(); at += chunk) {
    auto state = reader.take(std::string_view(stream).substr(at, chunk));
    while (state == HeadReader::State::whole) {
      const auto head = reader.head();
      check(head, stream);
      if (head.body) return 0;  // the session closes here
      reader.next();
      state = reader.take({});
    }
    if (state == HeadReader::State::bad) {
      require(reader.status() == 400 || reader.status() == 431, "bad is told as one of two");
      return 0;
    }
  }
  return 0;
}

}  // namespace timectl::web
