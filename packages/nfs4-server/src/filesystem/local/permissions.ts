/**
 * What callers may do with a node, remembered: to ask the kernel as somebody else costs ten times as much as anything else in a lookup. An answer holds for as long as
 * the inode's ctime stays, which moves with every chmod, chown and ACL. It moves in ticks of up to 10 ms, so an answer counts only if it was given a
 * while after that ctime was first seen: a change in the same tick cannot have come later.
 */
import type { FileCalls, Statx } from "@nfs4/native";
import { ACCESS } from "@nfs4/native";
import type { Clock } from "@nfs4/timecounter";
import type { CallContext } from "../types.ts";
import { ATTRIBUTES_MASK } from "./attributes.ts";
import type { LocalNode } from "./local-node.ts";

const SETTLED_US = 50_000;
/** Callers remembered for one node. */
const MAX_CALLERS = 32;
const ALL = ACCESS.READ | ACCESS.WRITE | ACCESS.EXECUTE;
const EACH = [ACCESS.READ, ACCESS.WRITE, ACCESS.EXECUTE] as const;

/** Of one node, for one ctime. */
export interface KnownPermissions {
  seconds: number;
  nanoseconds: number;
  /** Uptime at which this ctime was seen first. */
  since: number;
  readonly bits: Map<string, number>;
}

export class Permissions {
  readonly #calls: FileCalls;
  readonly #clock: Clock;
  #lastUid = -1;
  #lastGid = -1;
  #lastGroups: readonly number[] | null = null;
  #lastCaller = "";

  constructor(calls: FileCalls, clock: Clock) {
    this.#calls = calls;
    this.#clock = clock;
  }

  /** The MAY_* bits of a caller, or null if only the kernel can tell now. At once. */
  bits(fd: number, node: LocalNode, context: CallContext): number | null {
    const statx = this.#calls.sync.statx(fd, null, 0, ATTRIBUTES_MASK);
    if (typeof statx === "number") return null;
    const known = this.#knownFor(node, statx);
    if (!known) return null;
    const caller = this.#caller(context);
    let bits = known.bits.get(caller);
    if (bits === undefined) {
      bits = this.ask(fd, context);
      if (known.bits.size >= MAX_CALLERS) known.bits.clear();
      known.bits.set(caller, bits);
    }
    return bits;
  }

  /** The kernel's answer for a caller, at once. It says yes only to all that is asked: everything first, then bit by bit. */
  ask(fd: number, context: CallContext): number {
    const { sync } = this.#calls;
    return this.#calls.runAs(context, () => {
      if (sync.access(fd, ALL) === 0) return ALL;
      let bits = 0;
      for (const bit of EACH) if (sync.access(fd, bit) === 0) bits |= bit;
      return bits;
    });
  }

  #knownFor(node: LocalNode, { ctimeSeconds, ctimeNanoseconds }: Statx): KnownPermissions | null {
    const known = node.permissions;
    if (known && known.seconds === ctimeSeconds && known.nanoseconds === ctimeNanoseconds) {
      return known.bits.size > 0 || this.#clock.now() - known.since >= SETTLED_US ? known : null;
    }
    node.permissions = {
      seconds: ctimeSeconds,
      nanoseconds: ctimeNanoseconds,
      since: this.#clock.now(),
      bits: known?.bits.size === 0 ? known.bits : new Map(),
    };
    return null;
  }

  /** Calls of one user have a context each, and its groups in common. */
  #caller({ uid, gid, groups }: CallContext): string {
    if (uid !== this.#lastUid || gid !== this.#lastGid || groups !== this.#lastGroups) {
      this.#lastUid = uid;
      this.#lastGid = gid;
      this.#lastGroups = groups;
      this.#lastCaller = `${uid},${gid},${groups.join()}`;
    }
    return this.#lastCaller;
  }
}
