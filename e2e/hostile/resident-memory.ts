import { readFileSync, writeFileSync } from "node:fs";

/** MiB of a process that stand in memory, now and at most since `forgetPeak` (proc(5): VmRSS, VmHWM). */
export function residentMemory(pid: number): { readonly now: number; readonly peak: number } {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const mebibytes = (name: string): number =>
    Math.round(Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(status)?.[1]) / 1024);
  return { now: mebibytes("VmRSS"), peak: mebibytes("VmHWM") };
}

/** The peak begins anew at what there is now. */
export function forgetPeak(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, "5");
}
