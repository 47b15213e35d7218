#pragma once
// What the tests of chain.db share.

#include <string>

#include "store/chain_file.h"
#include "tests/store/state_directory.h"
#include "tests/support/chain_fill.h"

namespace timectl::store {

using test::BlocksToStore;
using test::ChainMaker;

class ChainDirectory {
 public:
  [[nodiscard]] const std::filesystem::path& path() const { return directory_.path(); }
  [[nodiscard]] std::filesystem::path file() const { return path() / kChainFile; }
  [[nodiscard]] Result<ChainFile> open(OpenMode mode = OpenMode::read_write,
                                       Network network = Network::testnet) const {
    return ChainFile::open(path(), network, mode);
  }
  // One number of the closed file, as the sqlite3 shell reads it.
  [[nodiscard]] std::int64_t number(const std::string& sql) const {
    SQLite::Database db(file().string(), SQLite::OPEN_READONLY);
    return db.execAndGet(sql).getInt64();
  }

 private:
  StateDirectory directory_;
};

inline std::string said(const Error& error) {
  return error.message + ": " + error.because;
}

// Every height of the best chain with its hash and, where it is kept, its bytes: what a crash must
// leave whole.
inline void expect_continuous(const ChainFile& file) {
  const auto tip = file.tip();
  wire::Hash32 parent = file.hash_at(0).value();
  for (chain::Height height = 1; height <= tip.block.height; ++height) {
    const auto raw = file.bodies(height, height, 0);
    ASSERT_EQ(raw.size(), 1U) << "no body at " << height;
    const BlocksToStore block(raw);
    ASSERT_EQ(block.blocks()[0].hash, file.hash_at(height)) << height;
    const auto place = std::span(raw[0]).subspan(12, 32);
    ASSERT_TRUE(std::equal(place.begin(), place.end(), parent.begin())) << "parts at " << height;
    parent = block.blocks()[0].hash;
  }
  EXPECT_EQ(parent, tip.block.hash);
  EXPECT_FALSE(file.hash_at(tip.block.height + 1));
}

}  // namespace timectl::store
