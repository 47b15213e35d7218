#include "daemon/probe/sntp_servers.h"

#include <netdb.h>
#include <netinet/in.h>
#include <sys/eventfd.h>

#include <atomic>
#include <cstring>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

namespace timectl::probe {
namespace {

constexpr int kMostThreads = 16;
std::atomic<int> threads{0};

std::optional<IpAddress> first_address(const std::string& name) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_DGRAM;
  hints.ai_flags = AI_ADDRCONFIG;
  addrinfo* list = nullptr;
  if (::getaddrinfo(name.c_str(), nullptr, &hints, &list) != 0) return std::nullopt;
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> held(list, ::freeaddrinfo);
  for (const auto* one = list; one != nullptr; one = one->ai_next) {
    if (one->ai_family == AF_INET) {
      sockaddr_in v4{};
      std::memcpy(&v4, one->ai_addr, sizeof(v4));
      std::uint8_t b[4];
      std::memcpy(b, &v4.sin_addr, sizeof(b));
      return IpAddress::v4(b[0], b[1], b[2], b[3]);
    }
    if (one->ai_family == AF_INET6) {
      sockaddr_in6 v6{};
      std::memcpy(&v6, one->ai_addr, sizeof(v6));
      IpAddress::Bytes bytes{};
      std::memcpy(bytes.data(), &v6.sin6_addr, bytes.size());
      return IpAddress(bytes);
    }
  }
  return std::nullopt;
}

}  // namespace

struct NameLookup::Shared {
  net::Fd event{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
  std::mutex mutex;
  std::vector<Found> found;
  std::size_t running = 0;

  void ended(std::optional<Found> one) {
    const std::lock_guard lock(mutex);
    if (one) found.push_back(*one);
    --running;
    (void)::eventfd_write(event.get(), 1);  // fails only where it is readable already
  }
};

NameLookup::NameLookup(const std::vector<std::pair<std::string, std::uint16_t>>& names)
    : shared_(std::make_shared<Shared>()) {
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (threads.fetch_add(1) >= kMostThreads) {
      --threads;
      continue;
    }
    {
      const std::lock_guard lock(shared_->mutex);
      ++shared_->running;
    }
    try {
      std::thread([shared = shared_, i, name = names[i]] {
        const auto ip = first_address(name.first);
        shared->ended(ip ? std::optional(Found{i, {*ip, name.second}}) : std::nullopt);
        --threads;
      }).detach();
    } catch (const std::system_error&) {  // no thread to be had: this name stays unknown
      shared_->ended(std::nullopt);
      --threads;
    }
  }
}

int NameLookup::fd() const {
  return shared_->event.get();
}

std::vector<NameLookup::Found> NameLookup::take() {
  eventfd_t count = 0;
  (void)::eventfd_read(shared_->event.get(), &count);  // nothing to read is fine
  const std::lock_guard lock(shared_->mutex);
  return std::exchange(shared_->found, {});
}

bool NameLookup::done() const {
  const std::lock_guard lock(shared_->mutex);
  return shared_->running == 0;
}

}  // namespace timectl::probe
