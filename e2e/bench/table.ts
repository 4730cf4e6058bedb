/** Measurements as a table of Markdown. */
import { CASES, type Case } from "./cases.ts";
import type { Measurement } from "./load.ts";
import { GANESHA, ON_SOCKETS, OVER_TUN } from "./opponents.ts";

/** Medians of the rounds. */
interface Result {
  /** Of what the case counts, per second. */
  readonly rate: number;
  /** Of the server, in µs each time. */
  readonly cpu: number;
  /** Of one core. */
  readonly generatorShare: number;
}

export function nfsTable(measurements: readonly Measurement[]): string {
  const rows = CASES.filter(({ name }) => measurements.some((one) => one.case === name)).map((of) => {
    const [ganesha, tun, sockets] = [GANESHA, OVER_TUN, ON_SOCKETS].map((name) =>
      resultOf(
        of,
        measurements.filter((one) => one.case === of.name && one.opponent === name),
      ),
    ) as [Result, Result, Result];
    const shares = [ganesha, tun, sockets].map((one) => Math.round(one.generatorShare * 100)).join(" / ");
    return [
      of.name,
      show(of, ganesha),
      show(of, tun),
      `**${ratio(tun.rate, ganesha.rate)}**`,
      `**${ratio(ganesha.cpu, tun.cpu)}**`,
      show(of, sockets),
      ratio(sockets.rate, ganesha.rate),
      ratio(ganesha.cpu, sockets.cpu),
      `${shares} %`,
    ];
  });
  const head = [
    "",
    GANESHA,
    OVER_TUN,
    "per second",
    "per CPU-second",
    ON_SOCKETS,
    "per second",
    "per CPU-second",
    "generator busy",
  ];
  return [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

function resultOf(of: Case, rounds: readonly Measurement[]): Result {
  return {
    rate: median(rounds.map(({ count, seconds }) => (count * of.amount) / seconds)),
    cpu: median(rounds.map(({ count, serverCpuSeconds }) => (serverCpuSeconds * 1e6) / count)),
    generatorShare: median(rounds.map(({ generatorCpuSeconds, seconds }) => generatorCpuSeconds / seconds)),
  };
}

function show({ unit }: Case, { rate, cpu }: Result): string {
  const scaled = unit === "bytes" ? `${(rate / 1e6).toFixed(0)} MB/s` : `${(rate / 1e3).toFixed(1)} k/s`;
  return `${scaled}, ${cpu.toFixed(0)} µs`;
}

function ratio(a: number, b: number): string {
  return `${(a / b).toFixed(2)}×`;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
