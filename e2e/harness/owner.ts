import { readFileSync } from "node:fs";

/**
 * Whatever a run leaves on the machine bears the name of its process, `nfs4e2e-<pid>-<start of that pid>-…`, so that a later run can tell what
 * belongs to nobody any more.
 */
const prefix = "nfs4e2e";

/** The beginning of every name that this process gives. */
export function ownerTag(): string {
  return `${prefix}-${process.pid}-${startOf(process.pid) ?? "0"}`;
}

/** Whether a name was given by this harness. */
export function isOurs(name: string): boolean {
  return name.startsWith(`${prefix}-`);
}

/** Whether a name was given by a process of this harness that is gone. */
export function isAbandoned(name: string): boolean {
  const [, pid, start] = name.split("-");
  return isOurs(name) && startOf(Number(pid)) !== start;
}

/** When a process began, in clock ticks since boot (proc(5), stat field 22), or undefined if there is none. */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The second field is the program's name in parentheses, and may contain anything.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" ? undefined : fields[19];
  } catch {
    return undefined;
  }
}
