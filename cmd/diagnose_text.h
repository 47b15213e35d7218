#pragma once
// How a diagnosis reads, in 80 columns: the verdict in one sentence, what it rests on, what to do
// and who has to, how sure that is, what else was found, the layers of a probe, and the command to
// try next. Pure; shown by cmd/diagnose_peer.cc.

#include <string>

#include "cmd/output.h"
#include "daemon/diagnose/reply.h"

namespace timectl::cmd {

// 0 well, 1 findings up to medium, 2 a high or critical one, 3 too little is known.
[[nodiscard]] int exit_of(const diagnose::DiagnosisReply& reply);

// `live`: a node answered; without one some facts are missing.
[[nodiscard]] std::string peer_page(const Output& out, const diagnose::DiagnosePeerReply& reply,
                                    bool live);
[[nodiscard]] std::string node_page(const Output& out, const diagnose::DiagnoseNodeReply& reply,
                                    bool live);
[[nodiscard]] std::string all_page(const Output& out, const diagnose::DiagnoseAllReply& reply,
                                   bool live);

// "likely (79 %)"
[[nodiscard]] std::string confidence_text(double confidence);
// "the operator of the peer"
[[nodiscard]] std::string_view words_of(diagnose::Act act);

}  // namespace timectl::cmd
