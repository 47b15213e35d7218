#include "daemon/control/access.h"

#include <algorithm>

#include "daemon/core/reflect.h"

namespace timectl::control {

AccessDecision decide_access(const Actor& actor, Privilege privilege, const AccessPolicy& policy) {
  if (actor.uid == 0 || actor.uid == policy.node_uid) return {true};
  if (std::ranges::find(policy.operators, actor.user) != policy.operators.end()) return {true};
  const std::string who = "user " + (actor.user.empty() ? std::to_string(actor.uid) : actor.user);
  if (privilege != Privilege::read) {
    return {false, who + " is neither root, nor the node's user, nor in node.operators"};
  }
  if (policy.socket_group &&
      (actor.gid == *policy.socket_group ||
       std::ranges::find(actor.groups, *policy.socket_group) != actor.groups.end())) {
    return {true};
  }
  if (!policy.socket_group) return {false, who + " is not the node's user"};
  return {false, who + " is not in group " +
                     (policy.group_name.empty() ? std::to_string(*policy.socket_group)
                                                : policy.group_name)};
}

}  // namespace timectl::control
