/** Plays a script of the fuzzer against a stack, holding the invariants against it after every step. */
import { SeededRandom } from "@nfs4/timecounter";
import type { SysctlDescription, SysctlValue } from "../../../src/sysctl.ts";
import type { TcpConnection } from "../../../src/tcp/connection.ts";
import { FLOW_CONNECTION, FLOW_TIME_WAIT } from "../../../src/tcp/flow.ts";
import type { Tcb } from "../../../src/tcp/tcb.ts";
import type { TimeWait } from "../../../src/tcp/time-wait.ts";
import { Conversation, type Options, type Said } from "../conversation.ts";
import type { Segment } from "../segment-codec.ts";
import { icmpError } from "./icmp-error.ts";
import { checkInvariants, hold } from "./invariants.ts";
import { reach } from "./reach.ts";
import type { AckBase, Forged, Script, SeqBase, Step } from "./steps.ts";

/** A small buffer meets its bounds sooner. */
const BUFFERS = { "net.inet.tcp.recvspace": 4096 } as const;
const REMEMBERED = 8;

/** Throws what is broken. */
export async function play(script: Script): Promise<void> {
  const player = new Player(script);
  await player.begin();
  for (const step of script.steps) player.step(step);
  player.end();
}

class Player {
  readonly #script: Script;
  readonly #talk: Conversation;
  readonly #peer: Options;
  #connection: TcpConnection | null = null;
  /** Those before, which may have something unread. */
  readonly #former: (TcpConnection | null)[] = [];
  /** The last packets that the peer sent, for those that come again. */
  readonly #said: Uint8Array[] = [];
  /** TSval last sent and last heard. */
  #tsVal = 1;
  #heard = 0;
  #written = 0;
  #released = 0;

