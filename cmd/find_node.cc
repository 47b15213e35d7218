// find_node() of client.h: the places in their order, and what holds where the configuration, which
// would name them, cannot be loaded.
#include <algorithm>

#include "cmd/client.h"
#include "config/words.h"

namespace timectl::cmd {
namespace {

Error not_running(const std::string& because) {
  return {Code::node_not_running, "no node is running", because, {"timectl node start"}};
}

// With a guessed network the places of both are looked at: which one is meant, nobody knows.
std::vector<config::SocketPlace> places_of(const Route& route) {
  auto places = config::socket_places(route.socket, route.config, route.environment);
  if (!route.guessed || route.config.placed.contains("network.name")) return places;
  auto other = route.config;
  other.network.name = other.network.name == Network::mainnet ? Network::testnet : Network::mainnet;
  for (auto& place : config::socket_places(route.socket, other, route.environment)) {
    const bool known =
        std::ranges::find(places, place.path, &config::SocketPlace::path) != places.end();
    if (!known) places.push_back(std::move(place));
  }
  return places;
}

// A flag or a variable that names the socket leaves nothing to guess.
bool is_guess(const Route& route, const std::vector<config::SocketPlace>& places) {
  return route.guessed && places.front().from != "flag" && places.front().from != "environment";
}

std::string named(const Client& client, const std::filesystem::path& place) {
  return "the node at " + place.string() + " (" + printable(client.node().network, 32) + ")";
}

void warn_of(const Route& route, const Client& client, const std::filesystem::path& place) {
  if (!route.broken || !route.warn) return;
  auto why = route.broken->because.substr(0, route.broken->because.find('\n'));
  route.warn(route.broken->message + (why.empty() ? "" : ": " + why) + "; " + named(client, place) +
             " answered, which keeps what it read before");
}

Error must_choose(const Route& route, const std::string& because) {
  return {Code::config_invalid,
          "which node is meant cannot be read from " + route.config.file,
          because,
          {"timectl --network NAME ..., and --data-dir DIRECTORY or --socket PATH if it has one",
           "timectl config check " + route.config.file}};
}

Error other_network(const Client& client, const std::filesystem::path& place,
                    const std::string& asked) {
  const auto network = printable(client.node().network, 32);
  return {Code::config_invalid,
          "the node at " + place.string() + " is of " + network + ", not of " + asked,
          "",
          {"timectl --network " + network + " ..."}};
}

// Reading from the one node that answers is allowed: it is named. Among several nobody chooses.
Result<Client> guess(const Route& route, const std::vector<config::SocketPlace>& places,
                     std::string_view method) {
  std::optional<Client> found;
  std::string answered;
  std::filesystem::path where;
  std::size_t count = 0;
  for (const auto& place : places) {
    auto client = Client::connect(place.path, route.timeout);
    if (!client) continue;
    const auto asked = config::spelling_of(route.config.network.name);
    const bool named_network = route.config.placed.contains("network.name");
    if (named_network && client->node().network != asked) continue;
    answered += (answered.empty() ? "" : "; ") + named(*client, place.path);
    ++count;
    where = place.path;
    found.emplace(std::move(*client));
  }
  if (!found) return *route.broken;
  if (count > 1) return must_choose(route, answered + " answer");
  const auto* row = control::find_method(method);
  if (row != nullptr && row->privilege != control::Privilege::read) {
    return must_choose(route, answered + " answers, and this would change it");
  }
  warn_of(route, *found, where);
  return std::move(*found);
}

}  // namespace

Result<Client> find_node(const Route& route, std::string_view method) {
  const auto places = places_of(route);
  if (is_guess(route, places)) return guess(route, places, method);
  std::string tried;
  std::optional<Error> refused;
  for (const auto& place : places) {
    auto client = Client::connect(place.path, route.timeout);
    if (client) {
      const auto asked = config::spelling_of(route.config.network.name);
      // A network that was chosen, not the default, is answered by no other network's node.
      if (route.config.placed.contains("network.name") && client->node().network != asked) {
        return other_network(*client, place.path, asked);
      }
      if (route.say) route.say("node at " + place.path.string() + " (" + place.from + ")");
      warn_of(route, *client, place.path);
      return client;
    }
    if (route.say) {
      route.say("no node at " + place.path.string() + " (" + place.from + "): " +
                (client.error().because.empty() ? client.error().message : client.error().because));
    }
    tried += (tried.empty() ? "" : "; ") + client.error().because;
    if (client.error().code == Code::node_not_running) continue;
    // A node is there but keeps this user out: perhaps another place has one for him.
    if (client.error().code != Code::access_denied) return client.error();
    if (!refused) refused = client.error();
  }
  if (refused) return *refused;
  if (route.broken) return *route.broken;
  return not_running(tried);
}

}  // namespace timectl::cmd
