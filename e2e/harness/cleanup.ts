/**
 * Undoing what a run did to the machine even if it ends badly: undo functions run once, newest first, when the process exits or is told to.
 * They are synchronous, because nothing else runs in an exit handler.
 */
const undos = new Set<() => void>();
let installed = false;

function runAll(): void {
  for (const undo of [...undos].reverse()) {
    undos.delete(undo);
    try {
      undo();
    } catch (error) {
      process.stderr.write(`clean-up: ${String(error)}\n`);
    }
  }
}

function install(): void {
  if (installed) return;
  installed = true;
  process.once("exit", runAll);
  // A worker whose parent was killed would go on with its tests, with nobody to report to.
  if (process.connected) {
    process.once("disconnect", () => {
      runAll();
      process.exit(1);
    });
  }
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.once(signal, () => {
      runAll();
      process.kill(process.pid, signal);
    });
  }
}

/** Registers `undo` for the end of the process; the result takes the registration back (it does not run `undo`). */
export function onProcessEnd(undo: () => void): () => void {
  install();
  undos.add(undo);
  return () => undos.delete(undo);
}
