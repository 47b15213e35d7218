#pragma once
// Takes the secrets of a request out of what the other side says about it: servers answer with the
// path that they were asked for, and the path of a webhook is often its key. Used by send_http for
// answers and errors before anything is cut from them or shown.

#include <string>
#include <string_view>
#include <vector>

namespace timectl::sinks {

class Redaction {
 public:
  // The URL's path and query: each as a whole, decoded, and by its longer parts; and `others`.
  Redaction(std::string_view path, const std::vector<std::string>& others);

  // Each of them is replaced by "…", whatever the case of its letters.
  [[nodiscard]] std::string of(std::string_view text) const;

 private:
  void hide(std::string_view secret);
  void hide_parts(std::string_view text, std::string_view separators);

  std::vector<std::string> secrets_;  // lower case, the longest first
};

}  // namespace timectl::sinks
