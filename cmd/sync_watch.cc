// `timectl sync watch`: asks the node once a second and writes what SyncWatch makes of it.

#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <string_view>

#include "cmd/ask.h"
#include "cmd/commands.h"
#include "cmd/sync_progress.h"
#include "cmd/sync_verdict.h"

namespace timectl::cmd {
namespace {

constexpr std::string_view kSchema = "timectl.sync.watch/1";

volatile std::sig_atomic_t interrupted = 0;

extern "C" void note_interrupt(int) {
  interrupted = 1;
}

WatchStyle style_of(const Output& out) {
  if (out.json()) return WatchStyle::json;
  const char* term = std::getenv("TERM");
  const bool dumb = term == nullptr || std::string_view(term) == "dumb";
  return ::isatty(STDOUT_FILENO) != 0 && !dumb ? WatchStyle::terminal : WatchStyle::lines;
}

// The answer of a node that had answered before.
Error went_away(const Error& error) {
  return {Code::node_not_running,
          "the node went away while it was watched",
          error.because.empty() ? error.message : error.because,
          {"timectl node status", "timectl events --since 10m"}};
}

bool is_gone(Code code) {
  return code == Code::connection_lost || code == Code::node_not_running || code == Code::timed_out;
}

}  // namespace

Result<int> watch_sync(Context& context, bool until_synced, Duration every) {
  auto& out = context.out;
  SyncWatch watch(style_of(out));
  interrupted = 0;
  std::signal(SIGINT, note_interrupt);  // to leave the screen in order
  const auto on_answer = [&](const Answer& answer) -> Result<bool> {
    const auto view = read_answer<SyncStatusView>(answer.data);
    if (!view) return view.error();
    out.set_width(columns_of(STDOUT_FILENO));
    watch.on_status(*view, out.now());
    if (out.json() && watch.changed()) {
      out.document(kSchema, to_json(watch.view()), answer.source, answer.warnings);
    }
    out.text(watch.next(out));
    out.flush();
    return interrupted == 0 && !(until_synced && watch.verdict() == control::SyncVerdict::in_sync);
  };
  const auto ended = poll_node(context, "sync.status", json::object(), every, on_answer);
  out.text(watch.end());
  out.flush();
  if (interrupted != 0 && !watch.seen()) return Error{Code::interrupted, "interrupted"};
  if (!ended && interrupted == 0) {
    const auto& error = ended.error();
    return watch.seen() && is_gone(error.code) ? went_away(error) : error;
  }
  return exit_of(watch.verdict());
}

}  // namespace timectl::cmd
