#pragma once
// The outbox of alert messages on disk (core/outbox.h), so that a kill neither forgets a message
// nor how far each sink has come. save_alerts() writes new messages in the transaction of their
// alerts; what became of them is written by save_outbox().

#include "daemon/core/outbox.h"
#include "store/database.h"

namespace timectl::store {

inline constexpr std::size_t kMaxMessageBytes = 8192;  // as JSON
inline constexpr std::size_t kMaxStoredSinks = 64;

// A row that does not read is database_damaged; of too many messages the newest are read.
[[nodiscard]] Result<Outbox::Stored> load_outbox(Database& database);

// One transaction; new messages are on disk when it returns. What only says that something was
// sent may be lost in a power cut: it is sent again then, with the same key.
[[nodiscard]] Result<void> save_outbox(Database& database, const Outbox::Changes& changes);

class Connection;
void write_outbox(Connection& connection, const Outbox::Changes& changes);  // in a transaction

}  // namespace timectl::store
