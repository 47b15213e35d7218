// timectl_chain_fill DIR NETWORK SEED COUNT [BRANCH_AT BRANCH_SEED BRANCH_COUNT]: makes
// DIR/chain.db with COUNT generated blocks above genesis and prints its height and hash. With a
// branch: BRANCH_AT blocks of SEED, then BRANCH_COUNT of BRANCH_SEED (COUNT is not used).
#include <charconv>
#include <cstdio>
#include <string_view>

#include "daemon/core/reflect.h"
#include "tests/support/chain_fill.h"

namespace {

bool read_number(std::string_view text, std::uint64_t& number) {
  const auto end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, number);
  return read.ec == std::errc() && read.ptr == end;
}

}  // namespace

int main(int argc, char** argv) {
  timectl::test::FillOptions options;
  std::uint64_t numbers[5] = {};
  bool good = argc == 5 || argc == 8;
  for (int i = 3; good && i < argc; ++i) good = read_number(argv[i], numbers[i - 3]);
  const auto network = good ? timectl::wire::network_from_name(argv[2]) : std::nullopt;
  if (!network) {
    std::fputs(
        "timectl_chain_fill DIR mainnet|testnet SEED COUNT [BRANCH_AT BRANCH_SEED BRANCH_COUNT]\n",
        stderr);
    return 64;
  }
  options.directory = argv[1];
  options.chain.network = *network;
  options.chain.seed = numbers[0];
  options.count = numbers[1];
  if (argc == 8) options.branch = {numbers[2], numbers[3], numbers[4]};
  const auto tip = timectl::test::fill_directory(options);
  if (!tip) {
    std::fprintf(stderr, "%s: %s\n", tip.error().message.c_str(), tip.error().because.c_str());
    return 1;
  }
  std::printf("%llu %s\n", static_cast<unsigned long long>(tip->block.height),
              timectl::wire::to_hex(tip->block.hash).c_str());
  return 0;
}
