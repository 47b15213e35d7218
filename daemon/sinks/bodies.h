#pragma once
// What is sent, from messages: a JSON body of our own form, those that Slack, Discord and the
// Alertmanager take, an e-mail, and the environment of a command. Pure functions. Texts come from
// peers and operators: each form escapes what it would otherwise read as markup, a mention, a
// header or a line.

#include <string>
#include <utility>
#include <vector>

#include "daemon/core/alert_message.h"
#include "daemon/core/outbox.h"
#include "daemon/sinks/target.h"

namespace timectl::sinks {

using Messages = std::vector<MessagePointer>;

// {"schema":"timectl.alerts.message/1","sent_at",...,"alerts":[...]}, each with its key.
[[nodiscard]] std::string json_body(const Messages& messages, WallTime sent_at);
[[nodiscard]] std::string slack_body(const Messages& messages);
[[nodiscard]] std::string discord_body(const Messages& messages);
// For POST /api/v2/alerts. A firing alert ends at sent_at + `lasts` unless it is sent again.
[[nodiscard]] std::string alertmanager_body(const Messages& messages, WallTime sent_at,
                                            Duration lasts);
// Headers and text, with bare line feeds as sendmail wants it.
[[nodiscard]] std::string mail(const SinkTarget& target, const Messages& messages,
                               WallTime sent_at);
// TIMECTL_ALERT_... of the one message that a command gets, or of the digest of them.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> environment_of(
    const Messages& messages);

// The body of a webhook in the target's form.
[[nodiscard]] std::string webhook_body(const SinkTarget& target, const Messages& messages,
                                       WallTime sent_at);
// The same for the same messages at each attempt.
[[nodiscard]] std::string idempotency_key(const Messages& messages);

// How many messages a sink takes at once, so that a thousand alerts are not a thousand mails and
// no line of a digest is left out.
[[nodiscard]] std::size_t batch_of(SinkKind kind, SinkTemplate form);
// Those that call somebody for each message; programs that read JSON and Alertmanager sort it out
// themselves.
[[nodiscard]] bool takes_digests(SinkKind kind, SinkTemplate form);

}  // namespace timectl::sinks
