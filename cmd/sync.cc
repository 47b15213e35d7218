#include <algorithm>
#include <memory>

#include "cmd/ask.h"
#include "cmd/commands.h"
#include "cmd/sync_text.h"
#include "cmd/sync_verdict.h"
#include "cmd/tree.h"
#include "daemon/control/api.h"

namespace timectl::cmd {
namespace {

constexpr int kPollMillis = 1000;

bool is_live(const Answer& answer) {
  return answer.source == "node";
}

Result<int> status(Context& context) {
  const auto answer = ask(context, "sync.status", json::object());
  if (!answer) return answer.error();
  const auto view = read_answer<SyncStatusView>(answer->data);
  if (!view) return view.error();
  const auto shown =
      show<SyncStatusView>(context, "timectl.sync.status/1", *answer, [&](const auto& told) {
        context.out.text(status_page(context.out, told, is_live(*answer)));
      });
  if (!shown) return shown;
  return exit_of(control::verdict_of(*view));
}

// Programs get the rows; the legend is for people.
Result<int> peers(Context& context) {
  const auto answer = ask(context, "sync.peers", json::object());
  if (!answer) return answer.error();
  const auto reply = read_answer<control::SyncPeersReply>(answer->data);
  if (!reply) return reply.error();
  if (context.out.json()) {
    context.out.document("timectl.sync.peers/1", to_json(reply->peers), answer->source,
                         answer->warnings);
  } else {
    context.out.text(peers_page(context.out, *reply));
  }
  return 0;
}

Result<int> forks(Context& context, const control::SyncForkRequest& request) {
  using Forks = std::vector<ForkView>;
  const auto answer = ask(context, "sync.fork", request);
  if (!answer) return answer.error();
  const auto known = read_answer<Forks>(answer->data);
  if (!known) return known.error();
  const auto shown = show<Forks>(context, "timectl.sync.fork/1", *answer, [&](const Forks& told) {
    context.out.text(forks_page(context.out, told, is_live(*answer)));
  });
  if (!shown) return shown;
  return std::ranges::any_of(*known, [](const ForkView& fork) { return !fork.resolved_at; }) ? 1
                                                                                             : 0;
}

Result<int> accept(Context& context) {
  const auto answer = ask(context, "sync.fork_accept", json::object());
  if (!answer) return answer.error();
  return show<ForkView>(context, "timectl.sync.fork_accept/1", *answer, [&](const ForkView& fork) {
    context.out.text(accepted_page(context.out, fork));
  });
}

std::string switched_text(const control::SyncSwitchReply& reply) {
  const bool changed = reply.result != "unchanged";
  if (reply.paused) {
    return changed ? "sync is paused: no block is fetched until you resume it, also after a "
                     "restart; connections, heights and forks are watched as before\n"
                   : "sync was paused already\n";
  }
  std::string text = changed ? "sync goes on\n" : "sync was not paused\n";
  if (reply.activity == SyncActivity::disabled) {
    text += "but it fetches nothing: it is switched off by sync.enabled = false\n";
  }
  return text;
}

Result<int> turn(Context& context, const std::string& verb) {
  const auto answer = ask(context, "sync." + verb, json::object());
  if (!answer) return answer.error();
  return show<control::SyncSwitchReply>(
      context, "timectl.sync." + verb + "/1", *answer, [&](const auto& reply) {
        context.out.text(switched_text(reply));
        context.out.note(reply.paused ? "next: timectl sync resume" : "next: timectl sync status");
      });
}

void add_fork(CLI::App& sync, Context& context) {
  auto& command =
      add_command(sync, "fork", "forks: where each parts, how long, who is on which branch",
                  {{"sync fork", "open ones first; the exit status is 1 while one is open"},
                   {"sync fork --accept", "take the majority's branch of a fork that needs it"}});
  auto request = std::make_shared<control::SyncForkRequest>();
  auto accepted = std::make_shared<bool>(false);
  add_flag(command, "--accept", *accepted,
           "replace more blocks of ours than a node may by itself; see `timectl sync fork` first");
  add_option(command, "--limit", request->limit, "N", "at most so many forks, default 20");
  on_run(command, context, [&context, request, accepted] {
    return *accepted ? accept(context) : forks(context, *request);
  });
}

}  // namespace

void add_sync(CLI::App& root, Context& context) {
  auto& sync = add_command(root, "sync", "the chain: how far, according to whom, forks",
                           {{"sync status", "height, best height and who vouches for it, lag"},
                            {"sync watch", "a progress bar until Ctrl-C"},
                            {"sync peers", "everybody's height, and why it counts or not"}});

  auto& asking =
      add_command(sync, "status", "in sync or behind, according to whom, and how long it takes",
                  {{"sync status", "0 in sync, 1 behind, 3 no height is believed"},
                   {"sync status --json", "without a node: the stored chain, no best height"}});
  on_run(asking, context, [&context] { return status(context); });

  auto& watching =
      add_command(sync, "watch", "follow the sync: a bar in a terminal, lines in a pipe",
                  {{"sync watch", "until Ctrl-C; the exit status is that of `sync status`"},
                   {"sync watch --until-synced && echo done", "ends by itself, for scripts"}});
  auto until = std::make_shared<bool>(false);
  auto every = std::make_shared<int>(kPollMillis);
  add_flag(watching, "--until-synced", *until, "end as soon as the node is in sync");
  add_hidden_option(watching, "--poll-ms", *every);  // for tests, which must not wait seconds
  on_run(watching, context, [&context, until, every] {
    return watch_sync(context, *until, std::chrono::milliseconds(std::clamp(*every, 1, 60'000)));
  });

  auto& listing = add_command(sync, "peers", "one line a peer: its height and what it is worth",
                              {{"sync peers", "who vouches, who is behind, who lies"}});
  on_run(listing, context, [&context] { return peers(context); });

  add_fork(sync, context);

  auto& pausing = add_command(sync, "pause", "fetch no blocks until `sync resume`; audited",
                              {{"sync pause", "also over restarts of the node"}});
  on_run(pausing, context, [&context] { return turn(context, "pause"); });
  auto& resuming = add_command(sync, "resume", "fetch blocks again; audited",
                               {{"sync resume", "what `sync pause` stopped goes on"}});
  on_run(resuming, context, [&context] { return turn(context, "resume"); });
}

}  // namespace timectl::cmd
