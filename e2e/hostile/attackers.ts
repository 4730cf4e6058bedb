import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Namespace } from "../harness/namespace.ts";
import { PATIENCE } from "../harness/patience.ts";
import type { Target } from "./report.ts";

/** What an attack found, and numbers for people. */
export interface Findings {
  readonly surprises: readonly string[];
  readonly notes: readonly string[];
}

/** Those who attack, each in a process of its own, so that the server's peers are not the test. */
export interface Attackers {
  /** An attack over kernel sockets, by its name in attacks-*.ts. What it leaves open stays open for the next one. */
  overSockets(attack: string): Promise<Findings>;
  /** One made of raw segments, by its name in segments.py, from a host of its own. */
  bySegments(attack: string): Promise<Findings>;
  stop(): Promise<void>;
}

const script = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

export async function startAttackers(namespace: Namespace, target: Target): Promise<Attackers> {
  const [, cable] = await namespace.addVethPair();
  const [setpriv = "", ...words] = ["setpriv", "--pdeathsig", "KILL", ...namespace.enter, process.execPath];
  const attacker = fork(script("./attacker.ts"), {
    execPath: setpriv,
    execArgv: [...words, "--import", "tsx"],
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const ended = once(attacker, "exit");
  return {
    async overSockets(attack) {
      attacker.send({ attack, target });
      const [findings] = await Promise.race([
        once(attacker, "message"),
        ended.then(([code, signal]) => Promise.reject(new Error(`the attacker ended with ${code ?? signal}`))),
      ]);
      return findings as Findings;
    },
    async bySegments(attack) {
      const argv = ["python3", "-B", script("./segments.py"), cable, namespace.allocateAddress(), target.address];
      const output = await namespace.must([...argv, String(target.port), String(PATIENCE), attack], {
        timeoutMs: 120_000,
      });
      return JSON.parse(output) as Findings;
    },
    async stop() {
      attacker.kill("SIGKILL");
      await ended;
    },
  };
}
