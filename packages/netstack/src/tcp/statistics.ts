/** netstat -s -p tcp: FreeBSD's tcpstat, camel-cased without its prefix (tcps_rcvbadsum is `rcvBadSum`), and a few of our own at the end. */
export class TcpStatistics {
  // Connections
  /** Connections initiated, accepted, established, and dropped. */
  connAttempt = 0;
  accepts = 0;
  connects = 0;
  drops = 0;
  /** Embryonic connections dropped. */
  connDrops = 0;
  closed = 0;
  /** Connections that a peer's valid reset ended. */
  resets = 0;

  /** Ephemeral ports that were taken before they had been quiet for long enough: no other was left. */
  portEarly = 0;

  // Sent
  sndTotal = 0;
  sndPack = 0;
  sndByte = 0;
  sndRexmitPack = 0;
  sndRexmitByte = 0;
  /** Pure acknowledgments, window probes, segments with URG, window updates, and SYN, FIN, RST segments. */
  sndAcks = 0;
  sndProbe = 0;
  sndUrg = 0;
  sndWinUp = 0;
  sndCtrl = 0;
  /** Handed over as super-segments (TSO). */
  sndTso = 0;
  /** Segments that IP would not take; the timer tries again. */
  sndFail = 0;
  delAck = 0;
  /** Resets sent. */
  sndRst = 0;

  // Received
  rcvTotal = 0;
  rcvPack = 0;
  rcvByte = 0;
  rcvBadSum = 0;
  rcvBadOff = 0;
  rcvBadOpt = 0;
  rcvShort = 0;
  /** Segments that found no room: in the memory of all receive buffers, or in the reassembly list. */
  rcvMemDrop = 0;
  /** Connections reset because of that memory. */
  rcvMemReset = 0;
  rcvReassFull = 0;
  /** Segments beyond a gap whose bytes differ from those that stood there already. */
  rcvContradictions = 0;
  /** The memory of all receive buffers, or of all send buffers, came under pressure; and reached its limit. */
  memPressure = 0;
  memHard = 0;
  rcvDupPack = 0;
  rcvDupByte = 0;
  rcvPartDupPack = 0;
  rcvPartDupByte = 0;
  rcvOoPack = 0;
  rcvOoByte = 0;
  rcvPackAfterWin = 0;
  rcvByteAfterWin = 0;
  rcvWinProbe = 0;
  rcvWinUpd = 0;
  rcvAckPack = 0;
  rcvAckByte = 0;
  rcvDupAck = 0;
  rcvAckTooMuch = 0;
  /** Data, or a FIN, behind the peer's FIN. */
  rcvAfterClose = 0;
  /** Segments without the ACK, or in SYN-SENT without the SYN, that the state asks for. */
  rcvBadFlags = 0;
  /** Segments whose fast path held: pure acknowledgments, pure data. */
  predAck = 0;
  predDat = 0;
  pawsDrop = 0;
  /** Segments without the timestamps that were agreed on (RFC 7323 §3.2). */
  tsMissing = 0;
  /** Segments with URG (RFC 6093: counted, delivered in line). */
  rcvUrg = 0;
  /** To a broadcast or multicast address, or from one: discarded silently. */
  rcvBadAddr = 0;
  /** No connection and no listener. */
  noPort = 0;
  /** Segments for a listener that are neither SYN nor acknowledge one of ours. */
  badSyn = 0;
  listenDrop = 0;

  // Timers
  rexmtTimeo = 0;
  timeoutDrop = 0;
  persistTimeo = 0;
  persistDrop = 0;
  keepTimeo = 0;
  keepProbe = 0;
  keepDrops = 0;
  userTimeoutDrop = 0;
  /** User timeout options (RFC 5482). */
  userTimeoutsReceived = 0;
  /** Connections in FIN-WAIT-2 whose user had closed and whose peer did not, in time. */
  finwait2Drops = 0;

  // Round-trip time
  segsTimed = 0;
  rttUpdated = 0;

  // Loss recovery
  sackRecoveryEpisode = 0;
  sackRexmits = 0;
  sackRexmitBytes = 0;
  sackRcvBlocks = 0;
  sackSendBlocks = 0;
  /** Blocks that acknowledge what was never sent, or make no sense. */
  sackBadBlocks = 0;
  /** Blocks not taken in because of net.inet.tcp.sack.maxholes. */
  sackSboverflow = 0;
  /** Fast retransmits without SACK. */
  sndFastRexmit = 0;
  newRenoPartialAcks = 0;

