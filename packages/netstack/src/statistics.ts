/**
 * Counters under the names of FreeBSD's ipstat, ip6stat, icmpstat, icmp6stat, arpstat, nd6 (part of icmp6stat) and udpstat, camel-cased
 * without their prefix: ips_badsum is `ip.badSum`. Nothing is dropped anywhere without one of them going up.
 */

/** netstat -s -p ip */
export class IpStatistics {
  /** Packets that came in. */
  total = 0;
  /** Header checksum wrong. */
  badSum = 0;
  /** Shorter than a header. */
  tooShort = 0;
  /** Link packet shorter than the total length says. */
  tooSmall = 0;
  /** Header length below 20 or beyond the packet. */
  badHlen = 0;
  /** Total length below the header length. */
  badLen = 0;
  /** Version is not 4. */
  badVers = 0;
  /** Malformed options. */
  badOptions = 0;
  /** Source or destination that may not stand there (multicast source, 127/8 or our own address from outside). */
  badAddr = 0;
  /** Source-routed packets refused. */
  sourceRouted = 0;
  fragments = 0;
  /** Duplicates, overlaps, or over a limit. */
  fragDropped = 0;
  fragTimeout = 0;
  reassembled = 0;
  /** Sent on to another host. */
  forward = 0;
  /** Not for us and not to be forwarded. */
  cantForward = 0;
  /** Protocol that nobody handles. */
  noProto = 0;
  /** Given to a protocol. */
  delivered = 0;
  /** Sent by us. */
  localOut = 0;
  /** Dropped on the way out: link down, no room for what waits for a neighbour. */
  oDropped = 0;
  /** Packets that were cut, pieces made, and packets that may not be cut. */
  fragmented = 0;
  oFragments = 0;
  cantFrag = 0;
  noRoute = 0;
  /** Longer than an IP packet can be. */
  tooLong = 0;
  /** To a multicast group that we are not in. */
  notMember = 0;
}

/** netstat -s -p ip6 */
export class Ip6Statistics {
  total = 0;
  tooShort = 0;
  tooSmall = 0;
  badVers = 0;
  badOptions = 0;
  /** Source or destination scope that may not stand there. */
  badScope = 0;
  fragments = 0;
  fragDropped = 0;
  fragTimeout = 0;
  /** Fragments over the limit of packets or bytes under reassembly. */
  fragOverflow = 0;
  reassembled = 0;
  /** Packets with a fragment header that are whole (RFC 6946). */
  atomicFrags = 0;
  forward = 0;
  cantForward = 0;
  noProto = 0;
  delivered = 0;
  localOut = 0;
  oDropped = 0;
  fragmented = 0;
  oFragments = 0;
  cantFrag = 0;
  noRoute = 0;
  notMember = 0;
  /** Extension headers beyond net.inet6.ip6.hdrnestlimit. */
  tooManyHdr = 0;
}

/** netstat -s -p icmp; in/out per type instead of FreeBSD's histogram. */
export class IcmpStatistics {
  /** Errors that we wanted to send. */
  error = 0;
  /** Not sent: the packet was an ICMP error itself, broadcast or multicast (or from nobody), or a later fragment. */
  oldIcmp = 0;
  oldMcast = 0;
  oldFrag = 0;
  /** Not sent: over net.inet.icmp.icmplim. */
  tooFreq = 0;
  badCode = 0;
  tooShort = 0;
  checksum = 0;
  /** Quoted packet too short to be matched. */
  badLen = 0;
  /** Replies sent. */
  reflect = 0;
  /** Broadcast or multicast echo requests ignored. */
  bmcastEcho = 0;
  badAddr = 0;
  noRoute = 0;
  inEchoReply = 0;
  inUnreach = 0;
  inEcho = 0;
  inTimxceed = 0;
  inParamprob = 0;
  inRedirect = 0;
  inOther = 0;
  outEchoReply = 0;
  outUnreach = 0;
  outTimxceed = 0;
  outParamprob = 0;
}

