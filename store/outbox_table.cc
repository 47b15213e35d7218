#include "store/outbox_table.h"

#include <algorithm>

#include "daemon/core/json.h"
#include "store/columns.h"
#include "store/connection.h"

namespace timectl::store {
namespace {

constexpr std::size_t kMaxNameBytes = 64;  // of a sink, as config has it
constexpr std::size_t kMaxDeliveries = 400'000;

AlertMessage read_message(SQLite::Statement& statement) {
  RowReader reader(statement, "alert_messages");
  const auto number = reader.counter();
  const auto text = reader.text(kMaxMessageBytes);
  boost::system::error_code failed;
  const auto value = json::parse(text, failed);
  AlertMessage message;
  if (failed) reader.bad_last("is not JSON");
  if (const auto read = from_json(value, message, ""); !read) {
    reader.bad_last("is no message: " + printable(read.error().message));
  }
  const auto fine = [](const std::string& shown) {
    return printable(shown, kMaxMessageText) == shown;
  };
  if (message.number != number || number == 0) reader.bad_last("has another number");
  if (!fine(message.text) || !fine(message.object) || !fine(message.node) || !fine(message.key) ||
      !fine(message.network) || !fine(message.label) || !fine(message.instance) ||
      !fine(message.to)) {
    reader.bad_last("is not printable text");
  }
  return message;
}

SinkState read_sink(SQLite::Statement& statement) {
  RowReader reader(statement, "alert_sinks");
  SinkState sink;
  sink.name = reader.line(kMaxNameBytes);
  sink.done = reader.counter();
  sink.attempts = reader.counter();
  const auto time = [&] { return reader.time(); };
  sink.failing_since = reader.optional(time);
  sink.next_at = reader.optional(time);
  sink.given_up = reader.counter();
  sink.error = reader.line(Outbox::kMaxError);
  return sink;
}

SinkDelivery read_delivery(SQLite::Statement& statement) {
  RowReader reader(statement, "alert_deliveries", 2);
  SinkDelivery delivery;
  delivery.alert = reader.counter();
  delivery.sink = reader.line(kMaxNameBytes);
  delivery.number = reader.counter();
  delivery.state = reader.word<DeliveryState>();
  delivery.at = reader.time();
  delivery.attempts = reader.counter();
  delivery.error = reader.line(Outbox::kMaxError);
  return delivery;
}

void write_sink(Connection& connection, const SinkState& sink) {
  Query(connection,
        "INSERT OR REPLACE INTO alert_sinks (name, done, attempts, failing_since, next_at,"
        " given_up, error) VALUES (?, ?, ?, ?, ?, ?, ?)")
      .bind(sink.name, bounded(sink.done), bounded(sink.attempts),
            milliseconds_of(sink.failing_since), milliseconds_of(sink.next_at),
            bounded(sink.given_up), printable(sink.error, Outbox::kMaxError))
      .run();
}

void write_delivery(Connection& connection, const SinkDelivery& delivery) {
  Query(connection,
        "INSERT OR REPLACE INTO alert_deliveries (alert, sink, number, state, at, attempts, error)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)")
      .bind(bounded(delivery.alert), delivery.sink, bounded(delivery.number),
            name_of(delivery.state), milliseconds_of(delivery.at), bounded(delivery.attempts),
            printable(delivery.error, Outbox::kMaxError))
      .run();
}

}  // namespace

Result<Outbox::Stored> load_outbox(Database& database) {
  Connection& connection = database.connection();
  return guarded(connection, "reading the alert messages", [&]() -> Result<Outbox::Stored> {
    Outbox::Stored stored;
    Query messages(connection,
                   "SELECT * FROM (SELECT number, message FROM alert_messages"
                   " ORDER BY number DESC LIMIT ?) ORDER BY number");
    messages.bind(Outbox::kMaxWaiting);
    while (messages.step()) stored.messages.push_back(read_message(messages.row()));
    Query sinks(connection,
                "SELECT name, done, attempts, failing_since, next_at, given_up, error"
                " FROM alert_sinks ORDER BY name LIMIT ?");
    sinks.bind(kMaxStoredSinks);
    while (sinks.step()) stored.sinks.push_back(read_sink(sinks.row()));
    Query deliveries(connection,
                     "SELECT alert, sink, number, state, at, attempts, error FROM alert_deliveries"
                     " ORDER BY alert DESC LIMIT ?");
    deliveries.bind(kMaxDeliveries);
    while (deliveries.step()) stored.deliveries.push_back(read_delivery(deliveries.row()));
    return stored;
  });
}

void write_outbox(Connection& connection, const Outbox::Changes& changes) {
  for (const auto& message : changes.messages) {
    Query(connection, "INSERT OR REPLACE INTO alert_messages (number, message) VALUES (?, ?)")
        .bind(bounded(message->number), json::serialize(to_json(*message)))
        .run();
  }
  Query(connection, "DELETE FROM alert_messages WHERE number <= ?")
      .bind(bounded(changes.done))
      .run();
  for (const auto& name : changes.gone_sinks) {
    Query(connection, "DELETE FROM alert_sinks WHERE name = ?").bind(name).run();
    Query(connection, "DELETE FROM alert_deliveries WHERE sink = ?").bind(name).run();
  }
  for (const auto& sink : changes.sinks) write_sink(connection, sink);
  for (const auto& delivery : changes.deliveries) write_delivery(connection, delivery);
  for (const auto alert : changes.forgotten) {
    Query(connection, "DELETE FROM alert_deliveries WHERE alert = ?").bind(bounded(alert)).run();
  }
}

Result<void> save_outbox(Database& database, const Outbox::Changes& changes) {
  if (changes.empty()) return {};
  Connection& connection = database.connection();
  const NoWaiting now(connection);
  const auto sync = changes.messages.empty() ? Sync::relaxed : Sync::full;
  return in_transaction(connection, sync, "writing the alert messages", [&]() -> Result<void> {
    write_outbox(connection, changes);
    return {};
  });
}

}  // namespace timectl::store
