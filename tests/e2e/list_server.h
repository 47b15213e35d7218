#pragma once
// The list of masternodes as a site offers it: an HTTPS server with an authority of its own, whose
// answer a test changes while nodes ask it, and the configuration of a node that asks it.

#include <mutex>
#include <string>

#include "tests/e2e/sandbox.h"
#include "tests/support/https_server.h"

namespace timectl::e2e {

[[nodiscard]] const testing::TestAuthority& authority();

[[nodiscard]] std::string answer(const std::string& status, const std::string& headers,
                                 const std::string& body);
[[nodiscard]] std::string list_answer(const std::string& body, const std::string& headers = "");
// ["127.31.2.10", ...]: `network` is "127.31.2", the last part runs from `from` to `to` - 1.
[[nodiscard]] std::string list_of(const std::string& network, int from, int to);

class ListServer {
 public:
  explicit ListServer(std::string first, const testing::CertificateWish& wish = {{"IP:127.0.0.5"}});

  void say(std::string text);  // empty: it never answers
  [[nodiscard]] const testing::HttpsServer& server() const { return server_; }

 private:
  void serve(testing::ServerConnection& connection);

  std::mutex mutex_;
  std::string answer_;
  testing::HttpsServer server_;
};

// [discovery] for a node in this sandbox that asks this URL.
[[nodiscard]] std::string discovery(const Sandbox& sandbox, const std::string& url,
                                    const std::string& more = "");
[[nodiscard]] Outcome refresh(const NodeProcess& node, std::vector<std::string> more = {});

}  // namespace timectl::e2e
