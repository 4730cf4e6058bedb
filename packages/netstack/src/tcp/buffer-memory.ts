import type { Sysctl } from "../sysctl.ts";
import type { TcpStatistics } from "./statistics.ts";

/** How short memory is: buffers grow; they grow no more and fall back to what they use; nothing is added that can be had again later. */
export const MEMORY_NORMAL = 0;
export const MEMORY_PRESSURE = 1;
export const MEMORY_HARD = 2;
export type MemoryState = typeof MEMORY_NORMAL | typeof MEMORY_PRESSURE | typeof MEMORY_HARD;

export const MEMORY_STATE_NAMES: readonly string[] = ["normal", "pressure", "hard"];

/** Pressure begins at three quarters of the limit, and is over at a half: so it does not come and go with each segment. */
const PRESSURE_BEGINS = 0.75;
const PRESSURE_ENDS = 0.5;
/** What was promised to be kept goes beyond the limit by so much at most. */
const EXHAUSTED = 1.5;

/** Bytes that the buffers of all connections of a stack hold together, one way, and how near that is to its limit (a sysctl). */
export class BufferMemory {
  readonly #limit: Sysctl<number>;
  readonly #statistics: TcpStatistics;
  /** Bytes. */
  used = 0;
  state: MemoryState = MEMORY_NORMAL;

  constructor(limit: Sysctl<number>, statistics: TcpStatistics) {
    this.#limit = limit;
    this.#statistics = statistics;
  }

  get limit(): number {
    return this.#limit.value;
  }

  /** So much beyond the limit that even what was promised finds no room. */
  get exhausted(): boolean {
    return this.used >= EXHAUSTED * this.#limit.value;
  }

  charge(bytes: number): void {
    this.used += bytes;
    if (this.used >= PRESSURE_BEGINS * this.#limit.value) this.#tighten();
  }

  refund(bytes: number): void {
    this.used -= bytes;
    if (this.state !== MEMORY_NORMAL) this.#loosen();
  }

  #tighten(): void {
    const state = this.used >= this.#limit.value ? MEMORY_HARD : MEMORY_PRESSURE;
    if (state <= this.state) return;
    if (this.state === MEMORY_NORMAL) this.#statistics.memPressure++;
    if (state === MEMORY_HARD) this.#statistics.memHard++;
    this.state = state;
  }

  #loosen(): void {
    const limit = this.#limit.value;
    if (this.used <= PRESSURE_ENDS * limit) this.state = MEMORY_NORMAL;
    else if (this.used < limit) this.state = MEMORY_PRESSURE;
  }
}
