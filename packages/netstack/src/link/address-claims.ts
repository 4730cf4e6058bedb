import type { Callout } from "@nfs4/timecounter";
import type { InterfaceAddress } from "../interface-address.ts";
import type { Stack } from "../stack.ts";

/** How one family claims an address: RFC 5227 for IPv4, RFC 4862 §5.4 for IPv6. Times are µs. */
export interface ClaimProtocol {
  /** Probes before the address may be used; 0: it is used at once. */
  readonly probes: () => number;
  /** Before the first probe, between two, and from the last to the verdict. */
  readonly firstDelay: () => number;
  readonly probeInterval: () => number;
  readonly verdictDelay: number;
  /** Announcements once it may be used. */
  readonly announcements: () => number;
  readonly announceInterval: number;
  probe(address: InterfaceAddress): void;
  announce(address: InterfaceAddress): void;
}

/** Not defended more often than this (RFC 5227 §2.4, DEFEND_INTERVAL). */
const DEFEND_INTERVAL = 10e6;

interface Claim {
  readonly callout: Callout;
  probed: number;
  announced: number;
  defended: number;
}

/** Makes sure that an address is nobody else's before it is used, and defends it afterwards. */
export class AddressClaims {
  readonly #stack: Stack;
  readonly #protocol: ClaimProtocol;
  readonly #claims = new Map<InterfaceAddress, Claim>();

  constructor(stack: Stack, protocol: ClaimProtocol) {
    this.#stack = stack;
    this.#protocol = protocol;
  }

  /** Starts anew if a claim is under way. */
  claim(address: InterfaceAddress): void {
    this.release(address);
    const callout = this.#stack.clock.callout(() => this.#step(address));
    this.#claims.set(address, { callout, probed: 0, announced: 0, defended: Number.NEGATIVE_INFINITY });
    if (this.#protocol.probes() > 0) {
      address.state = "tentative";
      callout.scheduleAfter(this.#protocol.firstDelay());
    } else {
      address.state = "preferred";
      this.#step(address);
    }
    this.#stack.routes.generation++;
  }

  release(address: InterfaceAddress): void {
    this.#claims.get(address)?.callout.cancel();
    this.#claims.delete(address);
  }

  /** Somebody else uses, or asks for, one of our addresses. Tentative: we give way. Else it is defended, now and then. */
  conflict(address: InterfaceAddress): void {
    const claim = this.#claims.get(address);
    if (address.state === "tentative") {
      claim?.callout.cancel();
      address.state = "duplicated";
      this.#stack.routes.generation++;
    } else if (claim !== undefined && address.state === "preferred") {
      const now = this.#stack.clock.coarse();
      if (now - claim.defended >= DEFEND_INTERVAL) {
        claim.defended = now;
        this.#protocol.announce(address);
      }
    }
    address.iface.onAddressConflict?.(address);
  }

  close(): void {
    for (const claim of this.#claims.values()) claim.callout.cancel();
    this.#claims.clear();
  }

  #step(address: InterfaceAddress): void {
    const claim = this.#claims.get(address);
    if (claim === undefined) return;
    const protocol = this.#protocol;
    this.#stack.enter();
    if (address.state === "tentative" && claim.probed < protocol.probes()) {
      claim.probed++;
      protocol.probe(address);
      claim.callout.scheduleAfter(claim.probed < protocol.probes() ? protocol.probeInterval() : protocol.verdictDelay);
    } else {
      if (address.state === "tentative") {
        address.state = "preferred";
        this.#stack.routes.generation++;
      }
      if (claim.announced < protocol.announcements()) {
        claim.announced++;
        protocol.announce(address);
        if (claim.announced < protocol.announcements()) claim.callout.scheduleAfter(protocol.announceInterval);
      }
    }
    this.#stack.leave();
  }
}
