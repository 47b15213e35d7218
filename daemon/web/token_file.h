#pragma once
// The token: 256 random bits as 64 hexadecimal digits in a file. Who can read the file may look at
// the node, which are those who may use its control socket: the file has the socket's group and
// mode 0640. Made at start where it is missing; a file that others could have read or written is
// refused, never mended, because its secret is none any more.

#include <sys/types.h>

#include <string>
#include <string_view>

#include "daemon/core/result.h"

namespace timectl::web {

// The token in the file, which is made if there is none. `group`: of a new file.
// Errors: cannot_create; bad_data for a link, a file of somebody else, one that everybody may read
// or others may write, or one that holds no token: each says what to do.
[[nodiscard]] Result<std::string> open_token(const std::string& path, gid_t group);
// 32 to 128 letters, digits, '-', '_' (an operator may write an own one): safe in a cookie and a
// link.
[[nodiscard]] bool is_token(std::string_view text);

}  // namespace timectl::web
