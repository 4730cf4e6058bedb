import type { Address, Prefix } from "./address.ts";
import type { NetworkInterface } from "./interface.ts";
import type { RoutingEntry } from "./routing-table.ts";

/** What the link layer says of an address. */
export type AddressState = "tentative" | "preferred" | "duplicated";

/** One address of one interface. */
export class InterfaceAddress {
  readonly iface: NetworkInterface;
  /** The address with its subnet's length. */
  readonly prefix: Prefix;
  readonly address: Address;
  readonly broadcast: Address | null;
  state: AddressState = "preferred";
  /** Routes that stand because of this address. */
  readonly routes: RoutingEntry[] = [];

  constructor(iface: NetworkInterface, prefix: Prefix) {
    this.iface = iface;
    this.prefix = prefix;
    this.address = prefix.address;
    this.broadcast = prefix.broadcast;
  }

  get usable(): boolean {
    return this.state === "preferred";
  }
}
