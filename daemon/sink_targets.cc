#include "daemon/sink_targets.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "daemon/core/events.h"
#include "daemon/core/reflect.h"
#include "daemon/host.h"
#include "daemon/sinks/send.h"

namespace timectl {
namespace {

constexpr std::size_t kLongestSecret = 4096;
constexpr Duration kHttpTimeout = std::chrono::seconds(10);
constexpr Duration kProgramTimeout = std::chrono::seconds(30);

// The secret, without the line end that editors add; `problem` says why there is none.
std::string read_secret(const std::string& path, std::string& problem) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) {
    problem = "secret_file " + printable(path) + " cannot be read: " + std::strerror(errno);
    return "";
  }
  struct stat facts {};
  std::array<char, kLongestSecret + 1> text{};
  const bool known = ::fstat(fd, &facts) == 0 && S_ISREG(facts.st_mode);
  const auto got = known ? ::read(fd, text.data(), text.size()) : -1;
  ::close(fd);
  if (got < 0 || static_cast<std::size_t>(got) > kLongestSecret) {
    problem = "secret_file " + printable(path) + " is no file of at most 4096 bytes";
    return "";
  }
  if ((facts.st_mode & S_IRWXO) != 0) {
    problem = "secret_file " + printable(path) + " is open to everybody: chmod 0640 it";
    return "";
  }
  std::string secret(text.data(), static_cast<std::size_t>(got));
  while (secret.ends_with('\n') || secret.ends_with('\r')) secret.pop_back();
  if (secret.empty()) problem = "secret_file " + printable(path) + " is empty";
  return secret;
}

}  // namespace

// By default many hosts have one name, and two nodes one host: the own address tells them apart.
NodeIdentity identity_of(const config::Config& config) {
  const std::string network(name_of(config.network.name));
  if (!config.node.name.empty()) return {config.node.name, network, config.node.name};
  std::array<char, 256> name{};
  const bool known = ::gethostname(name.data(), name.size() - 1) == 0;
  NodeIdentity identity{known ? std::string(name.data()) : "unknown", network};
  const auto own = own_address_of(config);
  if (own) identity.instance = identity.node + "@" + own->to_string();
  return identity;
}

sinks::SinkTarget target_of(const config::AlertSink& sink, const NodeIdentity& identity) {
  sinks::SinkTarget target;
  target.name = sink.name;
  target.kind = sink.kind;
  target.form = sink.form;
  target.url = sink.url;
  target.command = sink.command;
  target.to = sink.to;
  target.from = sink.from;
  target.ca_file = sink.ca_file;
  target.identity = identity;
  const bool program = sink.kind == SinkKind::command || sink.kind == SinkKind::sendmail;
  target.timeout = sink.timeout.value_or(program ? kProgramTimeout : kHttpTimeout);
  if (!sink.secret_file.empty()) target.secret = read_secret(sink.secret_file, target.broken);
  return target;
}

SinkChoice choice_of(const config::AlertSink& sink) {
  SinkChoice choice;
  choice.name = sink.name;
  choice.mildest = sink.severity;
  if (!sink.rules.empty()) {
    choice.rules = {};
    for (const auto& word : sink.rules) {
      if (const auto rule = value_of<AlertRule>(word)) choice.rules.insert(*rule);
    }
  }
  choice.batch = sinks::batch_of(sink.kind, sink.form);
  choice.digests = sinks::takes_digests(sink.kind, sink.form);
  choice.messages = sink.kind != SinkKind::heartbeat;
  if (sink.kind == SinkKind::heartbeat) choice.every = sink.interval;
  if (sink.kind == SinkKind::alertmanager) choice.every = sinks::kResend;
  return choice;
}

}  // namespace timectl
