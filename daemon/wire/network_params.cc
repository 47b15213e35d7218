#include "daemon/wire/network_params.h"

namespace timectl::wire {
namespace {

// Hex text to bytes at compile time: a wrong digit does not compile.
template <std::size_t N>
consteval std::array<std::uint8_t, (N - 1) / 2> hex(const char (&text)[N]) {
  std::array<std::uint8_t, (N - 1) / 2> bytes{};
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const int high = hex_digit(text[2 * i]);
    const int low = hex_digit(text[2 * i + 1]);
    if (high < 0 || low < 0) throw "not a hex digit";
    bytes[i] = static_cast<std::uint8_t>(high * 16 + low);
  }
  return bytes;
}

constexpr NetworkParams mainnet{
    Network::mainnet,
    "mainnet",
    {0xC0, 0x1D, 0x7E, 0x4D},
    24000,
    1776211200,
    hex("45181d4c65a3a2bcc2215d037267bee4cc2248f21764466846d2b7218b601ce5")};

constexpr NetworkParams testnet{
    Network::testnet,
    "testnet",
    {0x54, 0x49, 0x4D, 0x45},
    24100,
    1764547200,
    hex("b9523431d4e59a1b41d757a8c0f01ed023c11123761b1455e4644ef9d5599ff6")};

// Protocol 13.3, without frame header and variant index.
constexpr auto mainnet_genesis =
    hex("010000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
        "000000"
        "0000000000000000000000000000000000000000000000000000000000d5de690000000000e40b540200000000"
        "000000"
        "000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
        "000000"
        "000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
        "000000"
        "00000000000000000000000001000000000000000000000000000000000000e40b540200000000000000000000"
        "000000"
        "000000000000000000000000000000000000000000000100");

constexpr auto testnet_genesis =
    hex("010000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
        "000000"
        "0000000000000000000000000000000000000000000000000000000080da2c690000000000e40b54020000000f"
        "000000"
        "000000003136352e3233322e3135342e3135300000000000000000000000000000000000000000000000000000"
        "000000"
        "000000060000000000000000000000000000000000000000000000000000000000000000000000000000000000"
        "000000"
        "000000000000000000000000000000000000000100000000000000fc0100000000000000000000000000000000"
        "000065"
        "cd1d00000000000000000000000006000000000000000c0000000000000036342e39312e3234312e3130000000"
        "000000"
        "00000f000000000000003137382e3132382e3139392e31343400000000000000000c0000000000000035302e32"
        "382e31"
        "30342e353000000000000000000e000000000000003136352e38342e3231352e31313700000000000000000f00"
        "000000"
        "0000003136352e3233322e3135342e31353000e40b54020000000e0000000000000036392e3136372e3136382e"
        "313736"
        "0000000000000000000000000000000000000000000000000100");

}  // namespace

const NetworkParams& params_of(Network network) {
  return network == Network::mainnet ? mainnet : testnet;
}

std::optional<Network> network_from_name(std::string_view name) {
  if (name == mainnet.name) return Network::mainnet;
  if (name == testnet.name) return Network::testnet;
  return std::nullopt;
}

Bytes genesis_block(Network network) {
  return network == Network::mainnet ? Bytes(mainnet_genesis) : Bytes(testnet_genesis);
}

std::uint64_t expected_height(Network network, std::int64_t unix_seconds) {
  const std::int64_t genesis = params_of(network).genesis_time;
  if (unix_seconds < genesis) return 0;
  return static_cast<std::uint64_t>((unix_seconds - genesis) / block_seconds);
}

}  // namespace timectl::wire
