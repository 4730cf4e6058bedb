/** A stack in virtual time whose devices are scripts. */
import { SeededRandom, VirtualClock } from "@nfs4/timecounter";
import { createStack, type HostStack } from "../../src/create-stack.ts";
import type { DriverCapabilities } from "../../src/driver.ts";
import { ScriptDriver } from "../../src/drivers/script-driver.ts";
import type { NetworkInterface } from "../../src/interface.ts";
import type { SysctlValue } from "../../src/sysctl.ts";

export interface Bench {
  readonly clock: VirtualClock;
  readonly stack: HostStack;
  readonly driver: ScriptDriver;
  readonly iface: NetworkInterface;
  /** Gives packets to the stack and returns what it sends at once (in this turn). */
  exchange(...packets: Uint8Array[]): Uint8Array[];
  /** What the stack has sent since the last look. */
  sent(): Uint8Array[];
}

export interface BenchOptions extends Partial<DriverCapabilities> {
  readonly addresses?: readonly string[];
  readonly sysctl?: Record<string, SysctlValue>;
  readonly seed?: number;
}

export function bench(options: BenchOptions = {}): Bench {
  const both = (options.mtu ?? 1500) >= 1280 ? ["10.0.0.1/24", "fd00::1/64"] : ["10.0.0.1/24"];
  const { addresses = both, sysctl = {}, seed = 1, ...capabilities } = options;
  const clock = new VirtualClock();
  const stack = createStack({ name: "bench", clock, random: new SeededRandom(seed), sysctl });
  const driver = new ScriptDriver(capabilities);
  const iface = stack.addInterface({ name: "net0", driver });
  for (const address of addresses) iface.addAddress(address);
  const sent = (): Uint8Array[] => driver.take().map((packet) => packet.bytes);
  return {
    clock,
    stack,
    driver,
    iface,
    sent,
    exchange(...packets) {
      sent();
      driver.inject(packets);
      return sent();
    },
  };
}

/** A second script device on the same stack. */
export function attach(
  stack: HostStack,
  name: string,
  address: string,
  capabilities: Partial<DriverCapabilities> = {},
): ScriptDriver {
  const driver = new ScriptDriver(capabilities, name);
  stack.addInterface({ name, driver }).addAddress(address);
  return driver;
}
