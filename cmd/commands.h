#pragma once
// The nouns of the command line. Each adds its commands to the tree; cli.cc calls them all.

#include <string>
#include <string_view>

#include "cmd/ask.h"
#include "cmd/context.h"

namespace CLI {
class App;
}

namespace timectl::cmd {

void add_status(CLI::App& root, Context& context);
void add_node(CLI::App& root, Context& context);
void add_whitelist(CLI::App& root, Context& context);
void add_whitelist_pending(CLI::App& whitelist, Context& context);  // and approve, reject
void add_refresh(CLI::App& root, Context& context);
void add_whitelist_verify(CLI::App& whitelist, Context& context);  // a verb of add_whitelist
// The answer of a method that changes the whitelist, as cmd/whitelist.cc prints it.
[[nodiscard]] Result<int> show_changes(Context& context, std::string_view schema,
                                       const Answer& answer, const std::string& nothing_done);
void add_whitelist_suggest(CLI::App& whitelist, Context& context);
void add_whitelist_lists(CLI::App& whitelist, Context& context);  // export and import, too
void add_ban(CLI::App& root, Context& context);
void add_peer(CLI::App& root, Context& context);
void add_peer_score(CLI::App& peer, Context& context);  // a verb of add_peer
void add_slots(CLI::App& root, Context& context);
void add_sync(CLI::App& root, Context& context);
[[nodiscard]] Result<int> watch_sync(Context& context, bool until_synced,
                                     Duration every);  // of add_sync
void add_diagnose(CLI::App& root, Context& context);
void add_report(CLI::App& root, Context& context);
void add_diagnose_log(CLI::App& diagnosis, Context& context);  // a verb of it
void add_alerts(CLI::App& root, Context& context);
void add_events(CLI::App& root, Context& context);
void add_top(CLI::App& root, Context& context);
void add_audit(CLI::App& root, Context& context);
void add_db(CLI::App& root, Context& context);
void add_wire(CLI::App& root, Context& context);
void add_config(CLI::App& root, Context& context);
void add_demo(CLI::App& root, Context& context);
void add_explain(CLI::App& root, Context& context);
void add_completion(CLI::App& root, Context& context);
void add_version(CLI::App& root, Context& context);

}  // namespace timectl::cmd
