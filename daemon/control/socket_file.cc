#include "daemon/control/socket_file.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

namespace timectl::control {
namespace {

constexpr std::size_t kMaxGroups = 1024;

constexpr std::size_t kNameBuffer = 16384;  // of getpwuid_r; more is treated as no name
constexpr int kBacklog = 64;

Error cannot(const std::string& path, const std::string& because, std::string remedy = {}) {
  Error error{Code::cannot_create, "cannot create the control socket " + path, because};
  if (!remedy.empty()) error.remedy.push_back(std::move(remedy));
  return error;
}

std::string reason(int number) {
  return std::error_code(number, std::generic_category()).message();
}

Result<sockaddr_un> address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof(address.sun_path) ||
      path.find('\0') != std::string::npos) {
    return cannot(path, "a socket's path has 1 to 107 bytes", "give a shorter one with --socket");
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

int open_socket() {
  return ::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

int connect_to(int descriptor, const sockaddr_un& address) {
  const auto* generic = reinterpret_cast<const sockaddr*>(&address);
  return ::connect(descriptor, generic, sizeof address) == 0 ? 0 : errno;
}

// Removes what a dead node left; refuses a live socket and anything that is no socket.
Result<void> clear_stale(const std::string& path, const sockaddr_un& address) {
  struct stat found {};
  if (::lstat(path.c_str(), &found) != 0) {
    if (errno == ENOENT) return {};
    return cannot(path, reason(errno));
  }
  if (!S_ISSOCK(found.st_mode)) {
    return cannot(path, "there is a file that is not a socket", "move it away, or use --socket");
  }
  const int probe = open_socket();
  if (probe < 0) return cannot(path, reason(errno));
  const int failed = connect_to(probe, address);
  ::close(probe);
  // A full backlog (EAGAIN) or a refused permission is a live node, too: only nobody is nobody.
  if (failed != ECONNREFUSED && failed != ENOENT) {
    return Error{Code::node_already_running,
                 "another process listens on " + path,
                 "a live control socket is never replaced",
                 {"timectl node status", "timectl node stop"}};
  }
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) return cannot(path, reason(errno));
  return {};
}

Result<void> make_directory(const std::string& path) {
  const auto folder = std::filesystem::path(path).parent_path();
  if (folder.empty()) return {};
  std::error_code failed;
  if (std::filesystem::is_directory(folder, failed)) return {};
  std::filesystem::create_directories(folder.parent_path(), failed);
  // The node runs with umask 077, which would keep the socket's group out of the directory.
  const mode_t before = ::umask(0027);
  const int made = ::mkdir(folder.c_str(), 0750) == 0 ? 0 : errno;
  ::umask(before);
  if (made != 0 && made != EEXIST) {
    return cannot(path, "directory " + folder.string() + ": " + reason(made));
  }
  return {};
}

Result<gid_t> find_group(const std::string& path, const std::string& name) {
  std::array<char, kNameBuffer> buffer{};
  struct group entry {};
  struct group* found = nullptr;
  const int failed = ::getgrnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found);
  if (failed != 0 || found == nullptr) return cannot(path, "there is no group " + name);
  return found->gr_gid;
}

}  // namespace

Result<SocketFile> SocketFile::create(const std::string& path,
                                      const std::optional<std::string>& group) {
  const auto address = address_of(path);
  if (!address) return address.error();
  std::optional<gid_t> wanted;
  if (group) {
    const auto found = find_group(path, *group);
    if (!found) return found.error();
    wanted = *found;
  }
  if (auto ok = make_directory(path); !ok) return ok.error();
  if (auto ok = clear_stale(path, *address); !ok) return ok.error();

  SocketFile file;
  file.descriptor_ = open_socket();
  if (file.descriptor_ < 0) return cannot(path, reason(errno));
  // The mode must be right from the first moment: a chmod after bind leaves a gap.
  const mode_t before = ::umask(0117);
  const int bound =
      ::bind(file.descriptor_, reinterpret_cast<const sockaddr*>(&*address), sizeof *address) == 0
          ? 0
          : errno;
  ::umask(before);
  if (bound != 0) return cannot(path, reason(bound));
  struct stat made {};
  if (::lstat(path.c_str(), &made) != 0) return cannot(path, reason(errno));
  file.path_ = path;
  file.device_ = made.st_dev;
  file.inode_ = made.st_ino;
  file.group_ = wanted.value_or(made.st_gid);
  if (wanted && ::lchown(path.c_str(), static_cast<uid_t>(-1), *wanted) != 0) {
    return cannot(path, "group " + *group + ": " + reason(errno));
  }
  if (::listen(file.descriptor_, kBacklog) != 0) return cannot(path, reason(errno));
  return file;
}

SocketFile::SocketFile(SocketFile&& other) noexcept
    : path_(std::exchange(other.path_, {})),
      descriptor_(std::exchange(other.descriptor_, -1)),
      group_(other.group_),
      device_(other.device_),
      inode_(other.inode_) {}

SocketFile::~SocketFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
  remove();
}

int SocketFile::release_descriptor() {
  return std::exchange(descriptor_, -1);
}

void SocketFile::remove() {
  const auto path = std::exchange(path_, {});
  struct stat found {};
  if (path.empty() || ::lstat(path.c_str(), &found) != 0) return;
  if (found.st_dev == device_ && found.st_ino == inode_) ::unlink(path.c_str());
}

std::string user_name(uid_t uid) {
  std::array<char, kNameBuffer> buffer{};
  struct passwd entry {};
  struct passwd* found = nullptr;
  if (::getpwuid_r(uid, &entry, buffer.data(), buffer.size(), &found) != 0 || found == nullptr) {
    return std::to_string(uid);
  }
  return found->pw_name;
}

std::string group_name(gid_t gid) {
  std::array<char, kNameBuffer> buffer{};
  struct group entry {};
  struct group* found = nullptr;
  if (::getgrgid_r(gid, &entry, buffer.data(), buffer.size(), &found) != 0 || found == nullptr) {
    return std::to_string(gid);
  }
  return found->gr_name;
}

std::optional<Actor> actor_of(int descriptor) {
  ucred credentials{};
  socklen_t size = sizeof credentials;
  if (::getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) return {};
  Actor actor;
  actor.uid = credentials.uid;
  actor.gid = credentials.gid;
  actor.pid = credentials.pid;
  actor.user = user_name(credentials.uid);
  actor.via = "socket";
  actor.groups.resize(kMaxGroups);
  size = kMaxGroups * sizeof(gid_t);
  // More groups than that: none of them is believed.
  const bool known =
      ::getsockopt(descriptor, SOL_SOCKET, SO_PEERGROUPS, actor.groups.data(), &size) == 0;
  actor.groups.resize(known ? size / sizeof(gid_t) : 0);
  return actor;
}

}  // namespace timectl::control