  constructor(script: Script) {
    const random = new SeededRandom(script.seed);
    this.#script = script;
    this.#talk = new Conversation({
      family: script.family,
      seed: script.seed,
      sysctl: { ...BUFFERS, ...drawSwitches(random) },
    });
    this.#peer = {
      mss: random.pick([1460, 1000, 536, 88]),
      ...(random.below(3) > 0 ? { sackPermitted: true } : {}),
      ...(random.below(3) > 0 ? { windowShift: random.pick([0, 2, 7, 14]) } : {}),
      ...(random.below(3) > 0 ? { timestamps: [this.#tsVal, 0] } : {}),
    };
  }

  async begin(): Promise<void> {
    this.#connection = await reach(this.#talk, this.#script.start, this.#peer);
    this.#after();
  }

  step(step: Step): void {
    if ("say" in step) this.#say(step.say);
    else if ("again" in step) this.#again(step.again);
    else if ("bytes" in step) this.#talk.inject(step.bytes);
    else if ("pass" in step) this.#talk.pass(step.pass);
    else if ("write" in step) this.#write(step.write);
    else if ("icmp" in step) this.#talk.inject(icmpError(this.#talk, step.icmp, step.mtu, this.#flow()));
    else this.#act(step.act);
    this.#after();
  }

  /** Nothing is left of it, whatever it was. */
  end(): void {
    const talk = this.#talk;
    for (const connection of [...this.#former, this.#connection]) connection?.abort();
    void talk.listener?.close();
    for (const flow of talk.tcp.flows()) if (flow.kind === FLOW_CONNECTION) (flow as Tcb).stream?.abort();
    hold(this.#released === this.#written, `${this.#written} slices were written, ${this.#released} released`);
    talk.pass(600e6);
    const { connectionCount, timeWaitCount, halfOpenCount, receiveMemory } = talk.tcp;
    hold(connectionCount === 0, `${connectionCount} connections are left`);
    hold(
      timeWaitCount === 0 && halfOpenCount === 0,
      `${timeWaitCount} in TIME-WAIT, ${halfOpenCount} half-open are left`,
    );
    hold(receiveMemory === 0, `${receiveMemory} bytes of receive buffers are left`);
    hold(talk.clock.armed <= talk.idleCallouts, `${talk.clock.armed} callouts are left`);
  }

  #after(): void {
    checkInvariants(this.#talk);
    for (const segment of this.#talk.hearAll()) this.#hear(segment);
  }

  #hear(segment: Segment): void {
    hold(segment.checksumGood, "every segment has a good checksum");
    if (segment.timestamps !== null) this.#heard = segment.timestamps[0];
  }

  #flow(): Tcb | TimeWait | null {
    for (const flow of this.#talk.tcp.flows()) {
      if (flow.kind === FLOW_CONNECTION) return flow as Tcb;
      if (flow.kind === FLOW_TIME_WAIT) return flow as TimeWait;
    }
    return null;
  }

  #say(all: readonly Forged[]): void {
    const packets = all.map((one) => this.#talk.packet(this.#segment(one)));
    this.#said.push(...packets);
    this.#said.splice(0, this.#said.length - REMEMBERED);
    this.#talk.injectAll(packets);
  }

  #again(index: number): void {
    const packet = this.#said[index % Math.max(1, this.#said.length)];
    if (packet !== undefined) this.#talk.inject(packet.slice());
  }

  #segment(forged: Forged): Said {
    const { talk, flow } = { talk: this.#talk, flow: this.#flow() };
    const una = this.#ackBase(flow, "una");
    const { timestamps, rawOptions, dataOffset } = forged;
    if (timestamps !== undefined) this.#tsVal += Math.max(0, timestamps[0]);
    return {
      seq: (this.#seqBase(flow, forged.seq[0]) + forged.seq[1] - talk.peerIss) | 0,
      ack: (this.#ackBase(flow, forged.ack[0]) + forged.ack[1] - talk.iss) | 0,
      flags: forged.flags,
      window: forged.window,
      payload: forged.payload,
      urgent: forged.urgent,
      sack: forged.sack.map(([from, to]) => [(una + from - talk.iss) | 0, (una + to - talk.iss) | 0] as const),
      timestamps:
        timestamps === undefined
          ? undefined
          : [(this.#tsVal + Math.min(0, timestamps[0])) >>> 0, (this.#heard + timestamps[1]) >>> 0],
      badChecksum: forged.badChecksum,
      trafficClass: forged.trafficClass,
      ...(rawOptions === undefined ? {} : { rawOptions }),
      ...(dataOffset === undefined ? {} : { dataOffset }),
    };
  }

  #seqBase(flow: Tcb | TimeWait | null, base: SeqBase): number {
    if (flow === null) return this.#talk.peerIss + 1;
    if (base === "next" || !("rcvAdv" in flow)) return flow.rcvNxt;
    if (base === "edge") return flow.rcvAdv;
    return base === "acknowledged" ? flow.lastAckSent : flow.irs;
  }

  #ackBase(flow: Tcb | TimeWait | null, base: AckBase): number {
    if (flow === null) return this.#talk.iss + 1;
    if (!("sndUna" in flow)) return flow.sndNxt;
    if (base === "una") return flow.sndUna;
    return base === "next" ? flow.sndMax : flow.iss;
  }

  #write(length: number): void {
    if (this.#connection === null) return;
    this.#written++;
    let mine = false;
    const release = (): void => {
      hold(!mine, "a slice is released once");
      mine = true;
      this.#released++;
    };
    this.#connection.write([{ bytes: new Uint8Array(length), release }]);
  }

  #act(act: "shutdown" | "abort" | "read" | "read all" | "acknowledge" | "open"): void {
    switch (act) {
      case "shutdown":
        this.#connection?.shutdown();
        break;
      case "abort":
        this.#connection?.abort();
        break;
      case "read":
        this.#read(2000);
        break;
      case "read all":
        this.#read(Number.POSITIVE_INFINITY);
        break;
      case "acknowledge":
        this.#acknowledge();
        break;
      case "open":
        this.#open();
    }
  }

  #read(most: number): void {
    let budget = most;
    this.#connection?.setSink({
      data: (_slab, _offset, length) => {
        const taken = Math.min(length, budget);
        budget -= taken;
        return taken;
      },
      end: () => {},
    });
  }

  /** What an honest peer would say: it has everything, and has room. */
  #acknowledge(): void {
    const [seq, ack] = [
      ["next", 0],
      ["next", 0],
    ] as const;
    const timestamps = this.#peer.timestamps === undefined ? undefined : ([1, 0] as const);
    this.#say([{ ...QUIET, seq, ack, flags: "A", window: 65_535, timestamps }]);
  }

  /** Another connection, once the old one is gone. */
  #open(): void {
    const talk = this.#talk;
    if (talk.tcp.connectionCount + talk.tcp.timeWaitCount + talk.tcp.halfOpenCount > 0) return;
    talk.hearAll();
    talk.timestamps = null;
    talk.peerPort++;
    this.#former.push(this.#connection);
    this.#connection = talk.accept(this.#peer);
  }
}

const QUIET = {
  payload: 0,
  urgent: 0,
  sack: [],
  rawOptions: undefined,
  badChecksum: false,
  trafficClass: 0,
  dataOffset: undefined,
} as const;

const SWITCHES: readonly SysctlDescription[] = new Conversation().stack.sysctl.list("net.inet.tcp.");

/** Every other script turns some of the stack's switches, and takes other algorithms where there is a choice. */
function drawSwitches(random: SeededRandom): Record<string, SysctlValue> {
  const drawn: Record<string, SysctlValue> = {};
  if (random.below(2) === 0) return drawn;
  for (const { name, initial, choices, readOnly } of SWITCHES) {
    if (readOnly || random.below(4) > 0) continue;
    if (typeof initial === "boolean") drawn[name] = !initial;
    else if (choices !== undefined) drawn[name] = random.pick(choices);
  }
  return drawn;
}
