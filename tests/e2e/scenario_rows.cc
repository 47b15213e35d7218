#include "tests/e2e/scenario_rows.h"

#include <algorithm>
#include <array>
#include <stdexcept>

namespace timectl::e2e {
namespace {

constexpr std::string_view kPeer =
    "DiagnosePeer.GivesItsVerdictWithoutANode DiagnosePeerByNode.GivesTheSameVerdictAndStays";
constexpr std::string_view kFrame =
    "DiagnosePeer.GivesItsVerdictWithoutANode DiagnosePeerByNode.GivesTheSameVerdictAndStays "
    "ProbeMemory.AnnouncedLengthsAllocateNothing";
constexpr std::string_view kUnwilling =
    "DiagnosePeer.GivesItsVerdictWithoutANode DiagnosePeerByNode.GivesTheSameVerdictAndStays "
    "DiagnosePeerConnects.AnUnwillingRpcIsLeftAloneAndAHugeOneIsCut";
constexpr std::string_view kOnce =
    "DiagnosePeer.GivesItsVerdictWithoutANode DiagnosePeerByNode.GivesTheSameVerdictAndStays "
    "DiagnosePeerConnects.EachPortOfADeadHostIsTriedOnce";
constexpr std::string_view kSilent =
    "DiagnosePeer.GivesItsVerdictWithoutANode DiagnosePeerByNode.GivesTheSameVerdictAndStays "
    "DiagnosePeerConnects.ASilentPeerSeesOurEndAndAnotherOurHandshakeAtOnce";
constexpr std::string_view kInstead =
    "DiagnoseList.WhateverComesInsteadOfAListIsTheVerdict "
    "DiscoveryOfANode.WhateverComesInsteadOfAListTheLastGoodOneStays "
    "FetchTest.SlowAnswersEndAtTheDeadline";

// Sorted by id.
constexpr auto kRows = std::to_array<ScenarioRow>({
    {"T01", "nothing listens", kOnce, "peer", "FM-R1", "peer", 2, 0.7},
    {"T02", "P2P port closed, its RPC is up for 3 days, 0 in", kPeer, "peer", "FM-R4", "peer", 2,
     0.8},
    {"T03", "the way back is a blackhole",
     "DiagnoseLabTest.T03APeerWithoutAWayBackIsFilteredAfterFiveSeconds", "peer", "FM-R2", "peer",
     2, 0.6},
    {"T05a", "accepts and says nothing", kSilent, "peer", "FM-R6", "peer", 2, 0.7},
    {"T05b", "the same, and its RPC hangs", kPeer, "peer", "FM-X6", "peer", 2, 0.6},
    {"T06a", "TLS, and no frame", kSilent, "peer", "FM-H1", "peer", 1, 0.6},
    {"T06b", "TLS, no Ack, other frames", kPeer, "peer", "FM-H1", "peer", 1, 0.6},
    {"T09", "closes at once, from elsewhere too, 250 in", kPeer, "peer", "FM-L3", "peer", 2, 0.8},
    {"T10", "speaks plaintext", kPeer, "peer", "FM-H9", "peer", 2, 0.7},
    {"T11", "answers with the other magic", kPeer, "peer", "FM-H3", "peer", 2, 0.7},
    {"T13", "another genesis block", kPeer, "peer", "FM-H6", "peer", 2, 0.8},
    {"T14", "three peers with another genesis block than ours",
     "DiagnoseSession.T14ThreePeersWithAnotherGenesisAreOurFault", "peer", "FM-H8", "you", 2, 0.6},
    {"T15", "a frame of 0x20000000 bytes", kFrame, "peer", "FM-H12", "peer", 2, 0.7},
    {"T16", "Ack after 1.8 s, jitter of 300 ms", "DiagnoseLabTest.T16ASlowPeerIsSlowAndNotDead",
     "peer", "slow", "nobody", 1, 0.5},
    {"T17", "claims E+500", "DiagnoseChain.T17AHeightTheClockDoesNotAllowIsImplausible", "peer",
     "FM-S11", "peer", 1, 0.7},
    {"T18a", "we are at E-500 and load blocks",
     "DiagnoseChain.T18BlocksThatComeSlowlyAreNoFault ChainSync.FiveHundredBlocksAreFetchedWithin"
     "TenSeconds",
     "peer", "FM-S1", "nobody", 1, 0.7},
    {"T18b", "we are at E-500 and no block comes",
     "DiagnoseChain.T18WhereNoBlockComesTheSyncStalls "
     "ChainConditions.LagIsANoticeOver50AndAWarningOver100Blocks",
     "peer", "FM-S2", "you", 2, 0.6},
    {"T19", "it is at E-2000 on our chain",
     "DiagnoseChain.T19APeerFarBehindOnOurChainIsItsOwnMatter", "peer", "FM-S14", "peer", 2, 0.7},
    {"T20a", "same height, other chain, ours is the minority",
     "DiagnoseChain.T20ForksNameTheMajority ForkSearch.T20FindsTheForkPointThirtyEightBelowTheTip",
     "peer", "FM-S5", "you", 2, 0.7},
    {"T20b", "same height, other chain, ours is the majority",
     "DiagnoseChain.T20ForksNameTheMajority", "peer", "FM-S5", "peer", 2, 0.7},
    {"T22", "everybody is at E-19",
     "DiagnoseChain.T22WhereAllStandStillNobodyIsToBlame "
     "ChainWorld.WhereTheWholeNetworkStandsStillWeStandToo",
     "node", "FM-S10", "nobody", 1, 0.7},
    {"T23", "its clock is 600 s ahead", "DiagnoseSession.T23APeersClockIsMeasuredAndOursIsRight",
     "peer", "FM-X3", "peer", 1, 0.7},
    {"T24a", "our clock is 12 s behind",
     "DiagnoseNode.T24AWrongClockOfOursIsMeasuredByServersAndPeers", "node", "FM-X1", "you", 2,
     0.8},
    {"T24b", "no time server answers",
     "DiagnoseNode.T24WithoutTimeServersTheOffsetIsThatOfThePeers", "node", "FM-X2", "you", 1, 0.8},
    {"T25", "a session is up, ours or another process's",
     "DiagnoseSession.T25NobodyIsProbedBesideALiveSession "
     "DiagnoseLabTest.T25NobodyIsProbedBesideTheSessionOfAnotherProcess",
     "peer", "", "nobody", 0, 0.5},
    {"T28", "both wait, and it has forgotten us",
     "DiagnoseSession.T28WhoHasToDialIsNamedWhereBothWait", "peer", "FM-D2", "peer", 2, 0.6},
    {"T29", "our address is 0.0.0.0, eight peers are passive",
     "DiagnoseNode.T29WithoutAnAddressOfOursThereIsOneFindingAndNotEight", "facts", "FM-D3", "you",
     2, 0.7},
    {"T33", "the link is cut on both ends",
     "DiagnoseLabTest.T33ADeadPathIsHalfOpenAndNotOurFault "
     "CutTest.APulledCableIsSuspectedThenCutWithEvidenceAndHealed "
     "LabTest.ADeadTransportIsCutWithinAMinuteAndWithinHalfOfOneWhereToldSo",
     "peer", "FM-K1", "nobody", 2, 0.6},
    {"T35", "a peer is closed for ever",
     "Reconnect.TheLaddersAreThoseOfTheTable "
     "Reconnect.AMasternodeIsExhaustedOnceAndThenLeftToThePass "
     "Reconnect.ARegularPeerIsForgottenForADayAfterTenAttempts "
     "NodeDial.ADeadMasternodeIsDialledForEverAndNeverMoreThanFourTimesAMinute"},
    {"T37", "both ends start in the same millisecond",
     "NodeTest.T37TwoNodesThatStartTogetherEndWithOneSessionEveryTime"},
    {"T41", "a whitelist of 23, all down",
     "NodeTest.T41AWhitelistOfWhichNobodyAnswersIsCriticalOnceUntilOneIsBack"},
    {"T43", "125 slots, and more guests than that",
     "DiagnoseNode.T43RefusedGuestsAreSlotsThatAreFull "
     "NodeTest.T43SeventyFiveRegularPeersFitAndAMasternodeAlwaysDoes",
     "node", "FM-L3", "you", 1, 0.6},
    {"T48", "a log that is rotated while it is written",
     "LogSourceFile.FollowedFileIsReadOnOverARename "
     "LogSourceFile.FollowedFileIsReadOnOverATruncation "
     "LogSourceFile.HundredRotationsLoseNothingAndLeakNothing"},
    {"T49", "journald and text with everything that is in the wild",
     "LogReader.EveryFormOfALineIsTheSameEvent LogReader.MojibakeOfTheEmojiChangesNothing "
     "LogReader.NullMessageIsCountedAsUnparsed LogReader.NulBytesAndBrokenUtf8AreBytesLikeOthers "
     "LogReader.LineOfAMegabyteIsCutAndTheNextOneIsRead"},
    {"T51", "signals, kill -9, a half written state",
     "NodeTest.T51TermAndIntSayGoodbyeAndOnlyAKillDoesNot "
     "NodeTest.T51AfterKill9TheDialStateIsKeptAndHangupReloads "
     "Crash.Kill9InTheMiddleOfAThousandChangesLosesNothingConfirmed"},
    {"T52", "a limit of 64 descriptors, 100 guests",
     "DiagnoseNode.T52TooFewDescriptorsAreNamed "
     "FaultS15.ANodeWithoutDescriptorsSurvivesAndRecovers",
     "node", "FM-X9", "you", 2, 0.7},
    {"T54a", "the API answers no list: 503, a loop, garbage, nothing", kInstead, "node", "FM-A2",
     "nobody", 1, 0.5},
    {"T54b", "it answers HTML, an object, half a list", kInstead, "node", "FM-A3", "nobody", 1,
     0.6},
    {"T54c", "its certificate has expired",
     "DiagnoseList.T54ACertificateThatHasExpiredIsNamed "
     "DiscoveryOfANode.ACertificateThatHasExpiredOrIsForAnotherHostIsNamed",
     "node", "FM-P1", "you", 1, 0.6},
    {"T55a", "[] while the whitelist has 23", kInstead, "node", "FM-A4", "nobody", 1, 0.7},
    {"T55b", "[] and nobody is whitelisted",
     "DiagnoseList.T55AnEmptyListWithNothingToFallBackOnIsCritical", "node", "FM-A4", "nobody", 2,
     0.7},
    {"T56", "200,000 entries, 64 MB, a string of 10 MB",
     "DiagnoseList.T56WhatIsTooLargeIsRefusedWithoutGrowing PeerList.NoBodyMakesTheProcessGrow",
     "node", "FM-A6", "nobody", 1, 0.6},
    {"T58", "from 23 to 80 entries without one in common",
     "DiagnoseList.T58AListThatJumpsIsTheVerdict "
     "DiscoveryOfANode.AListThatJumpsWaitsForTheOperator",
     "node", "FM-A5", "you", 1, 0.6},
    {"T60a", "its RPC answers 429, and its port is closed", kUnwilling, "peer", "FM-R1", "peer", 2,
     0.5},
    {"T60b", "its RPC answers HTML", kUnwilling, "peer", "FM-R1", "peer", 2, 0.5},
    {"T60c", "its RPC answers 200 MB", kUnwilling, "peer", "FM-R1", "peer", 2, 0.5},
});

}  // namespace

std::span<const ScenarioRow> scenario_rows() {
  return kRows;
}

const ScenarioRow& scenario_row(std::string_view id) {
  const auto* row = std::ranges::find(kRows, id, &ScenarioRow::id);
  if (row == kRows.end()) throw std::invalid_argument("no such scenario: " + std::string(id));
  return *row;
}

}  // namespace timectl::e2e
