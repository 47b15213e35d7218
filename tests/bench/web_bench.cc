// What open dashboards cost: 200 streams of a board with 125 and with 500 masternodes, whose rows
// change as those of a live node do (a ping each 15 s), and the time to the page's last byte.
// Not a loop of google-benchmark: the figure is a share of a core over ten seconds of real time.
//   web_bench [STREAMS [SECONDS]]
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "daemon/dashboard_board.h"
#include "daemon/web/server.h"

namespace timectl {
namespace {

using Clock = std::chrono::steady_clock;

const std::string kToken(64, 'a');

int connect_to(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) ::abort();
  return fd;
}

void ask(int fd, const std::string& target) {
  const auto text = "GET " + target + " HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " +
                    kToken + "\r\nConnection: close\r\n\r\n";
  if (::send(fd, text.data(), text.size(), MSG_NOSIGNAL) < 0) ::abort();
}

// Reads as browsers do, in a process of its own, so that its work is not the server's.
pid_t start_readers(std::uint16_t port, int streams) {
  const pid_t pid = ::fork();
  if (pid != 0) return pid;
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  std::vector<pollfd> clients;
  for (int i = 0; i < streams; ++i) {
    const int fd = connect_to(port);
    ask(fd, "/api/stream");
    clients.push_back({.fd = fd, .events = POLLIN, .revents = 0});
  }
  std::array<char, 65'536> buffer{};
  while (::poll(clients.data(), clients.size(), -1) > 0) {
    for (auto& client : clients) {
      if (client.revents != 0 && ::recv(client.fd, buffer.data(), buffer.size(), 0) <= 0) {
        ::_exit(1);
      }
    }
  }
  ::_exit(0);
}

double worked(int who) {
  rusage usage{};
  (void)::getrusage(who, &usage);
  const auto seconds_of = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime);
}

control::OverviewReply overview_of(std::uint32_t masternodes) {
  control::OverviewReply overview;
  for (std::uint32_t i = 0; i < masternodes; ++i) {
    control::MasternodeRow row;
    row.ip =
        IpAddress::v4(198, 51, static_cast<std::uint8_t>(i >> 8U), static_cast<std::uint8_t>(i));
    row.label = "masternode-" + std::to_string(i);
    row.state = PeerState::connected;
    row.whitelisted = true;
    row.rtt_ms = 20;
    row.score = 99.5;
    row.height = 123'456;
    row.bytes_in = 1000;
    row.bytes_out = 1000;
    overview.masternodes.push_back(std::move(row));
  }
  return overview;
}

void run(std::uint32_t masternodes, int streams, int seconds) {
  web::Server server({.token = kToken});
  const auto port = server.listen({});
  if (!port) ::abort();
  server.run();
  auto overview = overview_of(masternodes);
  const pid_t readers = start_readers(*port, streams);
  const auto pause = [](int milliseconds) { (void)::poll(nullptr, 0, milliseconds); };
  while (server.streams() < static_cast<std::size_t>(streams)) pause(10);
  (void)server.update([&](web::Board& board) { show_overview(board, overview); });
  pause(1000);

  const double before = worked(RUSAGE_SELF);
  const auto begin = Clock::now();
  for (int second = 0; second < seconds; ++second) {
    ++overview.peers.known;  // the status changes, too
    for (std::size_t i = static_cast<std::size_t>(second) % 15; i < overview.masternodes.size();
         i += 15) {
      *overview.masternodes[i].bytes_in += 100;
    }
    (void)server.update([overview](web::Board& board) { show_overview(board, overview); });
    pause(1000);
  }
  const double wall = std::chrono::duration<double>(Clock::now() - begin).count();
  std::printf("%3d streams, %3u masternodes: %.2f %% of a core\n", streams, masternodes,
              100 * (worked(RUSAGE_SELF) - before) / wall);
  (void)::kill(readers, SIGKILL);
  (void)::waitpid(readers, nullptr, 0);
}

void load_page() {
  web::Server server({.token = kToken});
  const auto port = server.listen({});
  if (!port) ::abort();
  server.run();
  std::array<char, 65'536> buffer{};
  std::size_t bytes = 0;
  constexpr int kRounds = 100;
  const auto begin = Clock::now();
  for (int i = 0; i < kRounds; ++i) {
    for (const auto& asset : web::assets()) {
      const int fd = connect_to(*port);
      ask(fd, std::string(asset.path));
      for (ssize_t size = 0; (size = ::recv(fd, buffer.data(), buffer.size(), 0)) > 0;) {
        bytes += static_cast<std::size_t>(size);
      }
      ::close(fd);
    }
  }
  const auto took = std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
  std::printf("the page, %zu files one after the other, %zu bytes: %.2f ms\n", web::assets().size(),
              bytes / kRounds, took / kRounds);
}

}  // namespace
}  // namespace timectl

int main(int argc, char** argv) {
  const int streams = argc > 1 ? std::atoi(argv[1]) : 200;
  const int seconds = argc > 2 ? std::atoi(argv[2]) : 10;
  timectl::load_page();
  for (const std::uint32_t masternodes : {20U, 125U, 500U}) {
    timectl::run(masternodes, streams, seconds);
  }
  return 0;
}
