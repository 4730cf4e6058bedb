import { nodeListener } from "@nfs4/bytestream";
import { createServer, type FileSystem } from "@nfs4/server";
import { cryptoRandom, nodeClock } from "@nfs4/timecounter";

type Node = Buffer | Map<string, Node>;
const root = new Map<string, Node>([
  ["hello.txt", Buffer.from("Hello, world!\n")],
  ["poems", new Map([["pond.txt", Buffer.from("Old pond.\nA frog leaps in:\nwater's sound.\n")]])],
]);
const parents = new Map<Node, Node>([[root, root]]);
for (const [node] of parents) if (node instanceof Map) for (const child of node.values()) parents.set(child, node);
const nodes = [...parents.keys()];

const clock = nodeClock();
const now = clock.wall();
const usual = { uid: 0, gid: 0, size: 0, spaceUsed: 0, nlink: 1, change: 1n, atime: now, mtime: now, ctime: now };
const fileSystem: FileSystem<Node, Buffer> = {
  root: () => root,
  key: (node) => Uint8Array.of(nodes.indexOf(node)),
  resolve: ([index = 0]) => nodes[index] ?? "ESTALE",
  parent: (node) => parents.get(node) ?? "ESTALE",
  lookup: (node, name) => (node instanceof Map && node.get(name)) || "ENOENT",
  getattr: (node) => {
    const common = { ...usual, fileid: BigInt(nodes.indexOf(node) + 1) };
    if (node instanceof Map) return { ...common, type: "directory", mode: 0o555 };
    return { ...common, type: "file", mode: 0o444, size: node.length };
  },
  readdir: (node, cookie, limit) => {
    const all = [...(node as Map<string, Node>).keys()].map((name, index) => ({ name, cookie: BigInt(index + 3) }));
    const rest = all.filter((entry) => entry.cookie > cookie);
    return { entries: rest.slice(0, limit), end: rest.length <= limit };
  },
  read: (file, from, { length }) => ({ bytes: file.subarray(from, from + length), end: from + length >= file.length }),
};

const server = await createServer({ exports: [{ path: "/", fileSystem }], clock, random: cryptoRandom });
const listener = await nodeListener({ clock, host: "127.0.0.1", port: Number(process.argv[2] ?? 2049) });
server.listen(listener);
console.log(`mount -t nfs4 -o port=${listener.localAddress.port} 127.0.0.1:/ /mnt`);