  /** Data that arrived after what was sent later. */
  reorderings = 0;
  /** Segments sent again, by cause: timeout, RACK, duplicate acknowledgments, the rescue at the end of recovery, a smaller MTU, a window that was shut. */
  rexmtByTimeout = 0;
  rexmtByRack = 0;
  rexmtByDupAck = 0;
  rexmtByRescue = 0;
  rexmtByMtu = 0;
  rexmtByWindow = 0;
  /** Tail loss probes (RFC 8985): of new data, of old data, and losses that only a probe has repaired. */
  tlpNewData = 0;
  tlpResends = 0;
  tlpResendBytes = 0;
  tlpRepaired = 0;
  /** Recoveries, by timeouts and by other means, that turned out to be for nothing and were taken back; and what told. */
  sndRexmitBad = 0;
  spuriousTimeouts = 0;
  spuriousRecoveries = 0;
  spuriousByEifel = 0;
  spuriousByFrto = 0;
  spuriousByDsack = 0;
  /** D-SACK blocks sent. */
  dsackSent = 0;
  /** D-SACK blocks received (RFC 2883), and their bytes. */
  dsackCount = 0;
  dsackBytes = 0;

  // ECN
  /** Segments of data with CE, connections with ECN, and windows reduced because of echoes. */
  ecnCe = 0;
  ecnShs = 0;
  ecnRcwnd = 0;

  // SYN cache
  scAdded = 0;
  scRetransmitted = 0;
  scDupSyn = 0;
  scCompleted = 0;
  scBucketOverflow = 0;
  scReset = 0;
  scStale = 0;
  scBadAck = 0;
  scUnreach = 0;
  /** SYNs that a peer had too many of; only where there are no cookies. */
  scPeerLimit = 0;
  /** SYN cookies sent, taken, and refused. */
  scSendCookie = 0;
  scRecvCookie = 0;
  scFailCookie = 0;

  // Fast Open (RFC 7413), the client's side: cookies asked for, SYNs with data, those whose data was acknowledged, paths found to let none through,
  // connections that kept off such a path
  foCookieAsked = 0;
  foSent = 0;
  foAccepted = 0;
  foBlackHole = 0;
  foPathDisabled = 0;
  /** The server's: cookies given, SYNs whose data was taken, wrong or old cookies, SYNs beyond the listener's limit. */
  foCookieGiven = 0;
  foTaken = 0;
  foBadCookie = 0;
  foOverflow = 0;

  // TIME-WAIT
  twEntered = 0;
  twRecycles = 0;
  twResets = 0;
  /** New SYNs that took over (RFC 6191). */
  twReused = 0;

  // Signatures (RFC 2385, RFC 5925)
  /** Segments with a signature that holds, and with a wrong one. */
  sigRcvGoodSig = 0;
  sigRcvBadSig = 0;
  /** Segments that could not be signed. */
  sigErrBuildSig = 0;
  /** Signed segments where nobody expects it, and segments without the signature that is asked for. */
  sigErrSigOpt = 0;
  sigErrNoSigOpt = 0;
  /** Signed with TCP-AO by a key that is not there, or whose connection is not. */
  aoKeyNotFound = 0;
  /** ICMP errors that TCP-AO has us ignore. */
  aoDroppedIcmp = 0;

  // ICMP
  icmpSoftErrors = 0;
  icmpHardErrors = 0;
  icmpIgnored = 0;
  mtuLowered = 0;
  /** Path MTU black holes suspected: smaller segments tried, the smallest, and both to no avail. */
  pmtudBlackholeActivated = 0;
  pmtudBlackholeActivatedMinMss = 0;
  pmtudBlackholeFailed = 0;
  /** Segments larger than others that went out (RFC 4821), and what became of them; and larger sizes that did not stand the test. */
  pmtudProbes = 0;
  pmtudProbesArrived = 0;
  pmtudProbesFailed = 0;
  pmtudProbesInconclusive = 0;
  pmtudProbesRevoked = 0;

  // RFC 5961
  challengeAcks = 0;
  /** Not sent: their flow had had its share; the stack had. */
  challengeAcksSuppressed = 0;
  challengeBudgetSpent = 0;
  badRst = 0;
  synInWindow = 0;
  ackOutOfWindow = 0;
}
