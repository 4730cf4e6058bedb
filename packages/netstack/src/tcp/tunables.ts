import type { Sysctl, SysctlTree } from "../sysctl.ts";
import type { CongestionTunables } from "./congestion.ts";
import type { RttLimits } from "./rtt.ts";

const MS = 1000;

/** The net.inet.tcp sysctls, under FreeBSD's names. Times are milliseconds there, and µs in the getters here. */
export class TcpTunables implements RttLimits, CongestionTunables {
  readonly recvspace: Sysctl<number>;
  readonly sendspace: Sysctl<number>;
  readonly recvbufAuto: Sysctl<boolean>;
  readonly recvbufMax: Sysctl<number>;
  readonly sendbufAuto: Sysctl<boolean>;
  readonly sendbufInc: Sysctl<number>;
  readonly sendbufMax: Sysctl<number>;
  readonly recvmemMax: Sysctl<number>;
  readonly sendmemMax: Sysctl<number>;
  readonly rfc1323: Sysctl<boolean>;
  readonly sack: Sysctl<boolean>;
  readonly sackMaxholes: Sysctl<number>;
  readonly dsack: Sysctl<boolean>;
  readonly eifel: Sysctl<boolean>;
  readonly frto: Sysctl<boolean>;
  readonly prr: Sysctl<boolean>;
  readonly prrConservative: Sysctl<boolean>;
  readonly rack: Sysctl<boolean>;
  readonly tlp: Sysctl<boolean>;
  readonly tlpMin: Sysctl<number>;
  readonly tlpDelayedAck: Sysctl<number>;
  readonly tso: Sysctl<boolean>;
  readonly mssdflt: Sysctl<number>;
  readonly v6mssdflt: Sysctl<number>;
  readonly minmss: Sysctl<number>;
  readonly delayedAck: Sysctl<boolean>;
  readonly delacktime: Sysctl<number>;
  readonly delackAdaptive: Sysctl<boolean>;
  readonly quickack: Sysctl<number>;
  readonly rexmitInitial: Sysctl<number>;
  readonly rexmitMin: Sysctl<number>;
  readonly rexmitSlop: Sysctl<number>;
  readonly rexmitMax: Sysctl<number>;
  readonly rexmitTries: Sysctl<number>;
  readonly persmin: Sysctl<number>;
  readonly persmax: Sysctl<number>;
  readonly keepinit: Sysctl<number>;
  readonly keepidle: Sysctl<number>;
  readonly keepintvl: Sysctl<number>;
  readonly keepcnt: Sysctl<number>;
  readonly alwaysKeepalive: Sysctl<boolean>;
  readonly finwait2Timeout: Sysctl<number>;
  readonly msl: Sysctl<number>;
  readonly maxtcptw: Sysctl<number>;
  readonly initcwndSegments: Sysctl<number>;
  readonly abcLVar: Sysctl<number>;
  readonly ccAlgorithm: Sysctl<string>;
  readonly ccAbe: Sysctl<boolean>;
  readonly newcwv: Sysctl<boolean>;
  readonly ecnEnable: Sysctl<number>;
  readonly ecnMaxretries: Sysctl<number>;
  readonly pacingEnable: Sysctl<boolean>;
  readonly pacingSsRatio: Sysctl<number>;
  readonly pacingCaRatio: Sysctl<number>;
  readonly reassMaxqueuelen: Sysctl<number>;
  readonly syncacheLimit: Sysctl<number>;
  readonly syncachePeerlimit: Sysctl<number>;
  readonly fastopenClient: Sysctl<boolean>;
  readonly fastopenServer: Sysctl<boolean>;
  readonly fastopenAcceptAny: Sysctl<boolean>;
  readonly fastopenAutokey: Sysctl<number>;
  readonly fastopenCcacheLimit: Sysctl<number>;
  readonly fastopenPathDisableTime: Sysctl<number>;
  readonly syncacheRexmtlimit: Sysctl<number>;
  readonly syncookies: Sysctl<boolean>;
  readonly syncookiesOnly: Sysctl<boolean>;
  readonly blackhole: Sysctl<number>;
  readonly dropSynfin: Sysctl<boolean>;
  readonly insecureRst: Sysctl<boolean>;
  readonly insecureSyn: Sysctl<boolean>;
  readonly ackWarCount: Sysctl<number>;
  readonly ackWarWindow: Sysctl<number>;
  readonly ackWarBudget: Sysctl<number>;
  readonly tolerateMissingTs: Sysctl<boolean>;
  readonly icmpMayRst: Sysctl<boolean>;
  readonly hostcacheSsthresh: Sysctl<boolean>;
  readonly pathMtuDiscovery: Sysctl<boolean>;
  readonly pmtudBlackholeDetection: Sysctl<number>;
  readonly pmtudBlackholeMss: Sysctl<number>;
  readonly v6pmtudBlackholeMss: Sysctl<number>;
  readonly utoEnable: Sysctl<boolean>;
  readonly utoAdvertise: Sysctl<number>;
  readonly utoLow: Sysctl<number>;
  readonly utoHigh: Sysctl<number>;
  readonly mtuProbing: Sysctl<number>;
  readonly mtuProbeInterval: Sysctl<number>;
  readonly signatureVerifyInput: Sysctl<boolean>;
  readonly aoAcceptUnmatched: Sysctl<boolean>;
  readonly aoAcceptIcmp: Sysctl<boolean>;
  readonly maxsockets: Sysctl<number>;
  readonly portFirst: Sysctl<number>;
  readonly portLast: Sysctl<number>;
  readonly portQuiettime: Sysctl<number>;

