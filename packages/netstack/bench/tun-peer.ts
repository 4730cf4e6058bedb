/** The kernel's side of bench/tun.ts: the first byte of a connection says what it is to do. */
import { createServer, type Socket } from "node:net";

const [port, requestLength] = process.argv.slice(2).map(Number) as [number, number];
const block = Buffer.alloc(1 << 20, 0x5a);
const reply = Buffer.alloc(requestLength, 2);

const server = createServer({ noDelay: true }, (socket) => {
  socket.on("error", () => process.exit(0));
  socket.once("readable", () => begin(socket));
});
server.listen(port, "0.0.0.0", () => process.send?.("ready"));
process.on("message", () => process.send?.(process.cpuUsage()));
process.once("disconnect", () => process.exit(0));

function begin(socket: Socket): void {
  const [kind] = socket.read(1) as Buffer;
  if (kind === 1) {
    const send = (): void => {
      while (socket.write(block));
    };
    socket.on("drain", send);
    send();
  } else if (kind === 2) {
    socket.on("data", () => {});
  } else {
    let got = 0;
    socket.on("data", (bytes: Buffer) => {
      got += bytes.length;
      while (got >= requestLength) {
        got -= requestLength;
        socket.write(reply);
      }
    });
  }
}
