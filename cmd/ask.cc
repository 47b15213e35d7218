#include "cmd/ask.h"

#include "cmd/client.h"
#include "cmd/settings.h"
#include "config/reach.h"
#include "daemon/clock.h"

namespace timectl::cmd {
namespace {

constexpr Duration kDefaultTimeout = std::chrono::seconds(5);
constexpr Duration kPoll = std::chrono::seconds(1);

}  // namespace

Result<Route> route_of(Context& context) {
  const auto& globals = context.globals;
  const auto request = config_request(globals);
  auto reach = config::load_to_reach(request);
  if (!reach) return reach.error();
  Route route;
  route.config = std::move(reach->config);
  route.broken = std::move(reach->broken);
  route.guessed = reach->guessed;
  route.warn = [&context](const std::string& line) { context.out.standing_warning(line); };
  route.environment = request.environment;
  route.socket = globals.socket;
  route.timeout = globals.timeout.value_or(kDefaultTimeout);
  route.command = context.command;
  if (globals.verbose) {
    if (request.file) context.out.note("config: " + request.file->string());
    route.say = [&context](const std::string& line) { context.out.note(line); };
  }
  return route;
}

Result<Answer> ask(Context& context, std::string_view method, const json::value& request) {
  const auto route = route_of(context);
  if (!route) return route.error();
  auto backend = Backend::open(*route, method);
  if (!backend) return backend.error();
  auto data = backend->call(method, request);
  if (!data) return data.error();
  Answer answer{std::move(*data), std::string(backend->source())};
  const auto* row = control::find_method(method);
  if (backend->client() == nullptr && row != nullptr) {
    if (row->privilege != control::Privilege::read) {
      if (method != "db.backup" && method != "diagnose.probe") {  // these change nothing
        answer.warnings.emplace_back("no node is running: this is in the database alone");
      }
    } else if (!context.out.json() && method != "status") {
      context.out.note("no node is running: this is from the database");
    }
  }
  return answer;
}

Result<Answer> ask_node(Context& context, std::string_view method, const json::value& request,
                        Duration timeout) {
  auto route = route_of(context);
  if (!route) return route.error();
  auto node = find_node(*route, method);
  if (!node) return node.error();
  auto data = node->call(method, request, timeout);
  if (!data) return data.error();
  return Answer{std::move(*data), "node"};
}

Result<void> follow(Context& context, std::string_view method, const json::value& request,
                    const std::function<void(const Answer&)>& first,
                    const std::function<void(const json::value&)>& sink) {
  const auto route = route_of(context);
  if (!route) return route.error();
  auto node = find_node(*route, method);
  if (!node) return node.error();
  auto data = node->call(method, request, route->timeout);
  if (!data) return data.error();
  first({std::move(*data), "node"});
  while (true) {
    auto event = node->next_event(kPoll);
    if (!event) return event.error();
    if (!*event) continue;
    context.out.set_now(clock_now());
    sink(**event);
  }
}

Result<void> poll_node(Context& context, std::string_view method, const json::value& request,
                       Duration every, const std::function<Result<bool>(const Answer&)>& sink) {
  const auto route = route_of(context);
  if (!route) return route.error();
  auto node = find_node(*route, method);
  if (!node) return node.error();
  while (true) {
    auto data = node->call(method, request, route->timeout);
    if (!data) return data.error();
    context.out.set_now(clock_now());
    const auto goes_on = sink({std::move(*data), "node"});
    if (!goes_on) return goes_on.error();
    if (!*goes_on) return {};
    // Nothing is to come, so this is the wait; and a node that goes away is noticed at once.
    if (auto waited = node->next_event(every); !waited) return waited.error();
  }
}

}  // namespace timectl::cmd
