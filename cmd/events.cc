#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "cmd/ask.h"
#include "cmd/commands.h"
#include "cmd/table.h"
#include "cmd/tree.h"
#include "daemon/control/api.h"

namespace timectl::cmd {
namespace {

constexpr std::string_view kSchema = "timectl.events/1";

std::string event_text(const Output& out, const Event& event) {
  const std::string severity = fmt::format("{:<8}", name_of(event.severity));
  return fmt::format("{}  {}  {}\n", out.paint(Paint::dim, out.time(event.at)),
                     out.paint(paint_of(event.severity), severity),
                     printable(log_line(event), 500));
}

// One event of a stream: the document of --json, or a line for people.
void put_event(Output& out, const json::value& value) {
  if (out.json()) {
    out.document(kSchema, value, "node");
  } else if (const auto event = read_answer<Event>(value)) {
    out.text(event_text(out, *event));
  } else {
    out.warning("an event of the node does not read: " + event.error().because);
  }
  out.flush();
}

Result<int> follow_events(Context& context, const control::EventsRequest& request) {
  auto& out = context.out;
  const auto ended = follow(
      context, "events.follow", to_json(request),
      [&](const Answer& recorded) {
        const auto* rows = recorded.data.if_array();
        if (rows == nullptr) return;
        for (const auto& row : *rows) put_event(out, row);
      },
      [&](const json::value& event) { put_event(out, event); });
  return ended.error();
}

Result<int> list_events(Context& context, const control::EventsRequest& request) {
  const auto answer = ask(context, "events.list", request);
  if (!answer) return answer.error();
  using Rows = std::vector<Event>;
  return show<Rows>(context, kSchema, *answer, [&](const Rows& rows) {
    for (const auto& event : rows) context.out.text(event_text(context.out, event));
    if (rows.empty()) {
      const bool narrowed = request.since || request.peer || request.kind;
      context.out.note(
          std::string(narrowed ? "no recorded event matches" : "no event is recorded") +
          "; live ones: timectl events --follow");
    } else if (rows.size() >= request.limit) {
      context.out.note(fmt::format("the newest {} only: narrow it with --since", rows.size()));
    }
  });
}

}  // namespace

void add_events(CLI::App& root, Context& context) {
  auto& events = add_command(root, "events", "what happened, and with --follow what happens",
                             {{"events --since 1h", "the last hour"},
                              {"events --follow", "recorded ones, then live ones until Ctrl-C"},
                              {"events --peer berlin --kind peer_disconnected", "of one peer"}});
  auto request = std::make_shared<control::EventsRequest>();
  auto live = std::make_shared<bool>(false);
  add_flag(events, "-f,--follow", *live, "go on with live events; needs the node");
  add_since(events, context, request->since, "only later ones: 1h, or an RFC 3339 time");
  add_option(events, "--peer", request->peer, "IP", "only of this address or label");
  add_option(events, "--kind", request->kind, "KIND", "only of this kind (timectl explain --list)");
  on_run(events, context, [&context, request, live] {
    return *live ? follow_events(context, *request) : list_events(context, *request);
  });
}

}  // namespace timectl::cmd
