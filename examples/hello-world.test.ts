import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { nodeConnector } from "@nfs4/bytestream";
import { ANONYMOUS_STATEID, decodeName, FATTR4_SIZE, FATTR4_TYPE, NFS_V4, NFS4_PROGRAM } from "@nfs4/protocol";
import { authSys, RpcClient } from "@nfs4/rpc";
import { cryptoRandom, nodeClock } from "@nfs4/timecounter";
import { describe, expect, it } from "vitest";
import { Compound, type Sender } from "../packages/nfs4-server/test/harness/compound.ts";
import { Reply } from "../packages/nfs4-server/test/harness/reply.ts";

const program = fileURLToPath(new URL("hello-world.ts", import.meta.url));
const COMPOUND = 1;

/** The example in a process of its own, at a port that is free, until the block is left. */
async function runExample() {
  const child = spawn(process.execPath, ["--import", "tsx", "--conditions", "source", program, "0"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = once(child, "exit");
  const [line] = await Promise.race([once(createInterface(child.stdout), "line"), ended]);
  return {
    line: String(line),
    async [Symbol.asyncDispose]() {
      child.kill();
      await ended;
    },
  };
}

/** COMPOUNDs of 4.0, by user 1000, over a connection of the kernel. */
function sender(rpc: RpcClient): Pick<Sender, "minor" | "transmit" | "user"> {
  const user = { uid: 1000, gid: 1000 };
  return {
    minor: 0,
    user,
    transmit: async (compound) => {
      const request = compound.encode();
      const reply = await rpc.call({
        program: NFS4_PROGRAM,
        version: NFS_V4,
        procedure: COMPOUND,
        credential: authSys({ ...user, gids: [], machineName: "test" }),
        encode: (writer) => writer.opaqueFixed(request, request.length),
        decode: (reader) => reader.opaqueFixed(reader.remaining).slice(),
      });
      return new Reply(reply, request, 0);
    },
  };
}

describe("hello-world.ts", () => {
  it("serves its files to an NFS client", async () => {
    await using example = await runExample();
    const [, port = ""] = /^mount -t nfs4 -o port=(\d+) 127\.0\.0\.1:\/ \/mnt$/.exec(example.line) ?? [];
    using clock = nodeClock();
    const stream = await nodeConnector({ clock }).connect({ address: "127.0.0.1", port: Number(port) });
    await using rpc = new RpcClient({ stream, environment: { clock, random: cryptoRandom } });
    const compound = (): Compound => new Compound(sender(rpc) as Sender).putroot();

    const names: string[] = [];
    const { reply } = (await compound().readdir().start()).ok().get("READDIR");
    for (const { name } of reply.entries) names.push(decodeName(name));
    expect(names).toEqual(["hello.txt", "poems"]);
    expect(reply.eof).toBe(true);

    const hello = await compound().lookup("hello.txt").read(ANONYMOUS_STATEID, 0, 4096).start();
    expect(new TextDecoder().decode(hello.ok().get("READ").data)).toBe("Hello, world!\n");
    const part = await compound().lookup("poems", "pond.txt").read(ANONYMOUS_STATEID, 4, 4).start();
    expect(new TextDecoder().decode(part.ok().get("READ").data)).toBe("pond");
    expect(part.get("READ").eof).toBe(false);

    const climb = compound()
      .lookup("poems")
      .getfh()
      .lookupp()
      .lookup("poems")
      .getfh()
      .getattr(FATTR4_TYPE, FATTR4_SIZE);
    expect((await climb.start()).summary).toBe("PUTROOTFH LOOKUP GETFH LOOKUPP LOOKUP GETFH GETATTR");
    expect((await compound().lookup("missing").start()).status).toBe("NFS4ERR_NOENT");
    expect((await compound().mkdir("new").start()).status).toBe("NFS4ERR_ROFS");
  });

  it("is the README's example, and under forty lines", () => {
    const text = readFileSync(program, "utf8");
    const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
    expect(/^```ts\n(.*?)^```$/ms.exec(readme)?.[1]).toBe(text);
    expect(text.trimEnd().split("\n").length).toBeLessThan(40);
  });
});
