#pragma once
// The files of the page, which are part of the binary: made from daemon/web/page/ at build time by
// cmake/embed_page.cmake. There is no path from a request to the file system.

#include <span>
#include <string_view>

namespace timectl::web {

struct Asset {
  std::string_view path;  // "/app.js"; the page itself is "/"
  std::string_view type;  // of its content
  std::string_view etag;  // with its quotes; the hash of the content
  std::string_view body;
};

[[nodiscard]] std::span<const Asset> assets();

}  // namespace timectl::web
