#include "cmd/past_text.h"

#include <fmt/format.h>

#include "cmd/table.h"

namespace timectl::cmd {

std::string past_text(const Output& out, const control::PastSource& past) {
  const auto span = [](double seconds) {
    return human_duration(Duration(static_cast<Duration::rep>(seconds * 1e6)));
  };
  std::string text = fmt::format("as of {}: from the {} that began at {}", out.time(past.as_of),
                                 span(past.sample_seconds), out.time(past.sample_at));
  if (past.observed_seconds < past.sample_seconds) {
    text += fmt::format(", of which the node ran {}", span(past.observed_seconds));
  }
  return out.paint(Paint::dim, wrapped(text, 0, out.width())) + "\n";
}

}  // namespace timectl::cmd
