// Any payload of a peer as a batch on top of genesis: the job ends with a result, what it says to
// have stored is there, and nothing else is.
#include <stdlib.h>

#include <filesystem>
#include <optional>
#include <stdexcept>

#include "daemon/chain_jobs.h"
#include "daemon/wire/codec.h"
#include "daemon/wire/messages.h"
#include "tests/fuzz/fuzz.h"

namespace timectl {
namespace {

using timectl::fuzz::require;

// One file for all inputs: each is stored as a branch, which is dropped again.
class Chain {
 public:
  Chain() {
    const std::filesystem::path memory = "/dev/shm";
    const auto parent =
        std::filesystem::exists(memory) ? memory : std::filesystem::temp_directory_path();
    path_ = (parent / "timectl-fuzz-XXXXXX").string();
    if (::mkdtemp(path_.data()) == nullptr) throw std::runtime_error("no directory");
    file_.emplace(
        store::ChainFile::open(path_, Network::testnet, store::OpenMode::read_write).value());
  }
  ~Chain() {
    file_.reset();
    std::filesystem::remove_all(path_);
  }
  Chain(const Chain&) = delete;
  Chain& operator=(const Chain&) = delete;
  store::ChainFile& file() { return *file_; }

 private:
  std::string path_;
  std::optional<store::ChainFile> file_;
};

// What whoever received it takes it for.
std::vector<chain::Height> heights_of(wire::Bytes payload) {
  std::vector<chain::Height> heights;
  wire::Arena arena;
  const auto decoded = wire::decode(payload, arena);
  const auto* answer =
      decoded ? std::get_if<wire::msg::BlocksResponse>(&decoded->message) : nullptr;
  if (answer == nullptr) return {1};
  for (const auto& block : answer->blocks) heights.push_back(block.header.height);
  return heights;
}

void try_batch(Chain& chain, wire::Bytes payload) {
  constexpr std::int64_t kLater = 1000;  // blocks: no time of day refuses the first
  const auto& params = wire::params_of(wire::Network::testnet);
  chain::VerifyJob job;
  job.staged = true;
  job.at.network = wire::Network::testnet;
  job.at.parent = chain.file().tip().block;
  job.at.now = WallTime(std::chrono::seconds(params.genesis_time + kLater * wire::block_seconds));
  auto batch = std::make_shared<chain::BlockBatch>();
  batch->payload.assign(payload.begin(), payload.end());
  batch->heights = heights_of(payload);
  const std::size_t promised = batch->heights.size();
  job.batch = std::move(batch);
  static wire::Arena arena;
  const auto result = do_job(chain.file(), arena, job);
  require(result.has_value(), "a peer's bytes are no failure of the store");
  const auto& done = std::get<chain::VerifyDone>(*result);
  require(done.refused || done.hashes.size() == promised, "what is not stored is refused");
  require(done.tip.has_value() == !done.hashes.empty(), "a tip where blocks were stored");
  require(chain.file().staged_tip().value() == done.tip, "what is said to be stored is");
  require(!done.tip || done.tip->block.hash == done.hashes.back(), "the last is the tip");
  require(!done.tip || done.tip->block.height == done.hashes.size(), "without a gap");
  require(chain.file().drop_staged().has_value(), "and goes again");
}

}  // namespace
}  // namespace timectl

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static timectl::Chain chain;
  timectl::try_batch(chain, {data, size});
  return 0;
}
