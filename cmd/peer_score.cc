#include <memory>

#include "cmd/ask.h"
#include "cmd/commands.h"
#include "cmd/score_text.h"
#include "cmd/tree.h"
#include "daemon/control/api.h"

namespace timectl::cmd {

void add_peer_score(CLI::App& peer, Context& context) {
  auto& command =
      add_command(peer, "score", "how healthy it has been lately, part by part",
                  {{"peer score 203.0.113.7", "what each part costs and what would improve it"},
                   {"peer score berlin --json", "the penalties add up to 100 - score"}});
  auto named = std::make_shared<control::PeerRequest>();
  add_argument(command, "ip", Count::one, named->peer, "IP", "an address or a label");
  on_run(command, context, [&context, named]() -> Result<int> {
    const auto answer = ask(context, "peer.score", *named);
    if (!answer) return answer.error();
    return show<control::PeerScoreReply>(
        context, "timectl.peer.score/1", *answer,
        [&](const auto& reply) { context.out.text(score_text(context.out, reply)); });
  });
}

}  // namespace timectl::cmd
