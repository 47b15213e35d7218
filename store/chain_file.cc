#include "store/chain_file.h"

#include <algorithm>
#include <system_error>
#include <utility>

#include "daemon/core/reflect.h"
#include "store/chain_rows.h"
#include "store/chain_schema.h"
#include "store/database_file.h"

namespace timectl::store {
namespace {

constexpr const char* kAsideSuffix = ".damaged";
constexpr std::size_t kMaxNetworkName = 32;
// Free pages go back to the file system when they are so much of the file, and so many in one
// transaction. Less is used again by the blocks that come.
constexpr std::int64_t kFreeShare = 4;
constexpr std::int64_t kFreePages = 1024;

wire::Network on_wire(timectl::Network network) {
  return network == timectl::Network::mainnet ? wire::Network::mainnet : wire::Network::testnet;
}

void fill(Connection& connection, timectl::Network network) {
  Transaction transaction(connection, Sync::full);
  create_chain_schema(connection);
  Query(connection, "INSERT INTO about (id, network, paused) VALUES (1, ?, 0)")
      .bind(name_of(network))
      .run();
  insert_block(connection, chain::stored_genesis(on_wire(network)));
  transaction.commit();
}

void check_network(Connection& connection, timectl::Network network) {
  Query query(connection, "SELECT network FROM about WHERE id = 1");
  if (!query.step()) throw_damaged(connection.file(), "it does not say of which network it is");
  const std::string holder = RowReader(query.row(), "about").text(kMaxNetworkName);
  if (holder == name_of(network)) return;
  if (!value_of<timectl::Network>(holder)) {
    throw_damaged(connection.file(), "it is of a network that is none");
  }
  throw StoreFailure{Error{Code::bad_data,
                           "the chain " + connection.file().string() + " is of " + holder +
                               ", not of " + std::string(name_of(network)),
                           "each network has a data directory of its own",
                           {"timectl --network " + holder + " ...", "timectl --data-dir DIR"}}};
}

// Of the whole chain only its two ends: the rest is looked at when it is used.
chain::ChainTip check_ends(Connection& connection, timectl::Network network) {
  const auto genesis = block_at(connection, 0);
  if (!genesis || genesis->block != chain::genesis_parent(on_wire(network))) {
    throw_damaged(connection.file(), "it does not begin with the network's genesis block");
  }
  Query query(connection,
              "SELECT height, hash, timestamp, treasury, header FROM block"
              " ORDER BY height DESC LIMIT 1");
  if (!query.step()) throw_damaged(connection.file(), "it has no block");
  RowReader reader(query.row(), "block");
  const chain::ChainTip tip = read_place(reader);
  const wire::Bytes header(reader.blob(1, wire::max_block_size));
  if (chain::read_header(header) != tip) {
    throw_damaged(connection.file(), "its last header is not that of its last block");
  }
  if (tip.block.height == 0) return tip;
  const auto parent = block_at(connection, tip.block.height - 1);
  const auto place = chain::place_of(header);
  if (!parent || !place || parent->block.hash != place->previous_hash) {
    throw_damaged(connection.file(), "its last block does not go on from the one before it");
  }
  return tip;
}

struct Opened {
  std::unique_ptr<Connection> connection;
  chain::ChainTip tip;
};

Result<Opened> open_checked(const std::filesystem::path& file, timectl::Network network,
                            OpenMode mode) {
  try {
    const bool writes = mode == OpenMode::read_write;
    if (look_at(file) == Presence::none) {
      if (!writes) {
        return Error{Code::not_found,
                     "there is no chain in " + file.parent_path().string() + " yet",
                     "no node has made one"};
      }
      create_database(file, [&](Connection& connection) { fill(connection, network); });
    }
    Opened opened;
    opened.connection =
        std::make_unique<Connection>(file, writes ? Access::writer : Access::untouched);
    check_chain_schema(*opened.connection);
    check_network(*opened.connection, network);
    opened.tip = check_ends(*opened.connection, network);
    return opened;
  } catch (const StoreFailure& failure) {
    return failure.error;
  } catch (const std::filesystem::filesystem_error& exception) {
    return Error{Code::input_output, "opening the chain failed", exception.what()};
  } catch (const SQLite::Exception& exception) {
    return describe_open_failure(file, exception);
  }
}

// One block of bodies(), or nothing where it is not kept.
std::optional<std::vector<std::uint8_t>> read_raw(Query& query, chain::Height height,
                                                  std::size_t room) {
  if (!query.step()) return std::nullopt;
  RowReader reader(query.row(), "body");
  if (reader.counter() != height) return std::nullopt;
  const auto sum = static_cast<std::uint64_t>(reader.integer(
      std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max()));
  const auto header = reader.blob(1, wire::max_block_size);
  const auto rest = reader.blob(0, wire::max_block_size);
  const std::size_t size = header.size() + rest.size();
  if (size > wire::max_block_size || size > room) return std::nullopt;
  std::vector<std::uint8_t> raw;
  raw.reserve(size);
  raw.insert(raw.end(), header.begin(), header.end());
  raw.insert(raw.end(), rest.begin(), rest.end());
  if (chain::checksum(raw) != sum) reader.bad_last("is not what was stored");
  return raw;
}

// Deleted bodies leave free pages, which the next blocks take. Only where there are many (the
// setting was changed) the file is made smaller, step by step.
void give_back_pages(Connection& connection) {
  const auto free = connection.number("PRAGMA freelist_count");
  if (free < kFreePages || free < connection.number("PRAGMA page_count") / kFreeShare) return;
  connection.db().exec("PRAGMA incremental_vacuum(" + std::to_string(kFreePages) + ")");
}

}  // namespace

ChainFile::ChainFile(std::unique_ptr<State> state) : state_(std::move(state)) {}
ChainFile::ChainFile(ChainFile&&) noexcept = default;
ChainFile& ChainFile::operator=(ChainFile&&) noexcept = default;
ChainFile::~ChainFile() = default;

Result<ChainFile> ChainFile::open(const std::filesystem::path& directory, timectl::Network network,
                                  OpenMode mode) {
  auto opened = open_checked(directory / kChainFile, network, mode);
  if (!opened) return of_chain(opened.error());
  return ChainFile(
      std::make_unique<State>(State{std::move(opened->connection), network, mode, opened->tip}));
}

Result<std::filesystem::path> ChainFile::set_aside(const std::filesystem::path& directory) {
  const std::filesystem::path file = directory / kChainFile;
  const std::filesystem::path aside = file.string() + kAsideSuffix;
  try {
    // The file first: ended between two of them, open() refuses what is left, and this is called
    // again for the rest. Without its log the file could pass for a sound one.
    if (std::filesystem::exists(file)) remove_database_files(aside);
    for (const char* suffix : {"", "-wal", "-shm", "-journal"}) {
      std::error_code failed;
      std::filesystem::rename(file.string() + suffix, aside.string() + suffix, failed);
      if (failed && failed != std::errc::no_such_file_or_directory) {
        return Error{Code::input_output, "cannot put " + file.string() + " aside",
                     failed.message()};
      }
    }
    sync_directory(directory);
  } catch (const StoreFailure& failure) {
    return failure.error;
  } catch (const std::filesystem::filesystem_error& exception) {
    return Error{Code::input_output, "cannot put " + file.string() + " aside", exception.what()};
  }
  return aside;
}

Result<ChainFile> ChainFile::open_reader() const {
  const std::filesystem::path& file = state_->connection->file();
  // Opened for reading only there is no writer beside it, and no log may come into being.
  const Access access = state_->mode == OpenMode::read_only ? Access::untouched : Access::reader;
  try {
    auto connection = std::make_unique<Connection>(file, access);
    return ChainFile(std::make_unique<State>(
        State{std::move(connection), state_->network, OpenMode::read_only, state_->tip}));
  } catch (const SQLite::Exception& exception) {
    return of_chain(describe_open_failure(file, exception));
  }
}

chain::ChainTip ChainFile::tip() const {
  if (state_->mode == OpenMode::read_write) return state_->tip;
  auto read = guarded(*state_->connection, "reading the chain", [&]() -> Result<chain::ChainTip> {
    return highest_block(*state_->connection).value_or(state_->tip);
  });
  if (read) {
    state_->tip = *read;
  } else {
    state_->read_failure = of_chain(read.error());
  }
  return state_->tip;
}

std::optional<chain::ChainTip> ChainFile::at(chain::Height height) const {
  using Found = std::optional<chain::ChainTip>;
  auto read = guarded(*state_->connection, "reading the chain",
                      [&]() -> Result<Found> { return block_at(*state_->connection, height); });
  if (read) return *read;
  state_->read_failure = of_chain(read.error());
  return std::nullopt;
}

std::optional<wire::Hash32> ChainFile::hash_at(chain::Height height) const {
  const auto found = at(height);
  return found ? std::optional(found->block.hash) : std::nullopt;
}

std::vector<std::vector<std::uint8_t>> ChainFile::bodies(chain::Height first, chain::Height last,
                                                         std::size_t most_bytes) const {
  std::vector<std::vector<std::uint8_t>> blocks;
  auto read = guarded(*state_->connection, "reading blocks", [&]() -> Result<void> {
    Query query(*state_->connection,
                "SELECT body.height, body.sum, block.header, body.rest"
                " FROM body JOIN block ON block.height = body.height"
                " WHERE body.height BETWEEN ? AND ? ORDER BY body.height");
    query.bind(bounded(first), bounded(last));
    std::size_t used = 0;
    // The first is given however little is asked for.
    while (auto raw = read_raw(query, first + blocks.size(),
                               blocks.empty() ? wire::max_block_size : most_bytes - used)) {
      used = std::min(most_bytes, used + raw->size());
      blocks.push_back(std::move(*raw));
    }
    return {};
  });
  // What was read before the failure is sound.
  if (!read) state_->read_failure = of_chain(read.error());
  return blocks;
}

const std::optional<Error>& ChainFile::read_failure() const {
  return state_->read_failure;
}

Result<void> ChainFile::append(std::span<const chain::ChainBlock> blocks) {
  if (blocks.empty()) return {};
  if (auto fits = check_continuous(state_->tip.block, blocks); !fits) return fits;
  Connection& connection = *state_->connection;
  auto done = in_transaction(connection, Sync::relaxed, "storing blocks", [&]() -> Result<void> {
    for (const auto& block : blocks) insert_block(connection, block);
    return {};
  });
  if (!done) return of_chain(done.error());
  state_->tip = tip_of(blocks.back());
  return {};
}

Result<std::size_t> ChainFile::prune(std::uint64_t keep, std::size_t most) {
  const chain::Height tip = state_->tip.block.height;
  if (tip <= keep || most == 0) return std::size_t{0};
  Connection& connection = *state_->connection;
  std::size_t pruned = 0;
  auto done = in_transaction(connection, Sync::relaxed, "pruning blocks", [&]() -> Result<void> {
    Query query(connection,
                "DELETE FROM body WHERE height IN"
                " (SELECT height FROM body WHERE height < ? ORDER BY height LIMIT ?)");
    query.bind(bounded(tip - keep), bounded(most)).run();
    pruned = static_cast<std::size_t>(connection.db().getChanges());
    if (pruned > 0) give_back_pages(connection);
    return {};
  });
  if (!done) return of_chain(done.error());
  return pruned;
}

Result<std::optional<chain::Height>> ChainFile::lowest_body() const {
  using Found = std::optional<chain::Height>;
  Connection& connection = *state_->connection;
  return of_chain(guarded(connection, "reading the chain", [&]() -> Result<Found> {
    Query query(connection, "SELECT height FROM body ORDER BY height LIMIT 1");
    if (!query.step()) return Found();
    return Found(RowReader(query.row(), "body").counter());
  }));
}

}  // namespace timectl::store
