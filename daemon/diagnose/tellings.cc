// How each mode is told apart from this side: the conditions of its rule, in words.
#include <array>

#include "daemon/diagnose/pages.h"

namespace timectl::diagnose {
namespace {

constexpr auto kTellings = std::to_array<Telling>({
    {"FM-R1",
     "connecting is refused (RST), and its RPC is down or refuses, too; an RPC that "
     "answers would make it FM-R4, a start minutes ago FM-X11"},
    {"FM-R2",
     "connecting ends in a time-out, or our kernel has no route; a refusal would be "
     "FM-R1"},
    {"FM-R3",
     "the peer says itself that it is not reachable, or it dials us while none of our "
     "dials gets through; of this node: peers warn us, or nobody dials in for a day"},
    {"FM-R4",
     "the P2P port refuses while the RPC beside it answers, for longer than a start "
     "takes; most sure with 0 inbound connections"},
    {"FM-R5", "our listener could not bind its port"},
    {"FM-R6",
     "TCP connects, and no TLS answer comes in 5 s; an RPC that hangs as well would be "
     "FM-X6"},
    {"FM-R7", "our own handshake comes back to us, or the address is ours and we dial or ban it"},
    {"FM-R8", "IPv6 is in use, and its RPC lists peers as 127.0.0.1"},
    {"FM-R9",
     "different nodes come from one address and replace each other's sessions; or another "
     "node answers on our address"},
    {"FM-H1",
     "TLS is up, and no Ack to our handshake comes; frames that come meanwhile show that "
     "it is alive"},
    {"FM-H2", "messages come before its handshake"},
    {"FM-H3", "its first frame has the magic of the other network"},
    {"FM-H4", "it refuses our protocol version, or says a version below 2"},
    {"FM-H5",
     "it says a commit count below the least, or refuses ours; of three masternodes in an hour, "
     "with none connected, it is ours"},
    {"FM-H6",
     "handshake and pings work, and its genesis hash is another than ours; of three peers "
     "at once it would be ours (FM-H8)"},
    {"FM-H7", "its genesis hash is the right one, and it banned us over the genesis all the same"},
    {"FM-H8",
     "three masternodes within 5 minutes have another genesis and none is connected, or our own "
     "reads as zeros"},
    {"FM-H9", "the first bytes that come are no TLS; they are shown in hex"},
    {"FM-H10", "it banned us for a wrong server name in TLS"},
    {"FM-H11",
     "it accepts and closes before TLS, and nothing else explains it: a ban, a limit and "
     "a stale session all look like this"},
    {"FM-H12", "a frame announces more bytes than may be; nothing of it is read"},
    {"FM-H13", "the frame that is too large is one a peer may honestly send"},
    {"FM-H14", "frames of its session do not decode"},
    {"FM-H15", "what comes in the place of frames are lines of JSON"},
    {"FM-K1",
     "its session ended, or is silent, without a word on the wire and without TCP "
     "acknowledgements; when its kernel still acknowledges it is FM-X6"},
    {"FM-K2", "pongs come that answer no ping of ours"},
    {"FM-K3", "it bans us, and the reason is its limit of pings"},
    {"FM-K4", "it lists us as connected, with a height and without a ping time"},
    {"FM-K7", "the session counts as up, and nothing was heard for longer than any time-out"},
    {"FM-D1",
     "several sessions of the last hour lasted seconds, in both directions, each replaced "
     "by the next"},
    {"FM-D2",
     "it is up and reachable, there is no session, and neither side dials; by the addresses "
     "the higher one has to"},
    {"FM-D3", "our own address is unknown or 0.0.0.0, and we wait for everybody"},
    {"FM-D4",
     "the address that we have configured and the one that peers see give another answer "
     "to who dials"},
    {"FM-D5", "its masternodelist says that we are connected, its getpeerinfo that we are not"},
    {"FM-D6", "its RPC shows a session with us, and we have none"},
    {"FM-D10", "its RPC lists our address twice, with a port and without"},
    {"FM-D11", "its RPC counts 0 connections and lists connected peers"},
    {"FM-D12", "sessions end every 10 minutes, three times or more"},
    {"FM-D13", "its dial and ours met within seconds; ours was dropped, and then its session died"},
    {"FM-D14", "it lists us as connected for minutes, with height 0"},
    {"FM-L1", "it was started minutes ago and drops new connections at once, without a ban"},
    {"FM-L2",
     "it drops us at once and accepts another network, has no ban of us, and several nodes "
     "share our /24"},
    {"FM-L3",
     "it drops connections from anywhere, and its RPC counts as many as it takes; of this "
     "node: refusals while the slots are full"},
    {"FM-L4", "an Ack, a list of other peers, and the end"},
    {"FM-L6", "its RPC has us in the free tier, and more than three nodes share our network"},
    {"FM-L8", "its notice or its ban names the gate before the channel"},
    {"FM-B1", "its getbanlist has us, or our own table has it; the reason is in the evidence"},
    {"FM-B2", "its ban of us says that we dropped together with others"},
    {"FM-B3", "no address is whitelisted, although the list could be had"},
    {"FM-B4",
     "no address is whitelisted, and the list cannot be had; of a peer: its own whitelist is "
     "empty"},
    {"FM-B5",
     "the list was not renewed for a day; of a peer: its whitelist is shorter than the API's"},
    {"FM-B6", "the ban is older than the start of who bans"},
    {"FM-B7",
     "it drops us at once and accepts another address, and its getbanlist does not have us"},
    {"FM-B8", "our own address is in our table of bans"},
    {"FM-B9", "its ban of us names a collateral"},
    {"FM-B10", "its ban of us names a burst of messages"},
    {"FM-B11", "its ban of us names a reward"},
    {"FM-B12", "a probe gets through, and after failures our own next attempt is far away"},
    {"FM-B13",
     "declared as whitelisted, and the live connection or its slot is treated as a "
     "stranger's"},
    {"FM-B14", "its bans hold our whole network"},
    {"FM-P1", "the fetch of the list fails at TLS"},
    {"FM-P4", "no session, and its registry does not have us"},
    {"FM-P6", "connected for minutes, and its registry does not have us"},
    {"FM-P7", "its registry is large and few of it are active"},
    {"FM-P9", "a peer that is not whitelisted is parked after its attempts"},
    {"FM-P10", "connected by its getpeerinfo, not connected by its registry"},
    {"FM-P11", "connected in its registry, and not active there; or it says so of itself"},
    {"FM-P12", "it misses a collateral, and was started within half an hour; later it is FM-C10"},
    {"FM-P13", "the configuration holds a name where an address belongs"},
    {"FM-P14", "the API's list lacks the address"},
    {"FM-S1", "behind what is believed, and blocks come at a good rate"},
    {"FM-S2",
     "behind what is believed, and no block comes; of a peer: it did not answer a request"},
    {"FM-S4", "three peers or more are connected for minutes, and none told its height"},
    {"FM-S5",
     "the hashes differ from a common ancestor on, up to 100 blocks deep; who must act "
     "follows from which side has the majority"},
    {"FM-S6", "the majority is on another branch, and ours is final"},
    {"FM-S7", "as FM-S5, and more than 100 blocks deep"},
    {"FM-S8", "its RPC says that it is syncing, at the height where everybody is"},
    {"FM-S9", "a fork against the majority stands open for 10 minutes"},
    {"FM-S10", "everybody is at the same height and agrees, and the clock is further"},
    {"FM-S11", "a height above what the clock allows"},
    {"FM-S13", "nobody who may be believed is connected"},
    {"FM-S14", "hundreds of blocks behind, on the same chain; on another it is FM-S5"},
    {"FM-S15", "several masternodes serve the same next block, and we refuse it for one reason"},
    {"FM-S16", "a block on disk cannot be read; of a peer: the hash of its tip reads as zeros"},
    {"FM-S17", "its ban of us names a block before genesis"},
    {"FM-S18", "a chain of its own, and no connection at all"},
    {"FM-X1",
     "our clock is 5 s or more off the time servers or the median of three peers; who is "
     "right is told by two of them agreeing"},
    {"FM-X2", "time servers were asked, and none answered"},
    {"FM-X3", "its time stamps are more than 5 s off while our own clock is confirmed"},
    {"FM-X4", "less than 1 GiB is free where the data is"},
    {"FM-X5", "the log takes over 5 GiB or grows by over 1 GiB a day"},
    {"FM-X6",
     "its kernel answers and the program does not: neither P2P nor RPC says a word; of "
     "this node: its timers come late"},
    {"FM-X7", "a heartbeat, and no tick of the dialler for 2 minutes"},
    {"FM-X8",
     "the control group counts kills for memory (of any process in it; a guess where it is no "
     "service's), or almost all of the limit is used"},
    {"FM-X9", "80 % of the descriptors are in use, or the system refused one"},
    {"FM-X10",
     "the write-ahead log of the database was left behind; a remark while the database is whole"},
    {"FM-X11", "its uptime is below 5 minutes, and it refuses or is mute"},
    {"FM-X12", "three starts or more within half an hour"},
    {"FM-X15", "a third of the peers were started within half an hour"},
    {"FM-X16", "the timed beside us panicked"},
    {"FM-C1", "peers see another address than the configured one"},
    {"FM-C2", "we listen on another port than the network dials"},
    {"FM-C3",
     "three masternodes answer with the magic of the other network, and none is connected"},
    {"FM-C5", "the configuration holds keys that nothing reads"},
    {"FM-C6", "its registry has our collateral at two addresses"},
    {"FM-C7", "a whitelisted peer says that it is no masternode"},
    {"FM-C8", "its RPC asks for credentials even for public methods"},
    {"FM-C9", "the timed beside us has no unit of systemd"},
    {"FM-C10", "it misses a collateral, long after its start"},
    {"FM-A1", "the fetch of the list fails at the name"},
    {"FM-A2", "the fetch of the list ends in an HTTP error or a time-out"},
    {"FM-A3", "the list is no JSON, or no array of addresses"},
    {"FM-A4", "the list is empty, which is taken for an outage"},
    {"FM-A5", "the list changed more than may be taken at once, or holds private addresses"},
    {"FM-A6", "the list is larger than is read"},
    {"FM-A7", "a fifth of the list was not reached for a day"},
    {"FM-A8",
     "its RPC is down while its session or a probe is fine; that it is closed is only a remark"},
    {"FM-A9", "its RPC answers 429"},
    {"FM-A10", "its RPC answers a stranger: true of most nodes, and never a verdict"},
    {"FM-A11", "it lists ten peers or more and is connected with none"},
    {"FM-A12", "its best height is its own, while others are further"},
    {"slow", "its Ack takes over 1 s, or the median of the pings 0.5 s"},
    {"own_address", "the node takes that address for its own"},
    {"kept_away", "the node's own word: `timectl peer show IP` says until when"},
    {"uplink_down",
     "five masternodes or more fell silent within 2 s and nobody is heard since, or the node is "
     "cut off by its own bookkeeping"},
    {"clock_step", "the wall clock jumped against the monotonic one"},
});

}  // namespace

std::span<const Telling> tellings() {
  return kTellings;
}

}  // namespace timectl::diagnose
