// `timectl diagnose log FILE|-`: reads a log of timed, in any form, and names the causes in it.

#include <fmt/format.h>

#include <bit>
#include <csignal>
#include <ctime>
#include <memory>

#include "cmd/commands.h"
#include "cmd/log_source.h"
#include "cmd/log_text.h"
#include "cmd/table.h"
#include "cmd/tree.h"
#include "daemon/clock.h"
#include "daemon/diagnose/log_book.h"

namespace timectl::cmd {
namespace {

constexpr std::string_view kSchema = "timectl.diagnose.log/1";
constexpr std::string_view kSignSchema = "timectl.diagnose.log.sign/1";
constexpr int kPollMillis = 200;

struct LogOptions {
  std::string file;
  bool follow = false;
  bool all = false;
  std::optional<WallTime> since = {};
  int poll_ms = kPollMillis;
};

volatile std::sig_atomic_t interrupted = 0;

extern "C" void note_end(int) {
  interrupted = 1;
}

// journalctl prints the time of this machine's zone.
diagnose::LogClock log_clock(WallTime now) {
  const auto seconds = std::chrono::system_clock::to_time_t(now);
  std::tm local{};
  if (::localtime_r(&seconds, &local) == nullptr) return {now, {}};
  return {now, std::chrono::seconds(local.tm_gmtoff)};
}

// One log from its first byte to its last, and what is said of it.
class LogRun {
 public:
  LogRun(Context& context, const LogOptions& options)
      : out_(context.out),
        options_(options),
        reader_(log_clock(context.now.wall),
                [this](const diagnose::LogEvent& event) { book_.on_event(event); }) {
    if (options.since) reader_.set_since(*options.since);
    book_.listen([this](const auto& sign, const auto& mode, std::uint64_t count) {
      on_sign(sign, mode, count);
    });
  }

  Result<int> run(LogSource& source) {
    LogSource::Handler handler;
    handler.on_bytes = [this](std::string_view bytes) {
      reader_.feed(bytes);
      if (caught_up_) out_.flush();
    };
    handler.on_next_file = [this] {
      reader_.finish();
      out_.note("the log was renamed away; reading the new one");
    };
    handler.on_truncated = [this] {
      reader_.forget_partial_line();
      out_.note("the log was cut to nothing; reading it from its beginning");
    };
    handler.on_idle = [this] { on_idle(); };
    handler.stopped = [] { return interrupted != 0; };
    const auto read =
        source.read(handler, options_.follow, std::chrono::milliseconds(options_.poll_ms));
    if (!read) return read.error();
    if (interrupted != 0 && !options_.follow) return Error{Code::interrupted, "interrupted"};
    reader_.finish();
    if (reader_.counts().to) book_.on_silence(*reader_.counts().to);
    const auto report = book_.report(reader_.counts());
    if (!caught_up_ || news_) show(report);
    return exit_of(report);
  }

 private:
  // Told as they come once the past is told, at every doubling of their number: a flood of one
  // sign is not a flood of lines.
  void on_sign(const diagnose::Sign& sign, const diagnose::Mode& mode, std::uint64_t count) {
    news_ = true;
    if (!caught_up_ || !std::has_single_bit(count)) return;
    if (!out_.json()) return out_.text(sign_line(out_, sign, mode, count));
    diagnose::LogCause cause{std::string(mode.code), sign.peer, count, sign.at, sign.at};
    cause.example = printable(sign.text);
    cause.remedy = mode.remedy;
    out_.document(kSignSchema, to_json(cause));
  }

  void on_idle() {
    if (!options_.follow) return;
    if (!caught_up_) {
      show(book_.report(reader_.counts()));
      caught_up_ = true;
      news_ = false;
    }
    // A log that stands still says so by its silence; one of last week is only read.
    const auto now = clock_now();
    out_.set_now(now);
    if (reader_.counts().bytes != quiet_bytes_) {
      quiet_bytes_ = reader_.counts().bytes;
      quiet_since_ = now.mono;
    }
    const auto& to = reader_.counts().to;
    if (to) book_.on_silence(*to + quiet_for(now));
    out_.flush();
  }
  [[nodiscard]] std::chrono::milliseconds quiet_for(Now now) const {
    return std::chrono::duration_cast<std::chrono::milliseconds>(now.mono - quiet_since_);
  }

  void show(const diagnose::LogReport& report) {
    if (out_.json()) {
      auto value = to_json(report);
      value.get_object().emplace("verdict", sentence_of(out_, report).text());
      out_.document(kSchema, value);
    } else {
      out_.text(log_page(out_, report, options_.all ? Details::all : Details::main_causes));
    }
    out_.flush();
  }

  Output& out_;
  const LogOptions& options_;
  diagnose::LogBook book_;
  diagnose::LogReader reader_;
  bool caught_up_ = false;  // following: the past was told
  bool news_ = false;       // since then
  std::uint64_t quiet_bytes_ = 0;
  Instant quiet_since_ = {};
};

Result<int> read_log(Context& context, const LogOptions& options) {
  auto source = LogSource::open(options.file);
  if (!source) return source.error();
  interrupted = 0;
  std::signal(SIGINT, note_end);
  std::signal(SIGTERM, note_end);
  LogRun run(context, options);
  return run.run(*source);
}

}  // namespace

void add_diagnose_log(CLI::App& diagnosis, Context& context) {
  auto& log = add_command(
      diagnosis, "log", "the causes that a log of timed names, the main one first",
      {{"diagnose log ~/.timecoin/debug.log", "0 no cause, 1 up to medium, 2 high or critical"},
       {"diagnose log -", "of a pipe: journalctl -u timed -o json | timectl diagnose log -"},
       {"diagnose log debug.log --follow", "then each new cause as it appears, until Ctrl-C"}});
  auto options = std::make_shared<LogOptions>();
  add_argument(log, "file", Count::one, options->file, "FILE",
               "debug.log, journalctl's text or JSON lines; - is the standard input");
  add_flag(log, "-f,--follow", options->follow, "go on with what is written, over rotations");
  add_flag(log, "--all", options->all, "tell every cause in full, not only the first five");
  add_since(log, context, options->since, "only later lines: 1h, or an RFC 3339 time");
  add_hidden_option(log, "--poll-ms", options->poll_ms);  // for tests, which must not wait
  on_run(log, context, [&context, options] {
    options->poll_ms = std::clamp(options->poll_ms, 1, 60'000);
    return read_log(context, *options);
  });
}

}  // namespace timectl::cmd
