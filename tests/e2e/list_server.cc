#include "tests/e2e/list_server.h"

#include <fstream>

namespace timectl::e2e {

using testing::CertificateWish;
using testing::ServerConnection;
using testing::TestAuthority;

const TestAuthority& authority() {
  static const TestAuthority kAuthority("timectl test root");
  return kAuthority;
}

std::string answer(const std::string& status, const std::string& headers, const std::string& body) {
  return "HTTP/1.1 " + status + "\r\n" + headers +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

std::string list_answer(const std::string& body, const std::string& headers) {
  return answer("200 OK", "Content-Type: application/json\r\n" + headers, body);
}

std::string list_of(const std::string& network, int from, int to) {
  std::string text = "[";
  for (int i = from; i < to; ++i) {
    text += (i == from ? "\"" : ",\"") + network + "." + std::to_string(i) + "\"";
  }
  return text + "]";
}

ListServer::ListServer(std::string first, const CertificateWish& wish)
    : answer_(std::move(first)),
      server_({"127.0.0.5", authority().issue(wish)},
              [this](ServerConnection& connection) { serve(connection); }) {}

void ListServer::say(std::string text) {
  const std::lock_guard lock(mutex_);
  answer_ = std::move(text);
}

void ListServer::serve(ServerConnection& connection) {
  while (!connection.read_request().empty()) {
    std::string text;
    {
      const std::lock_guard lock(mutex_);
      text = answer_;
    }
    if (text.empty()) return connection.wait();
    if (!connection.send(text)) return;
  }
}

std::string discovery(const Sandbox& sandbox, const std::string& url, const std::string& more) {
  const auto file = sandbox.path() + "/ca.pem";
  std::ifstream root(authority().file());
  std::ofstream(file) << root.rdbuf();
  return "\n[discovery]\nurl = \"" + url + "\"\nca_file = \"" + file +
         "\"\nallow_private = true\n" + more;
}

Outcome refresh(const NodeProcess& node, std::vector<std::string> more) {
  std::vector<std::string> words{"--json", "refresh"};
  words.insert(words.end(), more.begin(), more.end());
  return node.timectl(words);
}

}  // namespace timectl::e2e
