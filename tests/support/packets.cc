#include "tests/support/packets.h"

#include <algorithm>

#include "tests/support/link_emulator.h"

namespace timectl::test {
namespace {

constexpr std::uint8_t kIcmp = 1;
constexpr std::uint8_t kTcp = 6;
constexpr std::uint8_t kSyn = 2;
constexpr std::uint8_t kRst = 4;
constexpr std::uint8_t kAck = 16;

// RFC 1071, on top of `sum`; a last odd byte counts as the upper half of a word.
std::uint32_t checksum(const Packet& packet, std::size_t from, std::size_t to, std::uint32_t sum) {
  for (std::size_t i = from; i < to; i += 2) {
    sum += i + 1 < to ? word(packet, i, 2) : word(packet, i, 1) << 8U;
  }
  while (sum > 0xffff) sum = (sum & 0xffffU) + (sum >> 16U);
  return ~sum & 0xffffU;
}

Packet ip_packet(std::size_t size, std::uint8_t protocol, std::uint32_t from, std::uint32_t to) {
  Packet packet(size, 0);
  packet[0] = 0x45;
  put(packet, 2, 2, static_cast<std::uint32_t>(size));
  packet[8] = 64;
  packet[9] = protocol;
  put(packet, 12, 4, from);
  put(packet, 16, 4, to);
  put(packet, 10, 2, checksum(packet, 0, kIpHeader, 0));
  return packet;
}

Packet answer_to(const Packet& sent, std::size_t size, std::uint8_t protocol) {
  return ip_packet(size, protocol, word(sent, 16, 4), word(sent, 12, 4));
}

// RFC 9293: over the segment and a header of what the IP header says.
void seal(Packet& packet, std::size_t tcp) {
  put(packet, tcp + 16, 2, 0);
  const auto size = static_cast<std::uint32_t>(packet.size() - tcp);
  const std::uint32_t pseudo = word(packet, 12, 2) + word(packet, 14, 2) + word(packet, 16, 2) +
                               word(packet, 18, 2) + kTcp + size;
  put(packet, tcp + 16, 2, checksum(packet, tcp, packet.size(), pseudo));
}

// RFC 792: the packet that is answered follows, up to eight bytes of its payload.
Packet unreachable_for(const Packet& sent) {
  constexpr std::size_t quoted = kIpHeader + 8;
  Packet packet = answer_to(sent, kIpHeader + 8 + quoted, kIcmp);
  packet[kIpHeader] = 3;
  packet[kIpHeader + 1] = 1;
  std::copy_n(sent.begin(), quoted, packet.begin() + kIpHeader + 8);
  put(packet, kIpHeader + 2, 2, checksum(packet, kIpHeader, packet.size(), 0));
  return packet;
}

}  // namespace

std::uint32_t word(const Packet& packet, std::size_t at, std::size_t bytes) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < bytes; ++i) value = value << 8U | packet[at + i];
  return value;
}

void put(Packet& packet, std::size_t at, std::size_t bytes, std::uint32_t value) {
  for (std::size_t i = bytes; i-- > 0; value >>= 8U) {
    packet[at + i] = static_cast<std::uint8_t>(value);
  }
}

std::optional<std::size_t> tcp_header(const Packet& packet) {
  const std::size_t at = static_cast<std::size_t>(packet[0] & 15U) * 4;
  if (packet[9] != kTcp || packet.size() < at + kTcpHeader) return std::nullopt;
  return at;
}

bool opens_connection(const Packet& packet) {
  const auto tcp = tcp_header(packet);
  return tcp && (packet[*tcp + 13] & (kSyn | kAck)) == kSyn;
}

void set_source_port(Packet& packet, std::uint16_t port) {
  const auto tcp = tcp_header(packet);
  if (!tcp) return;
  put(packet, *tcp, 2, port);
  seal(packet, *tcp);
}

void set_destination_port(Packet& packet, std::uint16_t port) {
  const auto tcp = tcp_header(packet);
  if (!tcp) return;
  put(packet, *tcp + 2, 2, port);
  seal(packet, *tcp);
}

Packet reset_for(const Packet& sent, Resets kind) {
  const auto at = tcp_header(sent);
  if (!at) return {};
  const std::size_t ip = *at;
  const std::size_t header = static_cast<std::size_t>(sent[ip + 12] >> 4U) * 4;
  if (sent.size() <= ip + header) return {};
  if (kind == Resets::unreachable) return unreachable_for(sent);
  Packet reset = answer_to(sent, kIpHeader + kTcpHeader, kTcp);
  put(reset, kIpHeader, 2, word(sent, ip + 2, 2));
  put(reset, kIpHeader + 2, 2, word(sent, ip, 2));
  const std::uint32_t next = word(sent, ip + 8, 4);  // what the node expects from its peer
  put(reset, kIpHeader + 4, 4, kind == Resets::exact ? next : next + 1000);
  reset[kIpHeader + 12] = kTcpHeader / 4 << 4U;
  reset[kIpHeader + 13] = kRst;
  seal(reset, kIpHeader);
  return reset;
}

Packet syn(std::uint32_t from, std::uint16_t from_port, std::uint32_t to, std::uint16_t to_port,
           std::uint32_t number) {
  Packet packet = ip_packet(kIpHeader + kTcpHeader, kTcp, from, to);
  put(packet, kIpHeader, 2, from_port);
  put(packet, kIpHeader + 2, 2, to_port);
  put(packet, kIpHeader + 4, 4, number);
  packet[kIpHeader + 12] = kTcpHeader / 4 << 4U;
  packet[kIpHeader + 13] = kSyn;
  put(packet, kIpHeader + 14, 2, 0xffff);  // the window
  seal(packet, kIpHeader);
  return packet;
}

}  // namespace timectl::test
