#pragma once
// The file of the control socket: made with the right owner and mode before anybody can connect,
// a stale one replaced, a live one never. The server listens on the descriptor; Asio is not needed
// here. Call it only while holding the database's lock: that settles who may replace the file.

#include <sys/types.h>

#include <optional>
#include <string>

#include "daemon/control/api.h"
#include "daemon/core/result.h"

namespace timectl::control {

// A bound and listening descriptor (non-blocking, close-on-exec) and its file, which is removed
// with the object unless somebody else has put another one there.
class SocketFile {
 public:
  // Makes the directory (0750) if it is missing, binds with mode 0660 and, if given, the group.
  // Errors: node_already_running where something listens on it; cannot_create with the reason.
  [[nodiscard]] static Result<SocketFile> create(const std::string& path,
                                                 const std::optional<std::string>& group);
  SocketFile(SocketFile&& other) noexcept;
  SocketFile& operator=(SocketFile&&) = delete;
  ~SocketFile();

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] gid_t group() const { return group_; }  // the file's
  // The descriptor is the caller's from now on.
  [[nodiscard]] int release_descriptor();
  // Removes the file now, so that no command finds a node that is on its way out.
  void remove();

 private:
  SocketFile() = default;
  std::string path_;
  int descriptor_ = -1;
  gid_t group_ = 0;
  dev_t device_ = 0;
  ino_t inode_ = 0;
};

// The name of a user or group, or its number where there is no name. Bounded.
[[nodiscard]] std::string user_name(uid_t uid);
[[nodiscard]] std::string group_name(gid_t gid);

// The kernel's word on who connected. SO_PEERGROUPS has the groups of the process itself, so no
// name service (getgrouplist asks one, and may hang) decides about access.
[[nodiscard]] std::optional<Actor> actor_of(int descriptor);

}  // namespace timectl::control
