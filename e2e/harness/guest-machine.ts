import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync, statfsSync } from "node:fs";
import { tmpdir } from "node:os";
import { Duplex, type Readable } from "node:stream";

/** How the guest's Ethernet card reaches the world. */
export type GuestLink =
  /** A tap of the namespace that the guest runs in. */
  | { readonly tap: string }
  /** A SOCK_SEQPACKET socket's path; whoever listens there is the network. No privilege needed. */
  | { readonly bess: string }
  /** One end of a SOCK_SEQPACKET pair of this process, which stays the caller's to close. No privilege needed. */
  | { readonly fd: number };

export interface MachineOptions {
  /** Words that enter a network namespace, or none. */
  readonly enter: readonly string[];
  readonly link: GuestLink;
  /** Six bytes, colon-separated. */
  readonly mac: string;
  readonly memoryMiB: number;
  /** The guest's directory on the host (see guest/init.sh). */
  readonly directory: string;
  /** Counts the guests of this process from 1: neighbours get different processors. */
  readonly number: number;
}

/** The running kernel: a process, its console, and the serial line to the agent. */
export interface Machine {
  readonly process: ChildProcess;
  readonly console: Readable;
  readonly serial: Duplex;
}

/**
 * Starts User-mode Linux. The process dies with this one, whatever way this one dies, and takes every process that the guest's kernel
 * has made with it (a PID namespace, where privilege allows).
 */
export function startMachine(options: MachineOptions): Machine {
  const { enter, link, mac, memoryMiB, directory, number } = options;
  const isolate = process.getuid?.() === 0 ? ["unshare", "--pid", "--fork", "--kill-child"] : [];
  const kernel = [
    // The guest's kernel and its programs take turns as tracer and traced. Woken across processors that is three times slower and erratic.
    "taskset",
    "--cpu-list",
    processorFor(number),
    "linux.uml",
    `mem=${memoryMiB}M`,
    "root=/dev/root",
    "rootfstype=hostfs",
    "rootflags=/",
    "ro",
    `init=${directory}/guest/init.sh`,
    "con=null",
    "con0=null,fd:1",
    "ssl=null",
    "ssl0=fd:3",
    "noreboot",
    "panic=-1",
    `uml_dir=${directory}/`,
    "umid=uml",
    `vec0:${transport(link)},mac=${mac}`,
    `E2E_OUT=${directory}`,
  ];
  const child = spawn("setpriv", ["--pdeathsig", "KILL", ...enter, ...isolate, ...kernel], {
    stdio: ["ignore", "pipe", "pipe", "pipe", ...("fd" in link ? [link.fd] : [])],
    env: { PATH: process.env["PATH"], HOME: directory, TMPDIR: memoryDirectory(memoryMiB) },
  });
  const serial = child.stdio[3];
  if (!child.stdout || !(serial instanceof Duplex))
    throw new Error("the guest's process has no console or serial line");
  return { process: child, console: child.stdout, serial };
}

function transport(link: GuestLink): string {
  // gro=1: without it bulk data towards the guest stalls on a tap.
  if ("tap" in link) return `transport=tap,ifname=${link.tap},depth=128,gro=1`;
  if ("bess" in link) return `transport=bess,dst=${link.bess}`;
  return "transport=fd,fd=4";
}

/** From the last processor that this process may use backwards, because the first ones tend to serve interrupts. */
function processorFor(number: number): string {
  const allowed = /^Cpus_allowed_list:\s*(\S+)$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? "0";
  const processors = allowed.split(",").flatMap((range) => {
    const [first = 0, last = first] = range.split("-").map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
  return String(processors.at(-1 - ((number - 1) % processors.length)) ?? 0);
}

/** The guest's memory is a file, which needs a file system that keeps it off the disk and lets it be executed. */
function memoryDirectory(memoryMiB: number): string {
  try {
    const { bavail, bsize } = statfsSync("/dev/shm");
    if (bavail * bsize > memoryMiB * 2 ** 20) return "/dev/shm";
  } catch {
    // No such mount.
  }
  return tmpdir();
}
