import { connect } from "@nfs4/client";

await using nfs = await connect(process.argv[2] ?? "nfs://10.78.0.2/");
await nfs.mkdir("/notes", { recursive: true });
await nfs.writeFile("/notes/today.txt", "Went to the pond.\nSaw a frog.\n");
for (const entry of await nfs.readdir("/notes", { withFileTypes: true })) {
  const { size } = await nfs.stat(`${entry.parentPath}/${entry.name}`);
  console.log(entry.name, entry.isDirectory() ? "directory" : `${size} bytes`);
}
await using file = await nfs.open("/notes/today.txt");
for await (const line of file.readLines()) console.log(line);
