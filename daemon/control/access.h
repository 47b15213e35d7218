#pragma once
// Who may call what: a pure decision from the credentials that the kernel vouches for
// (SO_PEERCRED, SO_PEERGROUPS) and the privilege in the method table. Methods::call asks it once
// per call; no handler checks anything by itself.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "daemon/control/api.h"

namespace timectl::control {

struct AccessPolicy {
  std::uint32_t node_uid = 0;               // the user the node runs as
  std::vector<std::string> operators = {};  // node.operators: user names
  // The group that owns the socket file. Its mode 0660 keeps others out before they can ask; the
  // check here holds where an ACL or a wrong mode let them through.
  std::optional<std::uint32_t> socket_group = {};
  std::string group_name = {};  // for the message
};

struct AccessDecision {
  bool allowed = false;
  std::string because = {};  // of a denial: who lacks what, for people
};

// read: root, the node's user, operators, members of the socket's group. operate and admin: the
// first three.
[[nodiscard]] AccessDecision decide_access(const Actor& actor, Privilege privilege,
                                           const AccessPolicy& policy);

}  // namespace timectl::control
