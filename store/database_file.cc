#include "store/database_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace timectl::store {
namespace {

constexpr off_t kRoomForANewDatabase = 262'144;

}  // namespace

void throw_damaged(const std::filesystem::path& file, const std::string& because) {
  throw StoreFailure{Error{Code::database_damaged,
                           file.string() + " is damaged",
                           because,
                           {"timectl db check", "timectl db restore FILE"}}};
}

bool log_is_there(const std::filesystem::path& file) {
  struct stat status {};
  for (const char* suffix : {"-wal", "-journal"}) {
    if (::stat((file.string() + suffix).c_str(), &status) == 0 && status.st_size > 0) return true;
  }
  return false;
}

// SQLite takes an empty file for a new database and would forget everything without a word.
Presence look_at(const std::filesystem::path& file) {
  struct stat status {};
  if (::lstat(file.c_str(), &status) != 0) {
    if (errno != ENOENT) {
      throw StoreFailure{Error{errno == EACCES ? Code::access_denied : Code::input_output,
                               "cannot read " + file.string(), std::strerror(errno)}};
    }
    if (log_is_there(file)) throw_damaged(file, "it is missing, but its write-ahead log is there");
    return Presence::none;
  }
  if (!S_ISREG(status.st_mode)) {
    throw StoreFailure{Error{Code::database_unwritable,
                             file.string() + " is no regular file",
                             "a link or device could lead the database elsewhere",
                             {"move the data with --data-dir or node.data_dir instead"}}};
  }
  if (status.st_size == 0) throw_damaged(file, "it is empty: it was cut off");
  if ((status.st_mode & 0077U) != 0) ::chmod(file.c_str(), 0600);
  return Presence::file;
}

void create_database(const std::filesystem::path& file,
                     const std::function<void(Connection&)>& fill) {
  const std::filesystem::path unfinished = file.string() + ".new";
  remove_database_files(unfinished);
  const int descriptor =
      ::open(unfinished.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (descriptor < 0) {
    const Code code = errno == ENOSPC || errno == EDQUOT ? Code::database_full
                      : errno == EROFS                   ? Code::database_unwritable
                                                         : Code::cannot_create;
    throw StoreFailure{Error{code, "cannot create " + file.string(), std::strerror(errno)}};
  }
  // Asked for beforehand, because SQLite keeps the reason of a write that fails half-way to itself.
  const int no_room = ::posix_fallocate(descriptor, 0, kRoomForANewDatabase);
  const bool emptied = ::ftruncate(descriptor, 0) == 0;
  ::close(descriptor);
  if (no_room == ENOSPC || no_room == EDQUOT || no_room == EFBIG || !emptied) {
    remove_database_files(unfinished);
    throw StoreFailure{
        Error{Code::database_full, "cannot create " + file.string(), std::strerror(no_room)}};
  }
  try {
    {
      // Pages that retention frees go back to the file system; settable only before the first
      // table, and journal_mode=WAL has made the first page already.
      SQLite::Database empty(unfinished.string(), SQLite::OPEN_READWRITE);
      empty.exec("PRAGMA auto_vacuum=INCREMENTAL; VACUUM");
    }
    Connection connection(unfinished, Access::writer);
    fill(connection);
    connection.close();
  } catch (...) {
    remove_database_files(unfinished);
    throw;
  }
  std::filesystem::rename(unfinished, file);
  sync_directory(file.parent_path());
}

}  // namespace timectl::store
