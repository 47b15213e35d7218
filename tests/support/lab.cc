#include "tests/support/lab.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <system_error>
#include <thread>

namespace timectl::test {
namespace {

constexpr const char* kDevice = "lab0";

std::string because(const char* what) {
  return std::string(what) + ": " + std::system_category().message(errno);
}

// A network namespace and a TUN device in it, or why not. The thread takes the namespace with it;
// the descriptors keep both alive.
struct Made {
  net::Fd network;
  net::Fd tun;
  std::string why_not;
};

Made make() {
  Made made;
  std::thread([&made] {
    if (::unshare(CLONE_NEWNET) != 0) {
      made.why_not = because("no network namespace");
      return;
    }
    made.network = net::Fd(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
    made.tun = net::Fd(::open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC));
    ifreq request{};
    request.ifr_flags = IFF_TUN | IFF_NO_PI;
    std::strncpy(request.ifr_name, kDevice, IFNAMSIZ - 1);
    if (!made.network.open()) {
      made.why_not = because("no /proc");
    } else if (!made.tun.open() || ::ioctl(made.tun.get(), TUNSETIFF, &request) != 0) {
      made.why_not = because("no TUN device");
    }
  }).join();
  return made;
}

}  // namespace

std::string Lab::why_not() {
  if (std::system("command -v ip >/dev/null && command -v nsenter >/dev/null") != 0) {
    return "it needs ip (iproute2) and nsenter (util-linux)";
  }
  return make().why_not;
}

LabHost::LabHost(LinkEmulator& links, int number)
    : links_(links), address_("10.77.0." + std::to_string(number)) {
  Made made = make();
  if (!made.why_not.empty()) throw std::runtime_error(made.why_not);
  namespace_ = std::move(made.network);
  port_ = links.attach(std::move(made.tun), *IpAddress::parse(address_));
  set_up();
}

void LabHost::power_cycle() {
  Made made = make();
  if (!made.why_not.empty()) throw std::runtime_error(made.why_not);
  links_.replace(port_, std::move(made.tun));
  // The same number, so that enter() stays right.
  ASSERT_GE(::dup3(made.network.get(), namespace_.get(), O_CLOEXEC), 0);
  set_up();
}

void LabHost::set_up() const {
  command("ip link set lo up");
  command("ip address add " + address_ + "/24 dev " + kDevice);
  command(std::string("ip link set ") + kDevice + " up");
}

std::vector<std::string> LabHost::enter() const {
  return {"nsenter",
          "--net=/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(namespace_.get())};
}

void LabHost::within(const std::function<void()>& work) const {
  std::thread([&] {
    ASSERT_EQ(::setns(namespace_.get(), CLONE_NEWNET), 0);
    work();
  }).join();
}

void LabHost::command(const std::string& words) const {
  std::string line;
  for (const auto& word : enter()) line += word + " ";
  const int status = std::system((line + words).c_str());
  EXPECT_EQ(status, 0) << words;
}

}  // namespace timectl::test
