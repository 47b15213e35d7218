#pragma once
// IPv4 packets as the LinkEmulator reads, changes and forges them. Plain functions on bytes; who
// calls them has checked that there is a whole IP header.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace timectl::test {

using Packet = std::vector<std::uint8_t>;

inline constexpr std::size_t kIpHeader = 20;
inline constexpr std::size_t kTcpHeader = 20;

// Big-endian numbers at a place of the packet.
[[nodiscard]] std::uint32_t word(const Packet& packet, std::size_t at, std::size_t bytes);
void put(Packet& packet, std::size_t at, std::size_t bytes, std::uint32_t value);

// Where the TCP header begins; none where the packet has no whole one.
[[nodiscard]] std::optional<std::size_t> tcp_header(const Packet& packet);
[[nodiscard]] bool opens_connection(const Packet& packet);  // a SYN without an ACK
// Both with a right checksum.
void set_source_port(Packet& packet, std::uint16_t port);
void set_destination_port(Packet& packet, std::uint16_t port);

enum class Resets : std::uint8_t;
// What a node is told about `sent`; empty where that is no TCP segment with data.
[[nodiscard]] Packet reset_for(const Packet& sent, Resets kind);
// The first packet of a connection attempt, as of a Linux host.
[[nodiscard]] Packet syn(std::uint32_t from, std::uint16_t from_port, std::uint32_t to,
                         std::uint16_t to_port, std::uint32_t number);

}  // namespace timectl::test