/** netstat -s -p icmp6 */
export class Icmp6Statistics {
  error = 0;
  /** Not sent: the rules of RFC 4443 §2.4 (e) forbid it. */
  cantError = 0;
  /** Not sent: over net.inet6.icmp6.errppslimit. */
  tooFreq = 0;
  badCode = 0;
  tooShort = 0;
  checksum = 0;
  badLen = 0;
  reflect = 0;
  noRoute = 0;
  /** Path MTU lowered. */
  pmtuChg = 0;
  ndTooManyOpt = 0;
  ndBadOpt = 0;
  badNs = 0;
  badNa = 0;
  inUnreach = 0;
  inPacketTooBig = 0;
  inTimeExceed = 0;
  inParamProb = 0;
  inEcho = 0;
  inEchoReply = 0;
  inNeighborSolicit = 0;
  inNeighborAdvert = 0;
  inOther = 0;
  outUnreach = 0;
  outPacketTooBig = 0;
  outTimeExceed = 0;
  outParamProb = 0;
  outEchoReply = 0;
  outNeighborSolicit = 0;
  outNeighborAdvert = 0;
  outMldReport = 0;
}

/** netstat -s -p arp */
export class ArpStatistics {
  txRequests = 0;
  txReplies = 0;
  rxRequests = 0;
  rxReplies = 0;
  received = 0;
  /** Malformed, or for another medium. */
  badPackets = 0;
  /** Packets dropped while they waited for an address. */
  dropped = 0;
  /** Entries that ran out. */
  timeouts = 0;
  /** Others using one of our addresses. */
  dupIps = 0;
}

/** Neighbour discovery's part that FreeBSD keeps in arpstat's likeness. */
export class NdStatistics {
  /** Packets dropped while they waited for an address. */
  dropped = 0;
  timeouts = 0;
  dupIps = 0;
}

/** netstat -s -p udp */
export class UdpStatistics {
  iPackets = 0;
  /** Shorter than a header. */
  hdrOps = 0;
  badSum = 0;
  noSum = 0;
  badLen = 0;
  noPort = 0;
  noPortBcast = 0;
  oPackets = 0;
}

/** Frames and packets that the link layer did not take. */
export class LinkStatistics {
  /** Frame shorter than its header. */
  tooShort = 0;
  /** Unicast frames for somebody else. */
  notForUs = 0;
  /** EtherType or IP version that we do not handle. */
  noProto = 0;
  /** Source address that is our own or a group. */
  badSource = 0;
}

/** Plain objects of numbers, one per protocol. Transports add theirs with `register`. */
export class Statistics {
  readonly ip: IpStatistics = new IpStatistics();
  readonly ip6: Ip6Statistics = new Ip6Statistics();
  readonly icmp: IcmpStatistics = new IcmpStatistics();
  readonly icmp6: Icmp6Statistics = new Icmp6Statistics();
  readonly arp: ArpStatistics = new ArpStatistics();
  readonly nd: NdStatistics = new NdStatistics();
  readonly udp: UdpStatistics = new UdpStatistics();
  readonly link: LinkStatistics = new LinkStatistics();
  readonly #registered: Record<string, object> = {};

  /** Adds a protocol's counters to `snapshot()` and returns them. */
  register<T extends object>(name: string, counters: T): T {
    this.#registered[name] = counters;
    return counters;
  }

  /** A copy of every counter, by protocol and name. */
  snapshot(): Record<string, Record<string, number>> {
    const { ip, ip6, icmp, icmp6, arp, nd, udp, link } = this;
    const groups: Record<string, object> = { ip, ip6, icmp, icmp6, arp, nd, udp, link, ...this.#registered };
    return Object.fromEntries(Object.entries(groups).map(([name, counters]) => [name, { ...counters }]));
  }
}