  constructor(tree: SysctlTree, algorithms: readonly string[]) {
    const number = (name: string, initial: number, minimum: number, maximum: number, description: string) =>
      tree.number(`net.inet.tcp.${name}`, initial, { description, minimum, maximum });
    const flag = (name: string, initial: boolean, description: string) =>
      tree.boolean(`net.inet.tcp.${name}`, initial, { description });

    this.recvspace = number("recvspace", 128 << 10, 2048, 1 << 30, "Receive buffer of a new connection, bytes");
    this.sendspace = number(
      "sendspace",
      128 << 10,
      2048,
      1 << 30,
      "Send buffer of a new connection (its high-water mark), bytes",
    );
    this.recvbufAuto = flag("recvbuf_auto", true, "Receive buffers grow with what their users take in a round trip");
    this.recvbufMax = number(
      "recvbuf_max",
      256 << 20,
      65535,
      1 << 30,
      "Largest receive buffer ever, bytes: decides the window scale",
    );
    this.sendbufAuto = flag("sendbuf_auto", true, "Send buffers follow the congestion window");
    this.sendbufInc = number("sendbuf_inc", 64 << 10, 1024, 16 << 20, "Steps in which send buffers grow, bytes");
    this.sendbufMax = number("sendbuf_max", 256 << 20, 65535, 1 << 30, "Largest send buffer that grows so, bytes");
    this.sendmemMax = number(
      "sendmem_max",
      512 << 20,
      65535,
      2 ** 40,
      "Memory of all send buffers together, bytes: at three quarters of it they grow no more, at all of it they shrink to 16 KiB",
    );
    this.recvmemMax = number(
      "recvmem_max",
      16 << 20,
      65535,
      2 ** 40,
      "Memory of all receive buffers together, bytes: what users do not take and what comes out of order",
    );
    this.rfc1323 = flag("rfc1323", true, "Window scaling and timestamps (RFC 7323)");
    this.sack = flag("sack.enable", true, "Selective acknowledgment (RFC 2018)");
    this.sackMaxholes = number("sack.maxholes", 512, 1, 65_536, "Ranges that one connection's peer may SACK, at most");
    this.dsack = flag("sack.dsack", true, "Tell peers what came twice (D-SACK, RFC 2883)");
    this.eifel = flag(
      "eifel",
      true,
      "Take back recoveries that timestamps show to have been for nothing (RFC 3522, 4015)",
    );
    this.frto = flag("frto", true, "Find out after a timeout whether it was for nothing (F-RTO, RFC 5682)");
    this.prr = flag(
      "do_prr",
      true,
      "Proportional rate reduction in recovery (RFC 6937); off: the window is halved at once",
    );
    this.prrConservative = flag("do_prr_conservative", false, "Never send more in recovery than has been delivered");
    this.rack = flag("rack.enable", true, "Find losses by time (RACK-TLP, RFC 8985); off: by counting (RFC 6675)");
    this.tlp = flag("rack.tlp.enable", true, "Tail loss probes (RFC 8985 §7)");
    this.tlpMin = number("rack.timers.tlpmin", 10, 1, 10_000, "Least time before a tail loss probe, ms");
    this.tlpDelayedAck = number(
      "rack.timers.delayed_ack",
      50,
      0,
      500,
      "Time a probe leaves the peer for a delayed ACK, ms",
    );
    this.tso = flag("tso", true, "Hand super-segments to interfaces that take them");
    this.mssdflt = number("mssdflt", 536, 216, 65495, "Send MSS for IPv4 peers that tell none");
    this.v6mssdflt = number("v6mssdflt", 1220, 216, 65475, "Send MSS for IPv6 peers that tell none");
    this.minmss = number("minmss", 216, 88, 1460, "Smallest send MSS that a peer can bring us to");
    this.delayedAck = flag("delayed_ack", true, "Delay acknowledgments to piggyback them");
    this.delacktime = number("delacktime", 40, 0, 499, "Longest delay of an acknowledgment, ms (MUST-40: below 500)");
    this.delackAdaptive = flag(
      "delack_adaptive",
      true,
      "Delay acknowledgments by no more than 3 times the time between segments and a quarter of the round trip, at least 1 ms",
    );
    this.quickack = number(
      "quickack",
      16,
      0,
      1000,
      "Segments acknowledged without delay at the start and after a pause",
    );
    this.rexmitInitial = number("rexmit_initial", 1000, 1, 60_000, "First retransmission timeout, ms");
    this.rexmitMin = number("rexmit_min", 30, 1, 60_000, "Smallest SRTT + 4 RTTVAR that counts, ms");
    this.rexmitSlop = number("rexmit_slop", 200, 0, 60_000, "Added to every retransmission timeout, ms");
    this.rexmitMax = number("rexmit_max", 64_000, 1000, 600_000, "Longest retransmission timeout, ms");
    this.rexmitTries = number(
      "rexmit_tries",
      12,
      1,
      30,
      "Retransmissions of the same data before the connection is given up (R2)",
    );
    this.persmin = number(
      "persmin",
      0,
      0,
      600_000,
      "Least time between window probes, ms; never below the retransmission timeout",
    );
    this.persmax = number("persmax", 60_000, 100, 3_600_000, "Most time between window probes, ms");
    this.keepinit = number(
      "keepinit",
      190_000,
      1000,
      3_600_000,
      "Time to establish a connection, ms (MUST-23: at least 3 minutes)",
    );
    this.keepidle = number("keepidle", 7_200_000, 10, 2 ** 31 - 1, "Idle time before the first keep-alive probe, ms");
    this.keepintvl = number("keepintvl", 75_000, 10, 2 ** 31 - 1, "Time between keep-alive probes, ms");
    this.keepcnt = number(
      "keepcnt",
      8,
      1,
      1000,
      "Keep-alive probes without an answer before the connection is dropped",
    );
    this.alwaysKeepalive = flag("always_keepalive", false, "Keep-alive on every connection (MUST-25: off by default)");
    this.finwait2Timeout = number(
      "finwait2_timeout",
      60_000,
      1000,
      3_600_000,
      "Time in FIN-WAIT-2 of a connection whose user has closed it, ms",
    );
    this.msl = number("msl", 30_000, 1, 600_000, "Maximum segment lifetime, ms; TIME-WAIT lasts twice that");
    this.maxtcptw = number("maxtcptw", 32_768, 0, 10_000_000, "Connections in TIME-WAIT at most; the oldest go first");
    this.initcwndSegments = number("initcwnd_segments", 10, 1, 1000, "Initial congestion window, segments (RFC 6928)");
    this.abcLVar = number(
      "abc_l_var",
      2,
      1,
      1000,
      "Segments by which one acknowledgment can open the window in slow start (RFC 3465)",
    );
    this.ccAlgorithm = tree.string("net.inet.tcp.cc.algorithm", algorithms[0]!, {
      description: "Congestion control of connections that have sent nothing yet",
      choices: algorithms,
    });
    this.ccAbe = flag("cc.abe", true, "Answer a CE mark by less than a loss (RFC 8511)");
    this.ecnEnable = number("ecn.enable", 2, 0, 2, "ECN (RFC 3168): 0 never, 1 ask for it and accept it, 2 accept it");
    this.ecnMaxretries = number("ecn.maxretries", 1, 0, 12, "SYNs sent again that still ask for ECN");
    this.newcwv = flag("newcwv", true, "Keep a window that is not in use for a while, but validate it (RFC 7661)");
    this.pacingEnable = flag(
      "pacing.enable",
      false,
      "Pace data with every congestion control, not only where it asks for that",
    );
    this.pacingSsRatio = number(
      "pacing.ss_ratio",
      200,
      100,
      1000,
      "Pacing rate in slow start, % of window per round trip",
    );
    this.pacingCaRatio = number(
      "pacing.ca_ratio",
      120,
      100,
      1000,
      "Pacing rate in congestion avoidance, % of window per round trip",
    );
    this.reassMaxqueuelen = number("reass.maxqueuelen", 512, 1, 100_000, "Gaps in what a connection received, at most");
    this.syncacheLimit = number(
      "syncache.cachelimit",
      15_360,
      1,
      10_000_000,
      "Connections that wait for their handshake, at most",
    );
    this.syncachePeerlimit = number(
      "syncache.peerlimit",
      256,
      1,
      10_000_000,
      "Connections of one peer (an IPv4 address, an IPv6 /64) that wait for their handshake, at most",
    );
    this.syncookies = flag("syncookies", true, "Answer with SYN cookies when a limit of the SYN cache is reached");
    this.syncookiesOnly = flag("syncookies_only", false, "Use SYN cookies for every handshake");
    this.fastopenClient = flag("fastopen.client_enable", true, "Fast Open (RFC 7413) for connections that ask for it");
    this.fastopenServer = flag("fastopen.server_enable", true, "Fast Open (RFC 7413) for listeners that ask for it");
    this.fastopenAcceptAny = flag("fastopen.acceptany", false, "Take every Fast Open cookie for good (for tests)");
    this.fastopenAutokey = number(
      "fastopen.autokey",
      3600,
      0,
      31_536_000,
      "Time after which the key of our Fast Open cookies is drawn anew, s; cookies hold for one to two of them; 0: never",
    );
    tree.number("net.inet.tcp.fastopen.keylen", 16, {
      description: "Length of the key of our Fast Open cookies, bytes",
      readOnly: true,
    });
    this.fastopenCcacheLimit = number(
      "fastopen.ccache_limit",
      2048,
      0,
      1_000_000,
      "Paths of which Fast Open cookies are remembered, at most; the one least recently used goes first",
    );
    this.fastopenPathDisableTime = number(
      "fastopen.path_disable_time",
      900,
      0,
      86_400,
      "Time without Fast Open on a path that does not let it through, s; doubled each time in a row",
    );
    this.syncacheRexmtlimit = number("syncache.rexmtlimit", 3, 0, 12, "Retransmissions of a SYN,ACK");
    this.blackhole = number(
      "blackhole",
      0,
      0,
      3,
      "Ports without listener: 1 drops SYNs, 2 every segment, 3 from our own addresses too",
    );
    this.dropSynfin = flag("drop_synfin", false, "Drop segments with SYN and FIN");
    this.insecureRst = flag("insecure_rst", false, "Obey a reset anywhere in the window (RFC 793) instead of RFC 5961");
    this.insecureSyn = flag("insecure_syn", false, "Reset for a SYN in the window (RFC 793) instead of RFC 5961");
    this.ackWarCount = number("ack_war_cnt", 5, 0, 1000, "Challenge ACKs of one connection per ack_war_timewindow");
    this.ackWarWindow = number(
      "ack_war_timewindow",
      1000,
      0,
      60_000,
      "Time in which a connection's challenge ACKs are counted, ms",
    );
    this.ackWarBudget = number(
      "ack_war_budget",
      1000,
      0,
      1_000_000,
      "Challenge ACKs of the whole stack per second, on average: half to one and a half times that, at random; 0: as many as connections may",
    );
    this.tolerateMissingTs = flag(
      "tolerate_missing_ts",
      false,
      "Accept segments without timestamps where they were agreed on",
    );
    this.icmpMayRst = flag("icmp_may_rst", true, "ICMP hard errors may end connections in SYN-SENT");
    this.hostcacheSsthresh = flag(
      "hostcache.ssthresh",
      false,
      "Begin with the slow-start threshold that earlier connections to the peer have found",
    );
    this.pathMtuDiscovery = flag("path_mtu_discovery", true, "Path MTU discovery (RFC 1191, RFC 8201)");
    this.pmtudBlackholeDetection = number(
      "pmtud_blackhole_detection",
      1,
      0,
      3,
      "Try smaller segments when full ones time out again and again: 0 never, 1 always, 2 over IPv4 only, 3 over IPv6 only",
    );
    this.pmtudBlackholeMss = number("pmtud_blackhole_mss", 1200, 216, 65495, "MSS tried first then, IPv4");
    this.v6pmtudBlackholeMss = number("v6pmtud_blackhole_mss", 1220, 216, 65475, "MSS tried first then, IPv6");
    this.utoEnable = flag("uto.enable", false, "Tell peers how long data may wait for its acknowledgment (RFC 5482)");
    this.utoAdvertise = number("uto.advertise", 300, 1, 1_966_020, "What they are told, s");
    this.utoLow = number("uto.low", 100, 1, 1_966_020, "Shortest such time that is agreed on with the peer, s");
    this.utoHigh = number("uto.high", 3600, 100, 1_966_020, "Longest such time that is agreed on with the peer, s");
    this.mtuProbing = number(
      "mtu_probing",
      1,
      0,
      2,
      "Try larger segments (RFC 4821): 0 never, 1 after a black hole was found, 2 always, beginning with pmtud_blackhole_mss",
    );
    this.mtuProbeInterval = number(
      "mtu_probe_interval",
      600,
      300,
      86_400,
      "Time until larger segments than those that came through are tried again, s",
    );
    this.signatureVerifyInput = flag(
      "signature_verify_input",
      true,
      "Verify the TCP-MD5 signature on input; off: it has to be there, and may be wrong",
    );
    this.aoAcceptUnmatched = flag(
      "ao.accept_unmatched",
      true,
      "Accept segments with TCP-AO that no key is for (RFC 5925 §7.3), as if the option were not there",
    );
    this.aoAcceptIcmp = flag(
      "ao.accept_icmp",
      false,
      "Heed ICMP errors for open connections with TCP-AO (RFC 5925 §7.8), IPv4's on the path MTU among them",
    );
    this.maxsockets = tree.number("kern.ipc.maxsockets", 65_536, {
      description: "Connections at most, those in the SYN cache and in TIME-WAIT aside",
      minimum: 1,
    });
    this.portFirst = tree.number("net.inet.ip.portrange.first", 10_000, {
      description: "First ephemeral port",
      minimum: 1,
      maximum: 65_535,
    });
    this.portLast = tree.number("net.inet.ip.portrange.last", 65_535, {
      description: "Last ephemeral port",
      minimum: 1,
      maximum: 65_535,
    });
    this.portQuiettime = tree.number("net.inet.ip.portrange.quiettime", 60_000, {
      description:
        "Time for which an ephemeral port rests after a connection from it has ended, if another can be had, ms",
      minimum: 0,
      maximum: 3_600_000,
    });
  }

  get abcLimit(): number {
    return this.abcLVar.value;
  }

  get initialSegments(): number {
    return this.initcwndSegments.value;
  }

  get alternativeBackoff(): boolean {
    return this.ccAbe.value;
  }

  get newCwv(): boolean {
    return this.newcwv.value;
  }

  get pacing(): boolean {
    return this.pacingEnable.value;
  }

  get slowStartPacing(): number {
    return this.pacingSsRatio.value;
  }

  get avoidancePacing(): number {
    return this.pacingCaRatio.value;
  }

  get initialUs(): number {
    return this.rexmitInitial.value * MS;
  }

  get minimumUs(): number {
    return this.rexmitMin.value * MS;
  }

  get slopUs(): number {
    return this.rexmitSlop.value * MS;
  }

  get maximumUs(): number {
    return this.rexmitMax.value * MS;
  }
}
