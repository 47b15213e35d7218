// `timectl diagnose`, `diagnose peer`, `diagnose node`, `diagnose facts`: what is the matter, asked
// of the node, of the database, or of a file with the facts of another one.

#include <memory>

#include "cmd/commands.h"
#include "cmd/diagnose_text.h"
#include "cmd/input_file.h"
#include "cmd/tree.h"
#include "daemon/control/diagnose_api.h"
#include "daemon/core/ip_address.h"

namespace timectl::cmd {
namespace {

constexpr std::string_view kAllSchema = "timectl.diagnose/1";
constexpr std::string_view kPeerSchema = "timectl.diagnose.peer/1";
constexpr std::string_view kNodeSchema = "timectl.diagnose.node/1";

struct PeerOptions {
  control::DiagnosePeerRequest request = {};
  bool probe = false;
  bool facts = false;
};

// The page or the document, then the exit status of the verdict.
template <class Reply, class Page>
Result<int> show_diagnosis(Context& context, std::string_view schema, const Answer& answer,
                           Page page) {
  auto reply = read_answer<Reply>(answer.data);
  if (!reply) return reply.error();
  const bool live = answer.source == "node";
  const auto shown = show<Reply>(context, schema, answer, [&](const Reply& value) {
    context.out.text(page(context.out, value, live));
  });
  if (!shown) return shown;
  return exit_of(*reply);
}

Result<void> check(const Context& context, const PeerOptions& options) {
  if (options.request.from && !options.probe) {
    return Error{Code::invalid_argument,
                 "--from is of a probe",
                 "without --probe nobody is dialled",
                 {"timectl diagnose peer IP --probe --from ADDRESS"}};
  }
  if (!options.request.force_probe) return {};
  if (!options.probe || !context.globals.yes) {
    return Error{Code::invalid_argument,
                 "--force-probe needs --probe and --yes",
                 "it may end a session that another process of this host has with the peer",
                 {"timectl diagnose peer IP --probe", "timectl diagnose node"}};
  }
  return {};
}

// The facts as they are, for a report from the field.
Result<int> print_facts(Context& context, const Answer& answer) {
  const auto* object = answer.data.if_object();
  const auto* facts = object == nullptr ? nullptr : object->if_contains("facts");
  if (facts == nullptr) return Error{Code::protocol_mismatch, "the answer has no facts"};
  context.out.json_line(*facts);
  return 0;
}

Result<int> diagnose_peer(Context& context, const PeerOptions& options) {
  if (auto ok = check(context, options); !ok) return ok.error();
  if (options.probe && !context.out.json()) {
    context.out.note("asking the peer, at most 20 s");
  }
  const auto answer =
      ask(context, options.probe ? "diagnose.probe" : "diagnose.peer", options.request);
  if (!answer) return answer.error();
  if (options.facts) return print_facts(context, *answer);
  return show_diagnosis<diagnose::DiagnosePeerReply>(context, kPeerSchema, *answer, peer_page);
}

Result<int> diagnose_node(Context& context, const control::DiagnoseRequest& request, bool facts) {
  const auto answer = ask(context, "diagnose.node", request);
  if (!answer) return answer.error();
  if (facts) return print_facts(context, *answer);
  return show_diagnosis<diagnose::DiagnoseNodeReply>(context, kNodeSchema, *answer, node_page);
}

// Facts alone, or the document of `diagnose peer --json` that holds them.
Result<diagnose::Facts> read_facts(const std::string& text) {
  boost::system::error_code failed;
  json::parse_options options;
  options.max_depth = 32;
  const auto value = json::parse(text, failed, {}, options);
  if (failed || !value.is_object()) return diagnose::facts_from_json(text);
  const auto* data = value.get_object().if_contains("data");
  if (data == nullptr || !data->is_object()) return diagnose::facts_from_json(text);
  const auto* facts = data->get_object().if_contains("facts");
  if (facts == nullptr) {
    return Error{
        Code::bad_data, "this document holds no facts", "", {"timectl diagnose peer IP --facts"}};
  }
  return diagnose::facts_from_json(json::serialize(*facts));
}

Result<int> diagnose_facts(Context& context, const std::string& file) {
  const auto text = read_input(file, "facts", diagnose::kMaxFactsBytes);
  if (!text) return text.error();
  auto facts = read_facts(*text);
  if (!facts) {
    auto refused = facts.error();
    refused.message = (file == "-" ? "standard input" : printable(file)) + ": " + refused.message;
    return refused;
  }
  auto& out = context.out;
  const bool live = facts->node.running == true;
  if (!facts->peer) {
    const auto reply = diagnose::make_node_reply(std::move(*facts));
    if (out.json()) {
      out.document(kNodeSchema, to_json(reply));
    } else {
      out.text(node_page(out, reply, live));
    }
    return exit_of(reply);
  }
  const auto reply = diagnose::make_peer_reply(std::move(*facts));
  if (out.json()) {
    out.document(kPeerSchema, to_json(reply));
  } else {
    out.text(peer_page(out, reply, live));
  }
  return exit_of(reply);
}

void add_peer_command(CLI::App& diagnosis, Context& context) {
  auto& peer = add_command(
      diagnosis, "peer", "why is this peer not connected, or not well: verdict and remedy",
      {{"diagnose peer berlin", "from what is known; asks nobody"},
       {"diagnose peer 203.0.113.7 --probe", "ask its RPC and visit it, within the budget"},
       {"diagnose peer berlin --facts > facts.json", "what the verdict rests on, for a report"}});
  auto options = std::make_shared<PeerOptions>();
  add_argument(peer, "ip", Count::one, options->request.peer, "IP", "an address or a label");
  add_flag(peer, "--probe", options->probe, "ask the peer itself; never beside a live session");
  add_setter(peer, "--from", "ADDRESS", "with --probe: look from this address of ours, too",
             [options](const std::string& text) -> Result<void> {
               const auto ip = IpAddress::parse(text);
               if (!ip) return ip.error();
               options->request.from = *ip;
               return {};
             });
  add_flag(peer, "--force-probe", options->request.force_probe,
           "even beside a session of another process here; needs --yes");
  add_flag(peer, "--facts", options->facts, "print the facts as JSON instead of the verdict");
  on_run(peer, context, [&context, options] { return diagnose_peer(context, *options); });
}

void add_node_command(CLI::App& diagnosis, Context& context) {
  auto& node = add_command(
      diagnosis, "node", "what is wrong with this node itself: port, clock, disk, lists",
      {{"diagnose node", "0 well, 1 up to medium, 2 high or critical, 3 too little is known"},
       {"diagnose node --facts", "what is known of it, as JSON"}});
  auto facts = std::make_shared<bool>(false);
  add_flag(node, "--facts", *facts, "print the facts as JSON instead of the verdict");
  on_run(node, context, [&context, facts] { return diagnose_node(context, {}, *facts); });
}

void add_facts_command(CLI::App& diagnosis, Context& context) {
  auto& facts = add_command(
      diagnosis, "facts", "judge the facts of another node or of another day, offline",
      {{"diagnose facts facts.json", "as diagnose peer --facts has printed them"},
       {"diagnose peer berlin --facts | timectl diagnose facts -", "- is the standard input"}});
  auto file = std::make_shared<std::string>();
  add_argument(facts, "file", Count::one, *file, "FILE", "JSON of --facts or of --json");
  on_run(facts, context, [&context, file] { return diagnose_facts(context, *file); });
}

}  // namespace

void add_diagnose(CLI::App& root, Context& context) {
  auto& diagnosis =
      add_command(root, "diagnose", "why masternodes went away, and what to do",
                  {{"diagnose", "this node and every masternode, by root cause"},
                   {"diagnose peer 203.0.113.7 --probe", "one of them, and ask it"},
                   {"diagnose log ~/.timecoin/debug.log", "the causes in a log of timed"}});
  on_run(diagnosis, context, [&context]() -> Result<int> {
    const auto answer = ask(context, "diagnose.all", control::DiagnoseRequest{});
    if (!answer) return answer.error();
    return show_diagnosis<diagnose::DiagnoseAllReply>(context, kAllSchema, *answer, all_page);
  });
  add_peer_command(diagnosis, context);
  add_node_command(diagnosis, context);
  add_diagnose_log(diagnosis, context);
  add_facts_command(diagnosis, context);
}

}  // namespace timectl::cmd
