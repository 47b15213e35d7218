#include "daemon/core/errors.h"

#include <array>

namespace timectl {
namespace {

constexpr auto kRows = std::to_array<ErrorRow>({
    {Code::invalid_argument, "TC-ARG-001", 64, "An argument is malformed",
     "Compare with the command's --help; its first lines are examples."},
    {Code::not_an_address, "TC-WL-001", 64, "The text is not an IP address",
     "Give a plain IPv4 or IPv6 address: no port, no CIDR, no host name, no leading zeros."},
    {Code::unknown_command, "TC-ARG-002", 64, "There is no such command or option",
     "`timectl --help` lists the commands."},
    {Code::unknown_peer, "TC-PEER-001", 66, "No peer has that address or label",
     "`timectl peer list` and `timectl whitelist list` show the known ones."},
    {Code::ambiguous_peer, "TC-PEER-002", 64, "Several peers match",
     "Name one of the candidates by its address."},
    {Code::unknown_code, "TC-EXP-001", 66, "There is no such code",
     "`timectl explain --list` prints all codes."},
    {Code::blacklisted, "TC-WL-002", 80, "The config's blacklist holds the address",
     "Remove the address from network.blacklisted_peers and reload; the blacklist wins."},
    {Code::whitelist_full, "TC-WL-003", 80, "The whitelist is at its limit",
     "Remove entries that are no masternodes any more."},
    {Code::config_holds, "TC-WL-004", 80, "The config decides about this address",
     "Edit timectl.toml and run `timectl node reload`."},
    {Code::not_found, "TC-DATA-002", 66, "What was asked for is not there",
     "Check the name or the path."},
    {Code::node_not_running, "TC-NODE-001", 69, "No node is running",
     "`timectl node start` starts it; the service manager does it for good."},
    {Code::node_already_running, "TC-NODE-002", 75, "Another process holds the data directory",
     "Use the running node, or stop it with `timectl node stop`."},
    {Code::port_in_use, "TC-NODE-003", 73, "The P2P address is taken by another program",
     "Set node.listen to another address, or start with --passive."},
    {Code::passive_mode, "TC-NODE-004", 69, "The node runs passive: it opens no P2P connection",
     "A timed runs on this host; give timectl its own address (node.listen) for P2P."},
    {Code::cannot_create, "TC-IO-002", 73, "A file, socket or directory cannot be created",
     "Check the path, its owner and its mode."},
    {Code::database_locked, "TC-DB-001", 75, "The database is in use by another process",
     "Wait for it to finish, or give more time with --timeout."},
    {Code::database_damaged, "TC-DB-002", 74, "The database is damaged",
     "`timectl db check` says where; `timectl db restore FILE` brings a backup back."},
    {Code::database_newer, "TC-DB-003", 78, "A newer timectl has written this database",
     "Install that version again, or restore a backup made before the upgrade."},
    {Code::database_full, "TC-DB-004", 74, "The disk is full",
     "Free space on the file system of the data directory; nothing confirmed is lost."},
    {Code::database_unwritable, "TC-DB-005", 74, "The database cannot be written",
     "Check the file system (read-only, permissions, quota); reading still works."},
    {Code::config_invalid, "TC-CFG-001", 78, "The configuration is not valid",
     "`timectl config check` lists every problem with its line."},
    {Code::config_insecure, "TC-CFG-002", 78, "The configuration can be changed by anybody",
     "chmod o-w the file: who writes it decides whom the node trusts."},
    {Code::access_denied, "TC-ACC-001", 77, "Not permitted",
     "Changes need root, the node's user or an operator named in node.operators; "
     "reading needs the socket's group."},
    {Code::protocol_mismatch, "TC-CTL-002", 76, "The node speaks another control protocol",
     "Restart the node after an upgrade: both must be of one version."},
    {Code::timed_out, "TC-CTL-003", 124, "No answer in time",
     "Try again with a longer --timeout; `timectl node status` shows whether the node is busy."},
    {Code::too_large, "TC-CTL-004", 65, "The input is larger than allowed",
     "Split it; the limits are in docs/operating.md."},
    {Code::busy, "TC-CTL-005", 75, "Too many requests at once", "Try again in a moment."},
    {Code::connection_lost, "TC-CTL-006", 74, "The node closed the connection",
     "Look at the node's log: it may have been stopped in the middle."},
    {Code::bad_data, "TC-DATA-001", 65, "The input is malformed",
     "The message names the place; mend the input and try again."},
    {Code::bad_frame, "TC-WIRE-001", 65, "A frame does not decode",
     "Check the network and the peer's commit count (`--commit N`)."},
    {Code::audit_broken, "TC-AUD-001", 2, "The audit log does not verify",
     "Keep the file, compare with a noted head (docs/audit.md), find out who wrote to it."},
    {Code::input_output, "TC-IO-001", 74, "Reading or writing failed",
     "The message has the system's reason."},
    {Code::interrupted, "TC-INT-002", 130, "Interrupted", "Nothing was left half done."},
    {Code::internal, "TC-INT-001", 70, "A bug in timectl",
     "Please report it with the command and the version."},
    {Code::whitelisted, "TC-BAN-001", 80, "A whitelisted address cannot be banned",
     "Remove it from the whitelist first; the whitelist protects before anything else."},
    {Code::banned, "TC-BAN-003", 80, "The address is banned",
     "`timectl ban why IP` says by whom and until when, `timectl ban remove IP` lifts it."},
    {Code::list_refused, "TC-LIST-001", 80, "The list was not imported",
     "`timectl whitelist import FILE --dry-run` shows what would change and what is refused."},
    {Code::ban_list_full, "TC-BAN-002", 80, "There are too many bans by hand",
     "Remove some, raise bans.max_operator, or block the network in the firewall."},
});

}  // namespace

std::span<const ErrorRow> error_table() {
  return kRows;
}

const ErrorRow& error_row(Code code) {
  for (const auto& row : kRows) {
    if (row.code == code) return row;
  }
  check_failed("every Code has a row", __FILE__, __LINE__);
}

}  // namespace timectl
